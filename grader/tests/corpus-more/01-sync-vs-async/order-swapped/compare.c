/* lab 01, compare.c */
#include "compare.h"
#include <stdlib.h>

struct fetch_job {
    const char *url;
    struct fetch_result *result;
};

static void store(struct fetch_result *result, int rc, struct co_response *resp)
{
    result->error = rc;
    result->status = resp->status;
    result->length = resp->length;
    co_response_free(resp);
}

static int fetch_one(void *arg)
{
    struct fetch_job *job = arg;
    struct co_response resp;
    int rc = co_http_get(job->url, &resp);
    store(job->result, rc, &resp);
    return rc == -ECANCELED ? rc : 0;
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

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    for (size_t i = 0; i < n; i++) {
        struct co_response resp;
        int rc = http_get_blocking(urls[i], &resp);
        store(&out[i], rc, &resp);
    }
    return 0;
}

int compare(const char *const urls[], size_t n, struct comparison *report)
{
    struct fetch_result *results = malloc((n + 1) * sizeof *results);
    if (!results)
        return -ENOMEM;

    int64_t start = co_now();
    int rc = fetch_async(urls, n, results);
    int64_t async_done = co_now();
    if (rc == 0)
        rc = fetch_sync(urls, n, results);
    int64_t sync_done = co_now();
    free(results);

    report->n = n;
    report->async_ns = async_done - start;
    report->sync_ns = sync_done - async_done;
    report->speedup = report->async_ns ? (double)report->sync_ns / (double)report->async_ns : 1.0;
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
