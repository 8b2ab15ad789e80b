/* compare.c - lab 01 */
#include "compare.h"

#include <stdlib.h>

/* Store what became of one fetch, and free the response. Used by both halves. */
static void store_result(struct fetch_result *result, int rc, struct co_response *resp)
{
    if (rc < 0) {
        result->error = rc;
        result->status = 0;
        result->length = 0;
        return;                     /* resp is zeroed, there is nothing to free */
    }
    result->error = 0;
    result->status = resp->status;
    result->length = resp->length;
    co_response_free(resp);
}

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    for (size_t i = 0; i < n; i++) {
        struct co_response resp;
        int rc = http_get_blocking(urls[i], &resp);
        if (rc == -ECANCELED)
            return rc;              /* compare.h: "-ECANCELED when the task was cancelled" */
        store_result(&out[i], rc, &resp);
    }
    return 0;
}

struct fetch_job {
    const char *url;                /* in  */
    struct fetch_result *result;    /* out */
};

static int fetch_one(void *arg)
{
    struct fetch_job *job = arg;
    struct co_response resp;
    int rc = co_http_get(job->url, &resp);
    if (rc == -ECANCELED)
        return rc;
    store_result(job->result, rc, &resp);
    return 0;                       /* an error of one URL must not cancel the others */
}

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    if (n == 0)
        return 0;

    struct fetch_job *jobs = malloc(n * sizeof *jobs);
    if (jobs == NULL)
        return -ENOMEM;

    int rc;
    {
        CO_GROUP(group);
        for (size_t i = 0; i < n; i++) {
            jobs[i].url = urls[i];
            jobs[i].result = &out[i];
            co_spawn(&group, fetch_one, &jobs[i]);
        }
        rc = co_join(&group);
    }                               /* the group has ended, now nobody uses the jobs any more */
    free(jobs);
    return rc;
}

int compare(const char *const urls[], size_t n, struct comparison *report)
{
    report->n = n;
    report->sync_ns = 0;
    report->async_ns = 0;
    report->speedup = 1.0;

    /* malloc(0) may be NULL, that would look like no memory */
    struct fetch_result *results = malloc((n > 0 ? n : 1) * sizeof *results);
    if (results == NULL)
        return -ENOMEM;

    int64_t start = co_now();
    int rc = fetch_sync(urls, n, results);
    report->sync_ns = co_now() - start;

    if (rc == 0) {
        start = co_now();
        rc = fetch_async(urls, n, results);
        report->async_ns = co_now() - start;
    }
    if (rc == 0 && report->async_ns > 0)
        report->speedup = (double)report->sync_ns / (double)report->async_ns;

    free(results);
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
