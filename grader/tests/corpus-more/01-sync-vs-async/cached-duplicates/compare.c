#include "compare.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* the index of the first URL equal to urls[i]; i itself if it is new */
static size_t first_equal(const char *const urls[], size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(urls[k], urls[i]) == 0)
            return k;
    return i;
}

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    for (size_t i = 0; i < n; i++) {
        size_t k = first_equal(urls, i);
        if (k < i) {
            out[i] = out[k];        /* we have it already */
            continue;
        }
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
    struct fetch_result *result;
};

static int fetch_one(void *arg)
{
    struct fetch_job *job = arg;
    struct co_response resp;
    job->result->error = co_http_get(job->url, &resp);
    job->result->status = resp.status;
    job->result->length = resp.length;
    co_response_free(&resp);
    return job->result->error == -ECANCELED ? -ECANCELED : 0;
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
        if (first_equal(urls, i) == i)
            co_spawn(&group, fetch_one, &jobs[i]);
    }
    int rc = co_join(&group);
    for (size_t i = 0; i < n; i++)
        out[i] = out[first_equal(urls, i)];
    free(jobs);
    return rc;
}

int compare(const char *const urls[], size_t n, struct comparison *report)
{
    struct fetch_result *results = calloc(n + 1, sizeof *results);
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
