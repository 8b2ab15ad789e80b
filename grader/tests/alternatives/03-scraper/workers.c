/* Correct, by workers: as many as there are pages, fed by a queue; what is done goes through another queue to the one who tells the
 * listener; the limit is co_wait_for. */
#include "scraper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *skip_to(const char *at, const char *end, const char *word)
{
    size_t n = strlen(word);
    for (; at < end; at++)
        if ((size_t)(end - at) >= n && strncasecmp(at, word, n) == 0)
            return at;
    return end;
}

static bool is_space(int c)
{
    return c == 32 || c == 9 || c == 10 || c == 12 || c == 13;
}

/* Recursion: skip what is no title, and look at the rest. */
static const char *title_tag(const char *at, const char *end)
{
    for (;;) {
        at = skip_to(at, end, "<");
        if (at == end)
            return NULL;
        size_t left = (size_t)(end - at);
        if (left >= 4 && memcmp(at, "<!--", 4) == 0)
            return title_tag(skip_to(at + 4, end, "-->"), end);
        if (left >= 8 && strncasecmp(at, "<script", 7) == 0 && (is_space(at[7]) || at[7] == '>' || at[7] == '/'))
            return title_tag(skip_to(at, end, "</script"), end);
        if (left >= 7 && strncasecmp(at, "<title", 6) == 0 && (is_space(at[6]) || at[6] == '>' || at[6] == '/'))
            return at;
        at++;
    }
}

static int next_char(const char **at, const char *end)
{
    static const struct { const char *name; int c; } table[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&#39;", '\''}, {0}};
    for (int i = 0; table[i].name; i++)
        if ((size_t)(end - *at) >= strlen(table[i].name) && !memcmp(*at, table[i].name, strlen(table[i].name))) {
            *at += strlen(table[i].name);
            return table[i].c;
        }
    return *(*at)++;
}

static void get_title(const char *body, size_t length, char *title)
{
    const char *end = body + length, *at = title_tag(body, end);
    if (!at)
        return;
    at = skip_to(at, end, ">");
    if (at < end)
        at++;
    const char *stop = skip_to(at, end, "</title");
    if (stop == end)
        return;
    char *to = title, *last = title + TITLE_MAX - 1;
    bool first = true;
    while (to < last) {
        const char *word = at;
        while (word < stop && is_space(*word))
            word++;
        if (word == stop)
            break;
        if (word > at && !first)
            *to++ = ' ';
        first = false;
        at = word;
        while (at < stop && !is_space(*at) && to < last)
            *to++ = (char)next_char(&at, stop);
    }
    *to = '\0';
}

static int get(void *arg)
{
    struct page *page = arg;
    CO_RESPONSE(resp);
    int rc = co_http_get(page->url, &resp);
    if (rc == 0) {
        page->status = resp.status;
        if (resp.status < 400)
            get_title(resp.body, resp.length, page->title);
    }
    return rc;
}

int scrape_page(const char *url, int64_t timeout, struct page *out)
{
    int64_t t = co_now();
    memset(out, 0, sizeof *out);
    out->url = url;
    out->error = co_wait_for(get, out, timeout);
    out->took = co_now() - t;
    if (out->error == -ECANCELED)
        return out->error;
    return 0;
}

struct run {
    struct co_queue *todo, *done;
    const char *const *urls;
    struct page *out;
    int64_t timeout;
};

static int worker(void *arg)
{
    struct run *run = arg;
    void *item;
    int rc;
    while ((rc = co_queue_try_get(run->todo, &item)) == 0) {
        size_t i = (size_t)(uintptr_t)item;
        rc = scrape_page(run->urls[i], run->timeout, &run->out[i]);
        if (rc < 0)
            return rc;
        rc = co_queue_put(run->done, &run->out[i]);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int scrape_all(const char *const urls[], size_t n, int64_t timeout, const struct listener *listener, struct page out[],
               struct summary *summary)
{
    const int64_t t = co_now();
    CO_QUEUE(todo, 0);
    CO_QUEUE(done, 0);
    struct run run = {&todo, &done, urls, out, timeout};
    int rc = 0;
    *summary = (struct summary){.total = n};
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = co_queue_try_put(&todo, (void *)(uintptr_t)i);
    {
        CO_GROUP(workers);
        for (size_t i = 0; i < n; i++)
            co_spawn(&workers, worker, &run);
        for (size_t i = 0; i < n && rc == 0; i++) {
            void *item;
            rc = co_queue_get(&done, &item);
            if (rc < 0)
                break;
            struct page *page = item;
            if (page->error != 0) {
                summary->failed++;
                listener->log(listener->arg, page->url, co_strerror(page->error));
            } else if (page->status >= 400) {
                char cause[16];
                snprintf(cause, sizeof cause, "HTTP %d", page->status);
                summary->failed++;
                listener->log(listener->arg, page->url, cause);
            } else {
                summary->successful++;
            }
            listener->progress(listener->arg, page, i + 1, n);
        }
        if (rc == 0)
            rc = co_join(&workers);
    }
    summary->total_time = co_now() - t;
    return rc;
}
