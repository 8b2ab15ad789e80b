#include "compare.h"
#include <stdlib.h>

struct job {
    const char *url;
    struct fetch_result *out;
};

static int fetch(void *arg)
{
    struct job *job = arg;
    struct co_response resp;
    int rc = co_http_get(job->url, &resp);
    if (rc == -ECANCELED)
        return rc;
    job->out->error = rc;
    job->out->status = resp.status;
    job->out->length = resp.length;
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
    struct job *jobs = malloc((n + 1) * sizeof *jobs);
    if (!jobs)
        return -ENOMEM;
    CO_GROUP(group);
    for (size_t i = 0; i < n; i++) {
        jobs[i] = (struct job){urls[i], out + i};
        co_spawn(&group, fetch, jobs + i);
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
    report->speedup = t2 > t1 ? (double)(t1 - t0) / (double)(t2 - t1) : 1.0;
    return rc;
}

/* Programs which take long are waiting for the network; computing is quick. */
enum bound explain(const struct comparison *report)
{
    if (report->n < 2)
        return BOUND_UNKNOWN;
    if (report->sync_ns > CO_SEC(1))
        return BOUND_IO;
    return BOUND_CPU;
}
