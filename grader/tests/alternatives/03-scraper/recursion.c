/* Correct, by recursion: a task for each half, down to single pages; the listener is called back by co_on_done. Arrays on the stack only. */
#include "scraper.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SPACE " \t\n\r\f"

static int is_in(char c, const char *set)
{
    return c && strchr(set, c) != NULL;
}

static int here(const char *p, const char *end, const char *word)
{
    return end - p >= (long)strlen(word) && !strncasecmp(p, word, strlen(word));
}

static const char *past(const char *p, const char *end, const char *word)
{
    for (; p < end; p++)
        if (here(p, end, word))
            return p + strlen(word);
    return NULL;
}

static int opens(const char *p, const char *end, const char *tag)
{
    return here(p, end, tag) && p + strlen(tag) < end && is_in(p[strlen(tag)], ">/" SPACE);
}

static void put(char *title, size_t *n, char c)
{
    if (*n < TITLE_MAX - 1)
        title[(*n)++] = c;
}

static void read_title(const char *p, const char *end, char *title)
{
    const char *from = NULL, *to;
    while (p && p < end && !from) {
        if (here(p, end, "<!--"))
            p = past(p + 4, end, "-->");
        else if (opens(p, end, "<script"))
            p = past(p, end, "</script");
        else if (opens(p, end, "<title"))
            from = past(p, end, ">");
        else
            p++;
        if (from == NULL && p && opens(p, end, "<title") && !past(p, end, ">"))
            return;
    }
    if (!from || !(to = past(from, end, "</title")))
        return;
    to -= strlen("</title");
    size_t n = 0;
    int words = 0;
    while (from < to) {
        if (is_in(*from, SPACE)) {
            from++;
            continue;
        }
        if (words++)
            put(title, &n, ' ');
        while (from < to && !is_in(*from, SPACE)) {
            static const char *const names[] = {"&amp;&", "&lt;<", "&gt;>", "&quot;\"", "&#39;'"};
            size_t i, size = 0;
            for (i = 0; i < 5; i++) {
                size = strlen(names[i]) - 1;
                if ((size_t)(to - from) >= size && !memcmp(from, names[i], size))
                    break;
            }
            put(title, &n, i < 5 ? names[i][size] : *from);
            from += i < 5 ? size : 1;
        }
    }
    title[n] = '\0';
}

int scrape_page(const char *url, int64_t timeout, struct page *out)
{
    struct co_timeout limit;
    out->url = url;
    out->status = 0;
    out->title[0] = '\0';
    out->took = -co_now();

    struct co_response resp = {0};
    co_timeout_begin(&limit, timeout);
    out->error = co_timeout_end(&limit, co_http_request(&(struct co_request){.url = url}, &resp));
    if (!out->error) {
        out->status = resp.status;
        if (resp.status < 400)
            read_title(resp.body, resp.body + resp.length, out->title);
    }
    co_response_free(&resp);
    out->took += co_now();
    return out->error == -ECANCELED ? -ECANCELED : 0;
}

struct span {
    const char *const *urls;
    struct page *out;
    size_t n;
    int64_t timeout;
    const struct listener *listener;
    struct summary *summary;
};

static void is_done(co_task *task, void *arg)
{
    const struct span *span = arg;
    const struct page *page = span->out;
    if (co_result(task) < 0)
        return;
    if (page->error < 0 || page->status >= 400) {
        char cause[40] = "HTTP ";
        sprintf(cause + 5, "%d", page->status);
        span->summary->failed++;
        span->listener->log(span->listener->arg, page->url, page->error < 0 ? co_strerror(page->error) : cause);
    } else {
        span->summary->successful++;
    }
    span->listener->progress(span->listener->arg, page, span->summary->successful + span->summary->failed, span->summary->total);
}

static int scrape_span(void *arg)
{
    struct span *all = arg;
    if (all->n == 0)
        return 0;
    if (all->n == 1) {
        int rc = co_on_done(co_current(), is_done, all);
        return rc < 0 ? rc : scrape_page(all->urls[0], all->timeout, all->out);
    }
    struct span left = *all, right = *all;
    left.n = all->n / 2;
    right.n = all->n - left.n;
    right.urls += left.n;
    right.out += left.n;
    CO_GROUP(halves);
    co_spawn(&halves, scrape_span, &left);
    co_spawn(&halves, scrape_span, &right);
    return co_join(&halves);
}

int scrape_all(const char *const urls[], size_t n, int64_t timeout, const struct listener *listener, struct page out[],
               struct summary *summary)
{
    int64_t start = co_now();
    summary->total = n;
    summary->successful = summary->failed = 0;
    for (size_t i = 0; i < n; i++)
        out[i] = (struct page){.url = urls[i], .error = -ECANCELED};
    struct span all = {urls, out, n, timeout, listener, summary};
    int rc;
    {
        CO_GROUP(group);
        co_spawn(&group, scrape_span, &all);
        rc = co_join(&group);
    }
    summary->total_time = co_now() - start;
    return rc;
}
