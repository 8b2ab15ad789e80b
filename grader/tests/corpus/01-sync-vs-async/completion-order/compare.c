/* lab 1 */
#include "compare.h"
#include <stdlib.h>

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    for (size_t i = 0; i < n; i++)
    {
        struct co_response resp;
        int rc = http_get_blocking(urls[i], &resp);
        out[i].error = rc;
        if (rc == 0)
        {
            out[i].status = resp.status;
            out[i].length = resp.length;
            co_response_free(&resp);
        }
        else
        {
            out[i].status = 0;
            out[i].length = 0;
        }
    }
    return 0;
}

struct fetch_job
{
    const char *url;
    struct fetch_result result;
};

static int fetch_one(void *arg)
{
    struct fetch_job *job = arg;
    struct co_response resp;
    int rc = co_http_get(job->url, &resp);
    if (rc == -ECANCELED)
        return rc;
    job->result.error = rc;
    if (rc == 0)
    {
        job->result.status = resp.status;
        job->result.length = resp.length;
        co_response_free(&resp);
    }
    return 0;
}

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    struct fetch_job *jobs = calloc(n + 1, sizeof(struct fetch_job));
    if (!jobs)
        return -ENOMEM;

    CO_GROUP(g);
    for (size_t i = 0; i < n; i++)
    {
        jobs[i].url = urls[i];
        co_spawn(&g, fetch_one, &jobs[i]);
    }

    /* collect them */
    co_task *task;
    size_t k = 0;
    int rc;
    while ((rc = co_next_done(&g, &task)) == 1)
    {
        struct fetch_job *job = co_job(task);
        out[k++] = job->result;
    }
    if (rc < 0)
        rc = co_join(&g);       /* cancelled: end the tasks, too */
    free(jobs);
    return rc;
}

int compare(const char *const urls[], size_t n, struct comparison *report)
{
    struct fetch_result *out = calloc(n + 1, sizeof(struct fetch_result));
    if (!out)
        return -ENOMEM;
    int64_t t0 = co_now();
    int rc = fetch_sync(urls, n, out);
    int64_t t1 = co_now();
    if (rc == 0)
        rc = fetch_async(urls, n, out);
    int64_t t2 = co_now();
    report->n = n;
    report->sync_ns = t1 - t0;
    report->async_ns = t2 - t1;
    if (report->async_ns)
        report->speedup = (double)report->sync_ns / (double)report->async_ns;
    else
        report->speedup = 1.0;
    free(out);
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
