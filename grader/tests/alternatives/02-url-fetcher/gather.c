/* Correct, by co_gather: the tasks return what the fetch returned, and errors are read from rcs; the jobs hold their own results,
 * which are copied to out as they come. */
#include "fetcher.h"

#include <stdlib.h>

struct page {
    struct co_session *session;
    const char *url;
    struct fetch_result *out;
    size_t *done;
    size_t n;
    fetch_progress *tell;
    void *arg;
};

int fetch_url(struct co_session *session, const char *url, struct fetch_result *out)
{
    struct co_response resp;
    out->url = url;
    out->status = 0;
    out->length = 0;
    out->error = co_session_get(session, url, &resp);
    if (out->error == -ECANCELED)
        return -ECANCELED;
    if (out->error == 0) {
        out->status = resp.status;
        out->length = resp.length;
        co_response_free(&resp);
    }
    return 0;
}

static int get(void *job)
{
    struct page *page = job;
    struct fetch_result result;
    int rc = fetch_url(page->session, page->url, &result);
    if (rc == 0) {
        *page->out = result;
        ++*page->done;
        if (page->tell != NULL)
            page->tell(page->out, *page->done, page->n, page->arg);
    }
    return result.error;
}

int fetch_all(const char *const urls[], size_t n, uint32_t per_host, struct fetch_result out[],
              fetch_progress *on_progress, void *arg)
{
    CO_SESSION(session, per_host);
    size_t done = 0;
    struct page *pages = calloc(n ? n : 1, sizeof *pages);
    int *rcs = calloc(n ? n : 1, sizeof *rcs);
    int rc = -ENOMEM;
    if (pages && rcs) {
        for (size_t i = 0; i < n; i++)
            pages[i] = (struct page){&session, urls[i], &out[i], &done, n, on_progress, arg};
        rc = co_gather(get, pages, n, sizeof *pages, rcs);
    }
    free(pages);
    free(rcs);
    return rc;
}
