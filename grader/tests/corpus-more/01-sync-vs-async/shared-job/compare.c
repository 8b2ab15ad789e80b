#include "compare.h"

#include <stdlib.h>

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

struct fetch_job {
    const char *url;
    struct fetch_result *out;
};

static int fetch_one(void *arg)
{
    struct fetch_job *job = arg;
    struct co_response resp;
    int rc = co_http_get(job->url, &resp);
    job->out->error = rc;
    job->out->status = resp.status;
    job->out->length = resp.length;
    co_response_free(&resp);
    if (rc == -ECANCELED)
        return rc;
    return 0;
}

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    struct fetch_job job;
    CO_GROUP(g);

    for (size_t i = 0; i < n; i++) {
        job.url = urls[i];
        job.out = &out[i];
        co_spawn(&g, fetch_one, &job);
    }
    return co_join(&g);
}

int compare(const char *const urls[], size_t n, struct comparison *report)
{
    struct fetch_result *out = calloc(n + 1, sizeof *out);
    if (!out)
        return -ENOMEM;

    int64_t start = co_now();
    int rc = fetch_sync(urls, n, out);
    report->sync_ns = co_now() - start;
    if (rc == 0) {
        start = co_now();
        rc = fetch_async(urls, n, out);
        report->async_ns = co_now() - start;
        report->speedup = report->async_ns ? (double)report->sync_ns / (double)report->async_ns : 1.0;
    }
    report->n = n;
    free(out);
    return rc;
}

enum bound explain(const struct comparison *report)
{
    if (report->n < 2)
        return BOUND_UNKNOWN;
    return report->speedup < 1.5 ? BOUND_CPU : BOUND_IO;
}
