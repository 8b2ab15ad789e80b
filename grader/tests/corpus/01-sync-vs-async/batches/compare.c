/* compare.c: never more than ten tasks, to be kind to the server */
#include "compare.h"
#include <stdlib.h>

#define AT_ONCE 10

struct fetch_job {
    const char *url;
    struct fetch_result *result;
};

static void keep(struct fetch_result *result, int rc, struct co_response *resp)
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
    keep(job->result, rc, &resp);
    return rc == -ECANCELED ? rc : 0;
}

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    for (size_t i = 0; i < n; i++) {
        struct co_response resp;
        int rc = http_get_blocking(urls[i], &resp);
        keep(&out[i], rc, &resp);
    }
    return 0;
}

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    struct fetch_job jobs[AT_ONCE];

    for (size_t start = 0; start < n; start += AT_ONCE) {
        CO_GROUP(group);
        for (size_t k = 0; k < AT_ONCE && start + k < n; k++) {
            jobs[k].url = urls[start + k];
            jobs[k].result = &out[start + k];
            co_spawn(&group, fetch_one, &jobs[k]);
        }
        int rc = co_join(&group);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int compare(const char *const urls[], size_t n, struct comparison *report)
{
    struct fetch_result *results = malloc((n + 1) * sizeof *results);
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
