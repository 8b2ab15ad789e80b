#include "compare.h"
#include <stdlib.h>

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    for (size_t i = 0; i < n; i++) {
        struct co_response resp;
        int rc = http_get_blocking(urls[i], &resp);
        if (rc < 0) {
            out[i].error = rc;
            continue;
        }
        out[i].error = 0;
        out[i].status = resp.status;
        out[i].length = resp.length;
        co_response_free(&resp);
    }
    return 0;
}

struct fetch_job {
    const char *url;
    struct fetch_result *result;
};

static int fetch_one(void *arg)
{
    struct fetch_job *job = arg;
    struct co_response resp;
    int rc = co_http_get(job->url, &resp);
    if (rc == -ECANCELED)
        return rc;
    if (rc < 0) {
        job->result->error = rc;
        return 0;
    }
    job->result->error = 0;
    job->result->status = resp.status;
    job->result->length = resp.length;
    co_response_free(&resp);
    return 0;
}

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    struct fetch_job *jobs = malloc((n + 1) * sizeof(*jobs));
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

int compare(const char *const urls[], size_t n, struct comparison *report)
{
    struct fetch_result *results = malloc((n + 1) * sizeof(*results));
    if (!results)
        return -ENOMEM;
    int64_t start = co_now();
    int rc = fetch_sync(urls, n, results);
    report->sync_ns = co_now() - start;
    if (rc == 0) {
        start = co_now();
        rc = fetch_async(urls, n, results);
        report->async_ns = co_now() - start;
    }
    free(results);
    report->n = n;
    report->speedup = 1.0;
    if (rc == 0 && report->async_ns > 0)
        report->speedup = (double)report->sync_ns / (double)report->async_ns;
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
