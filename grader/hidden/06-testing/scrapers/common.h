/* common.h - what the scrapers share: titles, telling, and fetching one page within a timeout. */
#ifndef COMMON_H
#define COMMON_H

#include "faults.h"
#include "scraper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHARED static __attribute__((unused))

/* ---- What a page says ------------------------------------------------------------------------- */

SHARED bool has_failed(const struct page *page)
{
    if (IS(server_errors_pass))
        return page->error != 0 || (page->status >= 400 && page->status < 500);
    if (IS(status_400_passes))
        return page->error != 0 || page->status > 400;
    return page->error != 0 || page->status >= 400;
}

SHARED const char *find(const char *at, const char *end, const char *word)
{
    for (size_t length = strlen(word); (size_t)(end - at) >= length; at++)
        if (memcmp(at, word, length) == 0)
            return at;
    return NULL;
}

SHARED void find_title(const char *body, size_t length, char title[TITLE_MAX])
{
    const char *end = body + length;
    const char *from = length > 0 ? find(body, end, "<title>") : NULL;
    const char *to = from ? find(from, end, "</title>") : NULL;
    if (!to)
        return;
    from += strlen("<title>");
    size_t n = (size_t)(to - from) < TITLE_MAX - 1 ? (size_t)(to - from) : TITLE_MAX - 1;
    memcpy(title, from, n);
    title[n] = '\0';
}

/* Writes down what became of a request that is over. */
SHARED void take(struct page *out, int rc, int status, const char *body, size_t length)
{
    if (IS(errors_all_alike) && rc < 0 && rc != -ECANCELED)
        rc = -ETIMEDOUT;
    out->error = rc;
    out->status = rc == 0 ? status : 0;
    if (rc == 0 && (!has_failed(out) || IS(title_of_failed_page)))
        find_title(body, length, out->title);
}

/* ---- Fetching one page ------------------------------------------------------------------------ */

SHARED int get(const char *url, struct co_response *resp)
{
    struct co_request request = {.url = url, .max_redirects = IS(redirects_not_followed) ? -1 : 0};
    int rc = co_http_request(&request, resp);
    if (IS(second_try) && rc < 0 && rc != -ECANCELED)
        rc = co_http_request(&request, resp);
    return rc;
}

/* Piece by piece, with a limit on each. */
SHARED int read_pieces(const char *url, int64_t timeout, int *status, char **body, size_t *length)
{
    struct co_timeout limit;
    CO_STREAM(stream);
    co_timeout_begin(&limit, timeout);
    int rc = co_timeout_end(&limit, co_stream_open(&(struct co_request){.url = url}, &stream));
    for (*body = NULL, *length = 0; rc >= 0;) {
        char *more = realloc(*body, *length + 4096);
        if (!more)
            return -ENOMEM;
        *body = more;
        co_timeout_begin(&limit, timeout);
        rc = co_timeout_end(&limit, co_stream_read(&stream, *body + *length, 4096));
        if (rc == 0)
            break;
        *length += rc > 0 ? (size_t)rc : 0;
    }
    *status = stream.status;
    return rc;
}

/* All of a page, the limit on the whole. */
SHARED int fetch_page(const char *url, int64_t timeout, struct page *out)
{
    int64_t start = co_now();
    struct co_timeout limit;
    out->url = url;
    if (IS(timeout_per_read)) {
        char *body;
        size_t length;
        int status, rc = read_pieces(url, timeout, &status, &body, &length);
        take(out, rc, status, body, length);
        free(body);
    } else {
        CO_RESPONSE(resp);
        co_timeout_begin(&limit, timeout);
        int rc = co_timeout_end(&limit, get(url, &resp));
        take(out, rc, resp.status, resp.body, resp.length);
    }
    out->took = co_now() - start;
    return out->error == -ECANCELED ? -ECANCELED : 0;
}

/* ---- Telling ------------------------------------------------------------------------------------ */

SHARED void count(struct summary *summary, const struct page *page)
{
    if (has_failed(page))
        summary->failed++;
    else
        summary->successful++;
}

SHARED void tell_progress(const struct listener *listener, const struct page *page, size_t done, size_t total)
{
    if (listener && listener->progress)
        listener->progress(listener->arg, page, done, total);
}

/* how: the words for a status, with a %d in them. */
SHARED void tell_log(const struct listener *listener, const struct page *page, const char *how, const char *no_answer)
{
    char cause[128];
    if (!has_failed(page) || !listener || !listener->log || (IS(timeouts_not_logged) && page->error == -ETIMEDOUT))
        return;
    if (page->error)
        snprintf(cause, sizeof cause, "%s%s", no_answer, co_strerror(page->error));
    else
        snprintf(cause, sizeof cause, how, page->status);
    listener->log(listener->arg, page->url, cause);
}

#endif
