/* Correct, by co_gather: the tasks return what co_http_get returned, and the results are collected from rcs. */
#include "compare.h"

#include <stdlib.h>

struct page {
    const char *url;
    int status;
    size_t length;
};

static int get(void *job)
{
    struct page *page = job;
    struct co_response resp;
    int rc = co_http_get(page->url, &resp);
    if (rc < 0)
        return rc;
    page->status = resp.status;
    page->length = resp.length;
    co_response_free(&resp);
    return 0;
}

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    size_t i = 0;
    while (i < n) {
        struct co_response resp;
        int rc = http_get_blocking(urls[i], &resp);
        if (rc < 0) {
            out[i++] = (struct fetch_result){.error = rc};
            continue;
        }
        out[i++] = (struct fetch_result){0, resp.status, resp.length};
        co_response_free(&resp);
    }
    return 0;
}

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    struct page *pages = calloc(n ? n : 1, sizeof *pages);
    int *rcs = calloc(n ? n : 1, sizeof *rcs);
    int rc = -ENOMEM;
    if (pages && rcs) {
        for (size_t i = 0; i < n; i++)
            pages[i].url = urls[i];
        rc = co_gather(get, pages, n, sizeof *pages, rcs);
        for (size_t i = 0; i < n; i++)
            out[i] = (struct fetch_result){rcs[i], pages[i].status, pages[i].length};
    }
    free(pages);
    free(rcs);
    return rc;
}

static int measure(int (*fetch)(const char *const[], size_t, struct fetch_result[]), const char *const urls[], size_t n,
                   int64_t *ns)
{
    struct fetch_result *out = calloc(n ? n : 1, sizeof *out);
    if (!out)
        return -ENOMEM;
    int64_t before = co_now();
    int rc = fetch(urls, n, out);
    *ns = co_now() - before;
    free(out);
    return rc;
}

int compare(const char *const urls[], size_t n, struct comparison *report)
{
    report->n = n;
    int rc = measure(fetch_sync, urls, n, &report->sync_ns);
    if (rc == 0)
        rc = measure(fetch_async, urls, n, &report->async_ns);
    if (rc == 0)
        report->speedup = report->async_ns ? 1.0 * report->sync_ns / report->async_ns : 1.0;
    return rc;
}

enum bound explain(const struct comparison *report)
{
    return report->n < 2 ? BOUND_UNKNOWN : report->speedup >= 1.5 ? BOUND_IO : BOUND_CPU;
}
