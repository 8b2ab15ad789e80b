/* Lab 01 - compare.c */
#include "compare.h"
#include <stdlib.h>

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    size_t i;

    for (i = 0; i < n; i++) {
        struct co_response r;
        int rc = http_get_blocking(urls[i], &r);
        if (rc != 0) {
            out[i].error = rc;
            out[i].status = 0;
            out[i].length = 0;
        } else {
            out[i].error = 0;
            out[i].status = r.status;
            out[i].length = r.length;
            co_response_free(&r);
        }
    }
    return 0;
}

struct job {
    const char *url;
    struct fetch_result res;
};

static int download(void *arg)
{
    struct job *job = arg;
    struct co_response r;
    int rc = co_http_get(job->url, &r);

    if (rc == -ECANCELED)
        return rc;
    job->res.error = rc;
    job->res.status = rc == 0 ? r.status : 0;
    job->res.length = rc == 0 ? r.length : 0;
    co_response_free(&r);
    return 0;
}

/* every download is a task of its own now */
int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    CO_GROUP(group);
    int rc = 0;
    size_t i;

    for (i = 0; i < n; i++) {
        struct job job = { .url = urls[i] };
        co_task *task = co_spawn(&group, download, &job);
        int task_rc;

        rc = co_await(task, &task_rc);
        if (rc < 0) {
            co_cancel(task);
            return co_join(&group);
        }
        out[i] = job.res;
    }
    return rc;
}

int compare(const char *const urls[], size_t n, struct comparison *report)
{
    struct fetch_result *res = malloc(sizeof(*res) * (n + 1));
    int64_t start;
    int rc;

    if (res == NULL)
        return -ENOMEM;
    report->n = n;

    start = co_now();
    rc = fetch_sync(urls, n, res);
    report->sync_ns = co_now() - start;

    if (rc == 0) {
        start = co_now();
        rc = fetch_async(urls, n, res);
        report->async_ns = co_now() - start;
        if (report->async_ns == 0)
            report->speedup = 1.0;
        else
            report->speedup = (double)report->sync_ns / (double)report->async_ns;
    }
    free(res);
    return rc;
}

enum bound explain(const struct comparison *report)
{
    if (report->n < 2) return BOUND_UNKNOWN;
    if (report->speedup < 1.5) return BOUND_CPU;
    return BOUND_IO;
}
