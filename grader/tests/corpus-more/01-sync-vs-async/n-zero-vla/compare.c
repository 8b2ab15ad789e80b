#include "compare.h"

struct job {
    const char *url;
    struct fetch_result *result;
};

static int fetch_one(void *arg)
{
    struct job *job = arg;
    struct co_response resp;
    int rc = co_http_get(job->url, &resp);
    job->result->error = rc;
    job->result->status = resp.status;
    job->result->length = resp.length;
    co_response_free(&resp);
    return rc == -ECANCELED ? rc : 0;
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
    struct job jobs[n];
    CO_GROUP(group);
    for (size_t i = 0; i < n; i++) {
        jobs[i].url = urls[i];
        jobs[i].result = &out[i];
        co_spawn(&group, fetch_one, &jobs[i]);
    }
    return co_join(&group);
}

int compare(const char *const urls[], size_t n, struct comparison *report)
{
    struct fetch_result results[n];

    int64_t t0 = co_now();
    int rc = fetch_sync(urls, n, results);
    int64_t t1 = co_now();
    if (rc == 0)
        rc = fetch_async(urls, n, results);
    int64_t t2 = co_now();

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
