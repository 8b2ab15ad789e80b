/* compare.c with gather, like asyncio.gather(*tasks) */
#include "compare.h"
#include <stdlib.h>

struct fetch {
    const char *url;
    struct fetch_result result;
};

static int fetch(void *arg)
{
    struct fetch *self = arg;
    struct co_response resp;

    self->result.error = co_http_get(self->url, &resp);
    if (self->result.error)
        return self->result.error;
    self->result.status = resp.status;
    self->result.length = resp.length;
    co_response_free(&resp);
    return 0;
}

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    for (size_t i = 0; i < n; i++) {
        struct co_response resp;
        out[i].error = http_get_blocking(urls[i], &resp);
        out[i].status = resp.status;
        out[i].length = resp.length;
        co_response_free(&resp);
    }
    return 0;
}

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    struct fetch *all = calloc(n + 1, sizeof *all);
    if (!all)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        all[i].url = urls[i];

    int rc = co_gather(fetch, all, n, sizeof *all, NULL);

    for (size_t i = 0; i < n; i++)
        out[i] = all[i].result;
    free(all);
    return rc == -ECANCELED ? rc : 0;
}

int compare(const char *const urls[], size_t n, struct comparison *report)
{
    struct fetch_result *results = calloc(n + 1, sizeof *results);
    if (!results)
        return -ENOMEM;

    int64_t begin = co_now();
    int rc = fetch_sync(urls, n, results);
    int64_t middle = co_now();
    if (!rc)
        rc = fetch_async(urls, n, results);
    int64_t end = co_now();
    free(results);

    report->n = n;
    report->sync_ns = middle - begin;
    report->async_ns = end - middle;
    report->speedup = end == middle ? 1.0 : (double)report->sync_ns / (double)report->async_ns;
    return rc;
}

enum bound explain(const struct comparison *report)
{
    if (report->n < 2)
        return BOUND_UNKNOWN;
    return report->speedup < 1.5 ? BOUND_CPU : BOUND_IO;
}
