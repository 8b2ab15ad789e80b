/* Lab 01. The tasks get the number of their URL as job. */
#include "compare.h"
#include <stdlib.h>

static const char *const *all_urls;
static struct fetch_result *all_out;

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    struct co_response resp;
    for (size_t i = 0; i < n; i++) {
        out[i].error = http_get_blocking(urls[i], &resp);
        out[i].status = resp.status;
        out[i].length = resp.length;
        co_response_free(&resp);
    }
    return 0;
}

static int fetch_number(void *job)
{
    size_t i = *(size_t *)job;
    struct co_response resp;
    int rc = co_http_get(all_urls[i], &resp);
    if (rc == -ECANCELED)
        return rc;
    all_out[i].error = rc;
    all_out[i].status = resp.status;
    all_out[i].length = resp.length;
    co_response_free(&resp);
    return 0;
}

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    all_urls = urls;
    all_out = out;

    CO_GROUP(group);
    for (size_t i = 0; i < n; i++)
        co_spawn(&group, fetch_number, &i);
    return co_join(&group);
}

int compare(const char *const urls[], size_t n, struct comparison *report)
{
    struct fetch_result *out = malloc((n + 1) * sizeof *out);
    if (!out)
        return -ENOMEM;
    int64_t t0 = co_now();
    int rc = fetch_sync(urls, n, out);
    int64_t t1 = co_now();
    if (!rc)
        rc = fetch_async(urls, n, out);
    int64_t t2 = co_now();
    free(out);
    report->n = n;
    report->sync_ns = t1 - t0;
    report->async_ns = t2 - t1;
    report->speedup = 1.0;
    if (t2 != t1)
        report->speedup = (double)(t1 - t0) / (double)(t2 - t1);
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
