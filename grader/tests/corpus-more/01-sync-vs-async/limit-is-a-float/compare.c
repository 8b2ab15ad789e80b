#include "compare.h"

#include <stdlib.h>

typedef int get_fn(const char *url, struct co_response *resp);

static int fetch_into(get_fn *get, const char *url, struct fetch_result *out)
{
    struct co_response resp;
    int rc = get(url, &resp);
    out->error = rc;
    out->status = resp.status;
    out->length = resp.length;
    co_response_free(&resp);
    return rc == -ECANCELED ? rc : 0;
}

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    while (n-- > 0)
        fetch_into(http_get_blocking, *urls++, out++);
    return 0;
}

struct fetch_job {
    const char *url;
    struct fetch_result *out;
    co_task *task;
};

static int fetch_one(void *arg)
{
    struct fetch_job *job = arg;
    return fetch_into(co_http_get, job->url, job->out);
}

static int fetch_jobs(struct fetch_job jobs[], size_t n)
{
    CO_GROUP(group);
    int rc = 0;
    for (size_t i = 0; i < n; i++)
        jobs[i].task = co_spawn(&group, fetch_one, &jobs[i]);
    for (size_t i = n; rc == 0 && i-- > 0;)
        rc = co_await(jobs[i].task, NULL);
    if (rc < 0)
        co_group_cancel(&group);
    int rest = co_join(&group);
    return rc < 0 ? rc : rest;
}

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    struct fetch_job *jobs = malloc((n + 1) * sizeof *jobs);
    if (!jobs)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        jobs[i].url = urls[i];
        jobs[i].out = &out[i];
    }
    int rc = fetch_jobs(jobs, n);
    free(jobs);
    return rc;
}

typedef int half(const char *const urls[], size_t n, struct fetch_result out[]);

static int measure(half *half, const char *const urls[], size_t n, struct fetch_result out[], int64_t *ns)
{
    int64_t start = co_now();
    int rc = half(urls, n, out);
    *ns = co_now() - start;
    return rc;
}

int compare(const char *const urls[], size_t n, struct comparison *report)
{
    struct fetch_result *out = malloc((n + 1) * sizeof *out);
    if (!out)
        return -ENOMEM;
    report->n = n;
    int rc = measure(fetch_sync, urls, n, out, &report->sync_ns);
    if (rc == 0)
        rc = measure(fetch_async, urls, n, out, &report->async_ns);
    free(out);
    if (rc == 0)
        report->speedup = report->async_ns ? (double)report->sync_ns / (double)report->async_ns : 1.0;
    return rc;
}

enum bound explain(const struct comparison *report)
{
    float speedup = (float)report->speedup;
    if (report->n < 2)
        return BOUND_UNKNOWN;
    return speedup < 1.5f ? BOUND_CPU : BOUND_IO;
}
