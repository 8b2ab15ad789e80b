/* compare.c -- one function for both clients, tasks awaited with co_wait */
#include "compare.h"

typedef int (*client)(const char *url, struct co_response *resp);

struct fetch {
	const char *url;
	client get;
	struct fetch_result result;
};

static int fetch(void *arg)
{
	struct fetch *self = arg;
	struct co_response resp = {0};

	self->result.error = self->get(self->url, &resp);
	self->result.status = resp.status;
	self->result.length = resp.length;
	co_response_free(&resp);
	return self->result.error;
}

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
	for (size_t i = 0; i < n; i++) {
		struct fetch one = { urls[i], http_get_blocking, {0, 0, 0} };

		fetch(&one);
		out[i] = one.result;
	}
	return 0;
}

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
	struct fetch all[n ? n : 1];
	co_task *tasks[n ? n : 1];
	CO_GROUP(group);

	for (size_t i = 0; i < n; i++) {
		all[i] = (struct fetch){ urls[i], co_http_get, {0, 0, 0} };
		tasks[i] = co_spawn(&group, fetch, &all[i]);
	}

	/* co_wait cancels nobody when one fails */
	int rc = co_wait(tasks, n, CO_ALL_COMPLETED, CO_FOREVER);

	if (rc < 0) {
		for (size_t i = 0; i < n; i++)
			co_cancel(tasks[i]);
		return rc;
	}
	for (size_t i = 0; i < n; i++)
		out[i] = all[i].result;
	return 0;
}

int compare(const char *const urls[], size_t n, struct comparison *report)
{
	struct fetch_result out[n + 1];
	int64_t start, middle, end;
	int rc;

	start = co_now();
	rc = fetch_sync(urls, n, out);
	middle = co_now();
	if (rc)
		return rc;
	rc = fetch_async(urls, n, out);
	end = co_now();
	if (rc)
		return rc;

	report->n = n;
	report->sync_ns = middle - start;
	report->async_ns = end - middle;
	report->speedup = end > middle ? (double)report->sync_ns / (double)report->async_ns : 1.0;
	return 0;
}

enum bound explain(const struct comparison *report)
{
	return report->n < 2 ? BOUND_UNKNOWN : report->speedup < 1.5 ? BOUND_CPU : BOUND_IO;
}
