#include "compare.h"
#include <stdlib.h>

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

struct fetch_job {
    const char *url;
    struct fetch_result *out;
};

static int fetch_one(void *arg)
{
    struct fetch_job *job = arg;
    struct co_response resp;
    job->out->error = co_http_get(job->url, &resp);
    job->out->status = resp.status;
    job->out->length = resp.length;
    co_response_free(&resp);
    return 0;
}

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    struct fetch_job jobs[n + 1];
    CO_GROUP(g);
    for (size_t i = 0; i < n; i++) {
        jobs[i] = (struct fetch_job){urls[i], &out[i]};
        co_spawn(&g, fetch_one, &jobs[i]);
    }
    return co_join(&g);
}

int compare(const char *const urls[], size_t n, struct comparison *report)
{
    struct fetch_result *out = malloc((n + 1) * sizeof(struct fetch_result));
    if (!out)
        return -ENOMEM;
    int64_t t0 = co_now();
    int rc = fetch_sync(urls, n, out);
    int64_t t1 = co_now();
    if (rc == 0)
        rc = fetch_async(urls, n, out);
    int64_t t2 = co_now();
    free(out);
    report->n = n;
    report->sync_ns = t1 - t0;
    report->async_ns = t2 - t1;
    report->speedup = report->async_ns ? (double)report->sync_ns / report->async_ns : 1.0;
    return rc;
}

enum bound explain(const struct comparison *report)
{
    if (report->n < 2)
        return BOUND_UNKNOWN;
    return report->speedup < 1.5 ? BOUND_CPU : BOUND_IO;
}
