#include "compare.h"

#include <stdlib.h>

/* when the clock was started */
static int64_t started;

struct page {
    const char *url;
    struct fetch_result *to;
};

static void put(struct fetch_result *to, int rc, struct co_response *resp)
{
    to->error = rc;
    to->status = resp->status;
    to->length = resp->length;
    co_response_free(resp);
}

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    started = co_now();
    for (size_t i = 0; i < n; i++) {
        struct co_response resp;
        started = co_now();
        int rc = http_get_blocking(urls[i], &resp);
        put(&out[i], rc, &resp);
    }
    return 0;
}

static int fetch_page(void *job)
{
    struct page *page = job;
    struct co_response resp;
    int rc = co_http_get(page->url, &resp);
    put(page->to, rc, &resp);
    return rc == -ECANCELED ? -ECANCELED : 0;
}

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    struct page *pages = malloc((n + 1) * sizeof pages[0]);
    if (!pages)
        return -ENOMEM;

    CO_GROUP(group);
    started = co_now();
    for (size_t i = 0; i < n; i++) {
        pages[i].url = urls[i];
        pages[i].to = &out[i];
        co_spawn(&group, fetch_page, &pages[i]);
    }
    int rc = co_join(&group);
    free(pages);
    return rc;
}

int compare(const char *const urls[], size_t n, struct comparison *report)
{
    struct fetch_result *out = malloc((n + 1) * sizeof out[0]);
    if (!out)
        return -ENOMEM;

    report->n = n;
    int rc = fetch_sync(urls, n, out);
    report->sync_ns = co_now() - started;
    if (rc == 0)
        rc = fetch_async(urls, n, out);
    report->async_ns = co_now() - started;

    if (report->async_ns == 0)
        report->speedup = 1.0;
    else
        report->speedup = (double)report->sync_ns / report->async_ns;
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
