#include "compare.h"
#include <stdlib.h>

typedef struct {
	const char *url;
	struct fetch_result *slot;
} Job;

static int task_main(void *arg)
{
	Job *job = arg;
	struct co_response r;

	int rc = co_http_get(job->url, &r);
	if (rc == -ECANCELED)
		return rc;
	job->slot->error = rc;
	job->slot->status = r.status;
	job->slot->length = r.length;
	co_response_free(&r);
	return 0;
}

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
	for (size_t i = 0; i < n; i++) {
		struct co_response r;

		int rc = http_get_blocking(urls[i], &r);
		out[i].error = rc;
		out[i].status = r.status;
		out[i].length = r.length;
		co_response_free(&r);
	}
	return 0;
}

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
	CO_GROUP(group);

	for (size_t i = 0; i < n; i++) {
		Job job = { .url = urls[i], .slot = &out[i] };   /* a new one for each task */
		co_spawn(&group, task_main, &job);
	}
	return co_join(&group);
}

int compare(const char *const urls[], size_t n, struct comparison *report)
{
	struct fetch_result *out = malloc((n + 1) * sizeof(*out));

	if (!out)
		return -ENOMEM;

	int64_t a = co_now();
	int rc = fetch_sync(urls, n, out);
	int64_t b = co_now();
	if (!rc)
		rc = fetch_async(urls, n, out);
	int64_t c = co_now();

	free(out);
	report->n = n;
	report->sync_ns = b - a;
	report->async_ns = c - b;
	report->speedup = (b == c) ? 1.0 : (double)(b - a) / (double)(c - b);
	return rc;
}

enum bound explain(const struct comparison *report)
{
	if (report->n < 2)
		return BOUND_UNKNOWN;
	if (report->speedup < 1.5)
		return BOUND_CPU;
	return BOUND_IO;
}
