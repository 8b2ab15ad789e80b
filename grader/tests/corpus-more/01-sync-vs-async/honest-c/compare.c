/* Lab 1. Mostly what I would write with aiohttp:
 *
 *   async def fetch(job): ...
 *   results = await asyncio.gather(*map(fetch, jobs), return_exceptions=True)
 */
#include "compare.h"

#include <stdlib.h>

typedef struct {
    const char *url;
    int status;
    size_t length;
} job_t;

/* "raises" by returning the error; gather collects it */
static int fetch(void *p)
{
    job_t *job = p;
    struct co_response response;

    int rc = co_http_get(job->url, &response);
    if (rc < 0)
        return rc;
    job->status = response.status;
    job->length = response.length;
    co_response_free(&response);
    return 0;
}

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    for (size_t i = 0; i < n; i++) {
        struct co_response response;
        int rc = http_get_blocking(urls[i], &response);

        out[i] = (struct fetch_result){ .error = rc };
        if (rc == 0) {
            out[i].status = response.status;
            out[i].length = response.length;
            co_response_free(&response);
        }
    }
    return 0;
}

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    job_t *jobs = calloc(n + 1, sizeof *jobs);
    int *rcs = calloc(n + 1, sizeof *rcs);
    int rc = -ENOMEM;

    if (jobs && rcs) {
        for (size_t i = 0; i < n; i++)
            jobs[i].url = urls[i];

        rc = co_gather(fetch, jobs, n, sizeof jobs[0], rcs);

        for (size_t i = 0; i < n; i++) {
            out[i].error = rcs[i];
            out[i].status = jobs[i].status;
            out[i].length = jobs[i].length;
        }
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

    int64_t start = co_now();
    int rc = fetch_sync(urls, n, results);
    int64_t middle = co_now();
    if (rc == 0)
        rc = fetch_async(urls, n, results);
    int64_t end = co_now();
    free(results);

    *report = (struct comparison){
        .n = n,
        .sync_ns = middle - start,
        .async_ns = end - middle,
        .speedup = 1.0,
    };
    if (report->async_ns != 0)
        report->speedup = (double)report->sync_ns / (double)report->async_ns;
    return rc;
}

enum bound explain(const struct comparison *report)
{
    if (report->n < 2)
        return BOUND_UNKNOWN;
    else if (report->speedup < 1.5)
        return BOUND_CPU;
    else
        return BOUND_IO;
}
