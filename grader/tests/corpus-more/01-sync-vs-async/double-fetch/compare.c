#include "compare.h"
#include <stdlib.h>

/* small helpers for the tasks: one asks for the status, one for the size */
static int get_status(const char *url, int *status)
{
    struct co_response resp;
    int rc = co_http_get(url, &resp);
    *status = resp.status;
    co_response_free(&resp);
    return rc;
}

static int get_length(const char *url, size_t *length)
{
    struct co_response resp;
    int rc = co_http_get(url, &resp);
    *length = resp.length;
    co_response_free(&resp);
    return rc;
}

struct job {
    const char *url;
    struct fetch_result *result;
};

static int fetch_one(void *arg)
{
    struct job *job = arg;
    job->result->length = 0;
    int rc = get_status(job->url, &job->result->status);
    if (rc == 0)
        rc = get_length(job->url, &job->result->length);
    job->result->error = rc;
    return rc == -ECANCELED ? rc : 0;
}

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

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    struct job *jobs = malloc((n + 1) * sizeof *jobs);
    if (!jobs)
        return -ENOMEM;
    CO_GROUP(group);
    for (size_t i = 0; i < n; i++) {
        jobs[i] = (struct job){ urls[i], &out[i] };
        co_spawn(&group, fetch_one, &jobs[i]);
    }
    int rc = co_join(&group);
    free(jobs);
    return rc;
}

int compare(const char *const urls[], size_t n, struct comparison *report)
{
    struct fetch_result *out = malloc((n + 1) * sizeof *out);
    if (!out)
        return -ENOMEM;
    int64_t start = co_now();
    int rc = fetch_sync(urls, n, out);
    int64_t mid = co_now();
    if (rc == 0)
        rc = fetch_async(urls, n, out);
    int64_t end = co_now();
    free(out);
    *report = (struct comparison){
        .n = n, .sync_ns = mid - start, .async_ns = end - mid,
        .speedup = end > mid ? (double)(mid - start) / (double)(end - mid) : 1.0,
    };
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
