#include "compare.h"
#include <stdlib.h>

/* Nobody waits longer than this for a page. */
#define PATIENCE CO_SEC(5)

struct fetch_job {
    const char *url;
    struct fetch_result *result;
};

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    for (size_t i = 0; i < n; i++) {
        struct co_response resp;
        out[i].error = http_get_blocking(urls[i], &resp);
        out[i].status = resp.status;
        out[i].length = resp.length;
        co_response_free(&resp);
    }
    return 0;
}

static int get(void *arg)
{
    struct fetch_job *job = arg;
    struct co_response resp;
    int rc = co_http_get(job->url, &resp);
    job->result->status = resp.status;
    job->result->length = resp.length;
    co_response_free(&resp);
    return rc;
}

static int fetch_one(void *arg)
{
    struct fetch_job *job = arg;
    int rc = co_wait_for(get, job, PATIENCE);
    job->result->error = rc;
    return rc == -ECANCELED ? rc : 0;
}

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    struct fetch_job *jobs = malloc((n + 1) * sizeof *jobs);
    if (!jobs)
        return -ENOMEM;
    CO_GROUP(group);
    for (size_t i = 0; i < n; i++) {
        jobs[i] = (struct fetch_job){ .url = urls[i], .result = &out[i] };
        co_spawn(&group, fetch_one, &jobs[i]);
    }
    int rc = co_join(&group);
    free(jobs);
    return rc;
}

int compare(const char *const urls[], size_t n, struct comparison *report)
{
    struct fetch_result *results = malloc((n + 1) * sizeof *results);
    if (!results)
        return -ENOMEM;
    int64_t t0 = co_now();
    int rc = fetch_sync(urls, n, results);
    int64_t t1 = co_now();
    if (rc == 0)
        rc = fetch_async(urls, n, results);
    int64_t t2 = co_now();
    free(results);
    report->n = n;
    report->sync_ns = t1 - t0;
    report->async_ns = t2 - t1;
    report->speedup = t1 == t2 ? 1.0 : (double)(t1 - t0) / (double)(t2 - t1);
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
