#include "compare.h"
#include <stdlib.h>

typedef struct fetch_job {
    const char *url;
    struct fetch_result *result;
} fetch_job;

static void keep(struct fetch_result *result, int rc, struct co_response *resp)
{
    result->error = rc;
    result->status = resp->status;
    result->length = resp->length;
    co_response_free(resp);
}

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    size_t i = 0;
    while (i < n) {
        struct co_response resp;
        int rc = http_get_blocking(urls[i], &resp);
        keep(&out[i], rc, &resp);
        i++;
    }
    return 0;
}

static int fetch_one(void *arg)
{
    fetch_job *job = arg;
    struct co_response resp;
    int rc = co_http_get(job->url, &resp);
    keep(job->result, rc, &resp);
    return rc == -ECANCELED ? rc : 0;
}

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    fetch_job *jobs = calloc(n + 1, sizeof(fetch_job));
    if (jobs == NULL)
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

int compare(const char *const urls[], size_t n, struct comparison *report)
{
    struct fetch_result *out = calloc(n + 1, sizeof(struct fetch_result));
    if (out == NULL)
        return -ENOMEM;
    int64_t start = co_now();
    int rc = fetch_sync(urls, n, out);
    report->sync_ns = co_now() - start;
    start = co_now();
    if (rc == 0)
        rc = fetch_async(urls, n, out);
    report->async_ns = co_now() - start;
    free(out);
    report->n = n;
    report->speedup = 1.0;
    if (report->async_ns != 0)
        report->speedup = (double)report->sync_ns / (double)report->async_ns;
    return rc;
}

enum bound explain(const struct comparison *report)
{
    if (report->n < 2)
        return BOUND_UNKNOWN;
    if (report->speedup > 1.5)
        return BOUND_IO;
    return BOUND_CPU;
}
