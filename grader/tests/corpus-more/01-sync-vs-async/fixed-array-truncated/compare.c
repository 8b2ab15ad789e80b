/* LAB 01 */
#include "compare.h"
#include <stdlib.h>

enum { MAX_TASKS = 100 };

static size_t min_size(size_t a, size_t b) { return a < b ? a : b; }

struct fetch_job { const char *url; struct fetch_result *where; };

static int fetch_one(void *arg)
{
    struct fetch_job *job = arg;
    struct co_response resp;
    int rc = co_http_get(job->url, &resp);
    if (rc == -ECANCELED)
        return rc;
    *job->where = (struct fetch_result){ rc, resp.status, resp.length };
    co_response_free(&resp);
    return 0;
}

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    for (size_t i = 0; i < n; i++) {
        struct co_response resp;
        int rc = http_get_blocking(urls[i], &resp);
        out[i] = (struct fetch_result){ rc, resp.status, resp.length };
        co_response_free(&resp);
    }
    return 0;
}

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    struct fetch_job jobs[MAX_TASKS];
    n = min_size(n, MAX_TASKS);

    CO_GROUP(group);
    for (size_t i = 0; i < n; i++) {
        jobs[i].url = urls[i];
        jobs[i].where = &out[i];
        co_spawn(&group, fetch_one, &jobs[i]);
    }
    return co_join(&group);
}

int compare(const char *const urls[], size_t n, struct comparison *report)
{
    struct fetch_result *out = malloc((n + 1) * sizeof *out);
    if (!out)
        return -ENOMEM;
    int64_t start = co_now();
    int rc = fetch_sync(urls, n, out);
    int64_t middle = co_now();
    if (rc == 0)
        rc = fetch_async(urls, n, out);
    int64_t end = co_now();
    free(out);
    report->n = n;
    report->sync_ns = middle - start;
    report->async_ns = end - middle;
    report->speedup = end == middle ? 1.0 : (double)(middle - start) / (double)(end - middle);
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
