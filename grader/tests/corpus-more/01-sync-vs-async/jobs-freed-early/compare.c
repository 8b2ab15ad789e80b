#include "compare.h"
#include <stdlib.h>

struct fetch_job {
    const char *url;
    struct fetch_result *result;
};

static void set(struct fetch_result *result, int error, int status, size_t length)
{
    result->error = error;
    result->status = status;
    result->length = length;
}

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    for (size_t i = 0; i < n; i++) {
        struct co_response resp;
        int rc = http_get_blocking(urls[i], &resp);
        if (rc < 0) {
            set(&out[i], rc, 0, 0);
        } else {
            set(&out[i], 0, resp.status, resp.length);
            co_response_free(&resp);
        }
    }
    return 0;
}

static int fetch_one(void *arg)
{
    struct fetch_job *job = arg;
    struct co_response resp;
    int rc = co_http_get(job->url, &resp);
    if (rc < 0) {
        set(job->result, rc, 0, 0);
    } else {
        set(job->result, 0, resp.status, resp.length);
        co_response_free(&resp);
    }
    return rc == -ECANCELED ? rc : 0;
}

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    CO_GROUP(group);
    for (size_t i = 0; i < n; i++) {
        struct fetch_job *job = malloc(sizeof *job);
        if (!job)
            return -ENOMEM;
        job->url = urls[i];
        job->result = &out[i];
        co_spawn(&group, fetch_one, job);
        free(job);          /* co_spawn has it now */
    }
    return co_join(&group);
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
