/* Correct, by recursion: the first URL and then the rest; the first half and at the same time the second half. */
#include "compare.h"

#include <stdlib.h>

static struct fetch_result result(int rc, struct co_response *resp)
{
    struct fetch_result r = {.error = rc, .status = resp->status, .length = resp->length};
    co_response_free(resp);
    return r;
}

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    if (n == 0)
        return 0;
    struct co_response resp;
    int rc = http_get_blocking(urls[0], &resp);
    out[0] = result(rc, &resp);
    return fetch_sync(urls + 1, n - 1, out + 1);
}

struct span {
    const char *const *urls;
    struct fetch_result *out;
    size_t n;
};

static int fetch_span(void *arg)
{
    const struct span *span = arg;
    if (span->n == 0)
        return 0;
    if (span->n == 1) {
        struct co_response resp;
        int rc = co_http_get(span->urls[0], &resp);
        span->out[0] = result(rc, &resp);
        return rc == -ECANCELED ? rc : 0;
    }
    size_t half = span->n / 2;
    struct span left = {span->urls, span->out, half};
    struct span right = {span->urls + half, span->out + half, span->n - half};
    CO_GROUP(halves);
    co_spawn(&halves, fetch_span, &left);
    co_spawn(&halves, fetch_span, &right);
    return co_join(&halves);
}

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    struct span all = {urls, out, n};
    return fetch_span(&all);
}

int compare(const char *const urls[], size_t n, struct comparison *report)
{
    struct fetch_result results[n + 1];
    int64_t start = co_now();
    int rc = fetch_sync(urls, n, results);
    if (rc < 0)
        return rc;
    int64_t middle = co_now();
    rc = fetch_async(urls, n, results);
    if (rc < 0)
        return rc;
    report->n = n;
    report->sync_ns = middle - start;
    report->async_ns = co_now() - middle;
    report->speedup = 1.0;
    if (report->async_ns != 0)
        report->speedup = report->sync_ns / (double)report->async_ns;
    return 0;
}

enum bound explain(const struct comparison *report)
{
    switch (report->n) {
    case 0:
    case 1:
        return BOUND_UNKNOWN;
    default:
        return report->speedup < 1.5 ? BOUND_CPU : BOUND_IO;
    }
}
