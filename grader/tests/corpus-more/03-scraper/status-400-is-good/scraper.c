#include "scraper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_good(const struct page *page)
{
    return page->error == 0 && page->status <= 400;
}

static void log_page(const struct listener *listener, const struct page *page)
{
    char cause[32];
    if (page->error) {
        listener->log(listener->arg, page->url, co_strerror(page->error));
    } else {
        snprintf(cause, sizeof cause, "HTTP %d", page->status);
        listener->log(listener->arg, page->url, cause);
    }
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static bool starts_with(const char *p, const char *end, const char *word)
{
    size_t n = strlen(word);
    return (size_t)(end - p) >= n && strncasecmp(p, word, n) == 0;
}

static bool is_tag(const char *p, const char *end, const char *name)
{
    size_t n = strlen(name);
    return starts_with(p, end, name) && p + n < end && (p[n] == '>' || p[n] == '/' || is_space(p[n]));
}

/* Where `word` begins in p..end, or end. */
static const char *find(const char *p, const char *end, const char *word)
{
    while (p < end && !starts_with(p, end, word))
        p++;
    return p;
}

static char entity(const char **p, const char *end)
{
    static const struct {
        const char *name;
        char value;
    } entities[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&#39;", '\''}};
    for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++) {
        size_t n = strlen(entities[i].name);
        if ((size_t)(end - *p) >= n && memcmp(*p, entities[i].name, n) == 0) {
            *p += n;
            return entities[i].value;
        }
    }
    return *(*p)++;
}

static void store_title(const char *p, const char *end, char title[TITLE_MAX])
{
    size_t n = 0;
    bool gap = false;
    while (p < end && n < TITLE_MAX - 1) {
        if (is_space(*p)) {
            gap = n > 0;
            p++;
            continue;
        }
        if (gap)
            title[n++] = ' ';
        gap = false;
        if (n < TITLE_MAX - 1)
            title[n++] = entity(&p, end);
    }
    title[n] = '\0';
}

static void find_title(const char *body, size_t length, char title[TITLE_MAX])
{
    const char *p = body, *end = body + length;
    title[0] = '\0';
    while (p < end) {
        if (*p != '<') {
            p++;
        } else if (starts_with(p, end, "<!--")) {
            p = find(p + 4, end, "-->");
        } else if (is_tag(p, end, "<script")) {
            p = find(p + 7, end, "</script");
        } else if (is_tag(p, end, "<title")) {
            const char *text = find(p, end, ">");
            const char *stop = find(text, end, "</title");
            if (stop < end)
                store_title(text + 1, stop, title);
            return;
        } else {
            p++;
        }
    }
}

struct fetch {
    const char *url;
    struct co_response resp;
};

static int fetch(void *arg)
{
    struct fetch *f = arg;
    return co_http_get(f->url, &f->resp);
}

int scrape_page(const char *url, int64_t timeout, struct page *out)
{
    struct fetch f = {.url = url};
    out->url = url;
    out->took = co_now();
    out->error = co_wait_for(fetch, &f, timeout);
    out->took = co_now() - out->took;
    out->status = out->error ? 0 : f.resp.status;
    out->title[0] = '\0';
    if (out->error == 0 && out->status < 400)
        find_title(f.resp.body, f.resp.length, out->title);
    co_response_free(&f.resp);
    return out->error == -ECANCELED ? -ECANCELED : 0;
}

struct shared {
    const char *const *urls;
    struct page *pages;
    int64_t timeout;
    struct co_queue finished;
};

struct ticket {
    struct shared *shared;
    size_t i;
};

static int scrape(void *arg)
{
    struct ticket *ticket = arg;
    struct shared *shared = ticket->shared;
    struct page *page = &shared->pages[ticket->i];
    int rc = scrape_page(shared->urls[ticket->i], shared->timeout, page);
    return rc < 0 ? rc : co_queue_put(&shared->finished, page);
}

static int collect(struct shared *shared, const struct listener *listener, struct summary *summary)
{
    for (size_t done = 1; done <= summary->total; done++) {
        void *item;
        int rc = co_queue_get(&shared->finished, &item);
        if (rc < 0)
            return rc;
        const struct page *page = item;
        if (is_good(page))
            summary->successful++;
        else
            log_page(listener, page);
        summary->failed = done - summary->successful;
        listener->progress(listener->arg, page, done, summary->total);
    }
    return 0;
}

int scrape_all(const char *const urls[], size_t n, int64_t timeout, const struct listener *listener, struct page out[],
               struct summary *summary)
{
    int64_t start = co_now();
    struct shared shared = {urls, out, timeout, {0}};
    *summary = (struct summary){.total = n};
    struct ticket *tickets = calloc(n + 1, sizeof *tickets);
    if (!tickets)
        return -ENOMEM;
    co_queue_init(&shared.finished, 0);
    int rc;
    {
        CO_GROUP(group);
        for (size_t i = 0; i < n; i++) {
            tickets[i] = (struct ticket){&shared, i};
            co_spawn(&group, scrape, &tickets[i]);
        }
        rc = collect(&shared, listener, summary);
        if (rc < 0)
            co_group_cancel(&group);
        int joined = co_join(&group);
        rc = rc < 0 ? rc : joined;
    }
    co_queue_destroy(&shared.finished);
    free(tickets);
    summary->total_time = co_now() - start;
    return rc;
}
