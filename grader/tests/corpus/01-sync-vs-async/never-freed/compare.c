/* compare.c, lab 01 */
#include "compare.h"
#include <stdlib.h>

static struct fetch_result result_of(int rc, struct co_response resp)
{
    struct fetch_result result = { rc, resp.status, resp.length };
    return result;
}

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    for (size_t i = 0; i < n; i++) {
        struct co_response resp;                /* on the stack */
        int rc = http_get_blocking(urls[i], &resp);
        out[i] = result_of(rc, resp);
    }
    return 0;
}

struct job {
    const char *url;
    struct fetch_result *result;
};

static int fetch_task(void *arg)
{
    struct job *job = arg;
    struct co_response resp;
    int rc = co_http_get(job->url, &resp);
    *job->result = result_of(rc, resp);
    return rc == -ECANCELED ? rc : 0;
}

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    struct job *jobs = malloc((n + 1) * sizeof(struct job));
    if (!jobs)
        return -ENOMEM;
    CO_GROUP(group);
    for (size_t i = 0; i < n; i++) {
        jobs[i].url = urls[i];
        jobs[i].result = &out[i];
        co_spawn(&group, fetch_task, &jobs[i]);
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
    report->speedup = t2 == t1 ? 1.0 : (double)(t1 - t0) / (double)(t2 - t1);
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
