#include "compare.h"

#include <stdlib.h>
#include <string.h>

struct fetch_job {
    char url[80];
    struct fetch_result *out;
};

static void record(struct fetch_result *out, int rc, const struct co_response *resp)
{
    out->error = rc;
    out->status = rc == 0 ? resp->status : 0;
    out->length = rc == 0 ? resp->length : 0;
}

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    for (size_t i = 0; i < n; i++) {
        struct co_response resp;
        int rc = http_get_blocking(urls[i], &resp);
        record(&out[i], rc, &resp);
        co_response_free(&resp);
    }
    return 0;
}

static int fetch_one(void *arg)
{
    struct fetch_job *job = arg;
    struct co_response resp;
    int rc = co_http_get(job->url, &resp);
    record(job->out, rc, &resp);
    co_response_free(&resp);
    return 0;
}

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    if (n == 0)
        return 0;
    struct fetch_job *jobs = malloc(n * sizeof *jobs);
    int *rcs = malloc(n * sizeof *rcs);
    int rc = -ENOMEM;
    if (jobs && rcs) {
        for (size_t i = 0; i < n; i++) {
            jobs[i].out = &out[i];
            jobs[i].url[0] = '\0';
            strncat(jobs[i].url, urls[i], sizeof jobs[i].url - 1);
        }
        rc = co_gather(fetch_one, jobs, n, sizeof jobs[0], rcs);
    }
    free(rcs);
    free(jobs);
    return rc;
}

int compare(const char *const urls[], size_t n, struct comparison *report)
{
    struct fetch_result *results = calloc(n + 1, sizeof *results);
    if (!results)
        return -ENOMEM;
    int64_t begin = co_now();
    int rc = fetch_sync(urls, n, results);
    int64_t middle = co_now();
    if (rc == 0)
        rc = fetch_async(urls, n, results);
    int64_t end = co_now();
    free(results);
    report->n = n;
    report->sync_ns = middle - begin;
    report->async_ns = end - middle;
    report->speedup = report->async_ns > 0 ? (double)report->sync_ns / (double)report->async_ns : 1.0;
    return rc;
}

enum bound explain(const struct comparison *report)
{
    if (report->n < 2)
        return BOUND_UNKNOWN;
    return report->speedup < 1.5 ? BOUND_CPU : BOUND_IO;
}
