/* Correct, by co_gather: a job is the URL that goes in and the length that comes out. */
#include "STEM.h"

#include <stdlib.h>

struct page {
    const char *url;
    size_t length;
};

static int get(void *arg)
{
    struct page *page = arg;
    struct co_response resp;
    int rc = co_http_get(page->url, &resp);
    page->length = resp.length;
    co_response_free(&resp);
    return rc;
}

int total_length(const char *const urls[], size_t n, size_t *total)
{
    struct page *pages = calloc(n + 1, sizeof *pages);
    int *rcs = calloc(n + 1, sizeof *rcs);
    int rc = -ENOMEM;
    if (pages && rcs) {
        for (size_t i = 0; i < n; i++)
            pages[i].url = urls[i];
        rc = co_gather(get, pages, n, sizeof *pages, rcs);
        *total = 0;
        for (size_t i = 0; i < n; i++)
            *total += pages[i].length;
    }
    free(pages);
    free(rcs);
    return rc;
}
