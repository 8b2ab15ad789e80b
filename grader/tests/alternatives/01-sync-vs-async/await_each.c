/* Correct, by co_await: all are started first; then each is awaited in turn. Arrays on the stack, few functions. */
#include "compare.h"

struct job {
    const char *url;
    struct fetch_result result;
};

static int fetch(void *p)
{
    struct job *job = p;
    struct co_response resp;
    job->result.error = co_http_get(job->url, &resp);
    job->result.status = resp.status;
    job->result.length = resp.length;
    co_response_free(&resp);
    return 0;
}

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    struct co_response resp;
    for (size_t i = 0; i < n; i++) {
        out[i].error = http_get_blocking(urls[i], &resp);
        out[i].status = out[i].error ? 0 : resp.status;
        out[i].length = out[i].error ? 0 : resp.length;
        co_response_free(&resp);
    }
    return 0;
}

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    struct job jobs[n + 1];
    co_task *tasks[n + 1];
    CO_GROUP(group);
    for (size_t i = 0; i < n; i++) {
        jobs[i].url = urls[i];
        tasks[i] = co_spawn(&group, fetch, &jobs[i]);
    }
    for (size_t i = 0; i < n; i++) {
        int rc = co_await(tasks[i], NULL);
        if (rc < 0) {
            for (size_t k = i; k < n; k++)
                co_cancel(tasks[k]);
            return rc;
        }
        out[i] = jobs[i].result;
    }
    return 0;
}

int compare(const char *const urls[], size_t n, struct comparison *report)
{
    struct fetch_result out[n + 1];
    report->n = n;

    report->sync_ns = -co_now();
    int rc = fetch_sync(urls, n, out);
    report->sync_ns += co_now();
    if (rc)
        return rc;

    report->async_ns = -co_now();
    rc = fetch_async(urls, n, out);
    report->async_ns += co_now();

    if (report->async_ns == 0)
        report->speedup = 1.0;
    else
        report->speedup = (double)report->sync_ns / (double)report->async_ns;
    return rc;
}

enum bound explain(const struct comparison *report)
{
    enum bound bound = BOUND_IO;
    if (report->speedup < 1.5)
        bound = BOUND_CPU;
    if (report->n < 2)
        bound = BOUND_UNKNOWN;
    return bound;
}
