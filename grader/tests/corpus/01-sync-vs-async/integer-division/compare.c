/* Lab 01, compare.c */

#include "compare.h"
#include <stdlib.h>

struct fetch_job {
    const char *url;
    struct fetch_result *result;
};

static void save(struct fetch_result *result, int rc, struct co_response *resp)
{
    result->error = rc;
    result->status = resp->status;
    result->length = resp->length;
    co_response_free(resp);
}

static int fetch_one(void *arg)
{
    struct fetch_job *job = arg;
    struct co_response resp;
    int rc = co_http_get(job->url, &resp);
    save(job->result, rc, &resp);
    if (rc == -ECANCELED)
        return rc;
    return 0;
}

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    for (size_t i = 0; i < n; i++) {
        struct co_response resp;
        int rc = http_get_blocking(urls[i], &resp);
        save(&out[i], rc, &resp);
    }
    return 0;
}

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    if (n == 0)
        return 0;
    struct fetch_job jobs[n];
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
    struct fetch_result *results = malloc((n + 1) * sizeof(*results));
    if (!results)
        return -ENOMEM;

    report->n = n;
    int64_t start = co_now();
    int rc = fetch_sync(urls, n, results);
    report->sync_ns = co_now() - start;

    start = co_now();
    if (rc == 0)
        rc = fetch_async(urls, n, results);
    report->async_ns = co_now() - start;

    report->speedup = 1.0;
    if (report->async_ns > 0)
        report->speedup = report->sync_ns / report->async_ns;

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
