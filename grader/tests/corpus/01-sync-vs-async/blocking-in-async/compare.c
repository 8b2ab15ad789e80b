/* compare.c
 * Lab 01, group 7
 */
#include "compare.h"
#include <stdlib.h>

/* one fetch, the same for both halves */
static void get_page(const char *url, struct fetch_result *result)
{
    struct co_response response;
    int rc = http_get_blocking(url, &response);
    result->error = rc;
    result->status = response.status;
    result->length = response.length;
    co_response_free(&response);
}

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    for (size_t i = 0; i < n; i++)
        get_page(urls[i], &out[i]);
    return 0;
}

struct fetch_job {
    const char *url;
    struct fetch_result *result;
};

static int get_page_task(void *arg)
{
    struct fetch_job *job = arg;
    get_page(job->url, job->result);
    return 0;
}

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    struct fetch_job *jobs = malloc((n + 1) * sizeof(struct fetch_job));
    if (jobs == NULL)
        return -ENOMEM;
    CO_GROUP(tasks);
    for (size_t i = 0; i < n; i++) {
        jobs[i].url = urls[i];
        jobs[i].result = &out[i];
        co_spawn(&tasks, get_page_task, &jobs[i]);
    }
    int rc = co_join(&tasks);
    free(jobs);
    return rc;
}

int compare(const char *const urls[], size_t n, struct comparison *report)
{
    struct fetch_result *results = malloc((n + 1) * sizeof(struct fetch_result));
    if (results == NULL)
        return -ENOMEM;
    int64_t before = co_now();
    int rc = fetch_sync(urls, n, results);
    int64_t between = co_now();
    if (rc == 0)
        rc = fetch_async(urls, n, results);
    int64_t after = co_now();
    free(results);
    report->n = n;
    report->sync_ns = between - before;
    report->async_ns = after - between;
    report->speedup = 1.0;
    if (report->async_ns > 0)
        report->speedup = (double)report->sync_ns / (double)report->async_ns;
    return rc;
}

enum bound explain(const struct comparison *report)
{
    if (report->n < 2)
        return BOUND_UNKNOWN;
    else if (report->speedup < 1.5)
        return BOUND_CPU;
    return BOUND_IO;
}
