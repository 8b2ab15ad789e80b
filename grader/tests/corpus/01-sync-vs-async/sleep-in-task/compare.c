/* compare.c -- lab 01 -- each task gives the others a chance before it goes on */
#include "compare.h"
#include <stdlib.h>
#include <unistd.h>

struct fetch_job {
    const char *url;
    struct fetch_result *result;
};

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    for (size_t i = 0; i < n; i++) {
        struct co_response resp;
        int rc = http_get_blocking(urls[i], &resp);
        out[i] = (struct fetch_result){rc, resp.status, resp.length};
        co_response_free(&resp);
    }
    return 0;
}

static int fetch_one(void *arg)
{
    struct fetch_job *job = arg;
    struct co_response resp;

    usleep(10 * 1000);          /* let the others run, too */
    int rc = co_http_get(job->url, &resp);
    *job->result = (struct fetch_result){rc, resp.status, resp.length};
    co_response_free(&resp);
    return rc == -ECANCELED ? rc : 0;
}

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    struct fetch_job *jobs = malloc((n + 1) * sizeof(struct fetch_job));
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
    struct fetch_result *results = malloc((n + 1) * sizeof(struct fetch_result));
    if (!results)
        return -ENOMEM;
    int64_t a = co_now();
    int rc = fetch_sync(urls, n, results);
    int64_t b = co_now();
    if (rc == 0)
        rc = fetch_async(urls, n, results);
    int64_t c = co_now();
    free(results);
    report->n = n;
    report->sync_ns = b - a;
    report->async_ns = c - b;
    report->speedup = c > b ? (double)(b - a) / (double)(c - b) : 1.0;
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
