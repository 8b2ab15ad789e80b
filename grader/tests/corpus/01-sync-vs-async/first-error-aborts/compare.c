/* Lab 01. Checks every return value, as we learned in systems programming. */
#include "compare.h"
#include <stdlib.h>

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    struct co_response resp;
    int rc;

    for (size_t i = 0; i < n; i++) {
        rc = http_get_blocking(urls[i], &resp);
        out[i].error = rc;
        out[i].status = resp.status;
        out[i].length = resp.length;
        co_response_free(&resp);
        if (rc < 0)
            return rc;
    }
    return 0;
}

struct fetch_job {
    const char *url;
    struct fetch_result *out;
};

static int fetch_one(void *arg)
{
    struct fetch_job *job = arg;
    struct co_response resp;
    int rc;

    rc = co_http_get(job->url, &resp);
    job->out->error = rc;
    job->out->status = resp.status;
    job->out->length = resp.length;
    co_response_free(&resp);
    return rc;
}

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    struct fetch_job *jobs = calloc(n + 1, sizeof(*jobs));
    int rc;

    if (!jobs)
        return -ENOMEM;
    CO_GROUP(group);
    for (size_t i = 0; i < n; i++) {
        jobs[i].url = urls[i];
        jobs[i].out = &out[i];
        co_spawn(&group, fetch_one, &jobs[i]);
    }
    rc = co_join(&group);
    free(jobs);
    return rc;
}

int compare(const char *const urls[], size_t n, struct comparison *report)
{
    struct fetch_result *out = calloc(n + 1, sizeof(*out));
    int64_t t;
    int rc;

    if (!out)
        return -ENOMEM;
    report->n = n;
    t = co_now();
    rc = fetch_sync(urls, n, out);
    report->sync_ns = co_now() - t;
    if (rc < 0)
        goto done;
    t = co_now();
    rc = fetch_async(urls, n, out);
    report->async_ns = co_now() - t;
    if (rc < 0)
        goto done;
    report->speedup = report->async_ns ? (double)report->sync_ns / (double)report->async_ns : 1.0;
done:
    free(out);
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
