#include "scraper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_good(const struct page *page)
{
    return page->error == 0 && page->status < 400;
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

enum place { TEXT, COMMENT, STYLE, SCRIPT, TAG, TITLE };

static int lower(int c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static bool at(const char *body, size_t length, size_t i, const char *word)
{
    for (; *word; word++, i++)
        if (i >= length || lower((unsigned char)body[i]) != *word)
            return false;
    return true;
}

static bool white(char c)
{
    return c != '\0' && strchr(" \t\n\r\f", c) != NULL;
}

static bool opens(const char *body, size_t length, size_t i, const char *word)
{
    if (!at(body, length, i, word))
        return false;
    i += strlen(word);
    return i < length && (body[i] == '>' || body[i] == '/' || white(body[i]));
}

static void add(char title[TITLE_MAX], size_t *n, char c)
{
    if (*n + 1 < TITLE_MAX) {
        title[(*n)++] = c;
        title[*n] = '\0';
    }
}

static size_t add_one(const char *text, size_t length, size_t i, char title[TITLE_MAX], size_t *n)
{
    static const char *const names[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    for (size_t k = 0; k < 5; k++) {
        size_t size = strlen(names[k]);
        if (i + size <= length && strncmp(text + i, names[k], size) == 0) {
            add(title, n, "&<>\"'"[k]);
            return i + size;
        }
    }
    add(title, n, text[i]);
    return i + 1;
}

static void clean(const char *text, size_t length, char title[TITLE_MAX])
{
    size_t n = 0, i = 0;
    while (length > 0 && white(text[length - 1]))
        length--;
    while (i < length && white(text[i]))
        i++;
    while (i < length) {
        if (white(text[i])) {
            add(title, &n, ' ');
            while (white(text[i]))
                i++;
        } else {
            i = add_one(text, length, i, title, &n);
        }
    }
}

static void find_title(const char *body, size_t length, char title[TITLE_MAX])
{
    enum place place = TEXT;
    size_t begin = 0;
    title[0] = '\0';
    for (size_t i = 0; i < length; i++) {
        switch (place) {
        case TEXT:
            if (at(body, length, i, "<!--")) {
                place = COMMENT;
                i += 3;
            } else if (opens(body, length, i, "<script")) {
                place = SCRIPT;
            } else if (opens(body, length, i, "<style")) {
                place = STYLE;
            } else if (opens(body, length, i, "<title")) {
                place = TAG;
            }
            break;
        case COMMENT:
            if (at(body, length, i, "-->"))
                place = TEXT;
            break;
        case STYLE:
            if (at(body, length, i, "</style"))
                place = TEXT;
            break;
        case SCRIPT:
            if (at(body, length, i, "</script"))
                place = TEXT;
            break;
        case TAG:
            if (body[i] == '>') {
                place = TITLE;
                begin = i + 1;
            }
            break;
        case TITLE:
            if (at(body, length, i, "</title")) {
                clean(body + begin, i - begin, title);
                return;
            }
            break;
        }
    }
}

struct text {
    char *bytes;
    size_t length, room;
};

static int read_all(struct co_stream *stream, struct text *text)
{
    for (;;) {
        if (text->room - text->length < 4096) {
            size_t room = text->room ? 2 * text->room : 8192;
            char *more = realloc(text->bytes, room);
            if (!more)
                return -ENOMEM;
            text->bytes = more;
            text->room = room;
        }
        int rc = co_stream_read(stream, text->bytes + text->length, text->room - text->length);
        if (rc <= 0)
            return rc;
        text->length += (size_t)rc;
    }
}

int scrape_page(const char *url, int64_t timeout, struct page *out)
{
    int64_t began = co_now();
    struct text text = {0};
    struct co_timeout limit;
    *out = (struct page){.url = url};
    {
        CO_STREAM(stream);
        co_timeout_begin(&limit, timeout);
        int rc = co_stream_open(&(struct co_request){.url = url}, &stream);
        int status = stream.status;
        if (rc == 0)
            rc = read_all(&stream, &text);
        out->error = co_timeout_end(&limit, rc);
        if (out->error == 0)
            out->status = status;
    }
    if (is_good(out))
        find_title(text.bytes, text.length, out->title);
    free(text.bytes);
    out->took = co_now() - began;
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
