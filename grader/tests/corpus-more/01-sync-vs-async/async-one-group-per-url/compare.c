#include "compare.h"
#include <stdlib.h>

struct request {
	const char *url;
	struct fetch_result *answer;
};

static void fill(struct fetch_result *answer, int rc, const struct co_response *resp)
{
	answer->error  = rc;
	answer->status = rc ? 0 : resp->status;
	answer->length = rc ? 0 : resp->length;
}

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
	for (size_t i = 0; i < n; i++) {
		struct co_response resp;
		int rc = http_get_blocking(urls[i], &resp);
		fill(&out[i], rc, &resp);
		co_response_free(&resp);
	}
	return 0;
}

static int run_request(void *arg)
{
	struct request *req = arg;
	struct co_response resp;
	int rc = co_http_get(req->url, &resp);
	fill(req->answer, rc, &resp);
	co_response_free(&resp);
	return rc == -ECANCELED ? rc : 0;
}

/* A group for each URL, so that an error in one of them cannot cancel any other. */
int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
	for (size_t i = 0; i < n; i++) {
		struct request req = { urls[i], &out[i] };
		CO_GROUP(g);
		co_spawn(&g, run_request, &req);
		int rc = co_join(&g);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int compare(const char *const urls[], size_t n, struct comparison *report)
{
	struct fetch_result *out = calloc(n ? n : 1, sizeof *out);
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
	report->speedup = c == b ? 1.0 : (double)(b - a) / (double)(c - b);
	return rc;
}

enum bound explain(const struct comparison *report)
{
	if (report->n < 2)
		return BOUND_UNKNOWN;
	return report->speedup >= 1.5 ? BOUND_IO : BOUND_CPU;
}
