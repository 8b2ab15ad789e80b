#include "compare.h"
#include <stdlib.h>

struct fetch_job { const char *url; struct fetch_result *result; };

static int fetch_one(void *arg)
{
    struct fetch_job *job = arg;
    struct co_response resp;
    int rc = co_http_get(job->url, &resp);
    if (rc == -ECANCELED)
        return rc;
    job->result->error = rc;
    job->result->status = resp.status;
    job->result->length = resp.length;
    co_response_free(&resp);
    return 0;
}

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    for (size_t i = 0; i < n; i++) {
        struct co_response resp;
        int rc = http_get_blocking(urls[i], &resp);
        out[i].error = rc;
        out[i].status = resp.status;
        out[i].length = resp.length;
        co_response_free(&resp);
    }
    return 0;
}

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    struct fetch_job *jobs = malloc((n + 1) * sizeof *jobs);
    if (!jobs)
        return -ENOMEM;
    CO_GROUP(group);
    for (size_t i = 0; i < n; i++) {
        jobs[i].url = urls[i];
        jobs[i].result = &out[i];
        co_spawn(&group, fetch_one, &jobs[i]);
    }
    int rc = co_join(&group);
    free(jobs);
    return rc;
}

/* the clock, in whole milliseconds */
static int64_t now(void)
{
    return co_now() / CO_MS(1);
}

int compare(const char *const urls[], size_t n, struct comparison *report)
{
    struct fetch_result *out = malloc((n + 1) * sizeof *out);
    if (!out)
        return -ENOMEM;
    int64_t start = now();
    int rc = fetch_sync(urls, n, out);
    report->sync_ns = now() - start;
    start = now();
    if (rc == 0)
        rc = fetch_async(urls, n, out);
    report->async_ns = now() - start;
    free(out);
    report->n = n;
    report->speedup = report->async_ns > 0 ? (double)report->sync_ns / (double)report->async_ns : 1.0;
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
