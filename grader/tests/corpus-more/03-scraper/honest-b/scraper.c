#include "scraper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A machine that eats a byte at a time: it does not matter how the page is cut. */
enum state { TEXT, COMMENT, SCRIPT, TAG, TITLE, FOUND };

struct finder {
    enum state state;
    char tail[10];          /* the last bytes, in small letters, newest last */
    char *raw;              /* the title so far */
    size_t length, room;
};

static int ends_with(const struct finder *f, const char *word)
{
    size_t n = strlen(word);
    return memcmp(f->tail + sizeof f->tail - n, word, n) == 0;
}

static int is_space(char c)
{
    switch (c) {
    case ' ': case '\t': case '\n': case '\r': case '\f':
        return 1;
    default:
        return 0;
    }
}

/* has `<name` just been followed by > or / or white space? */
static int tag_begins(const struct finder *f, const char *name, char c)
{
    size_t n = strlen(name);
    return (c == '>' || c == '/' || is_space(c)) && memcmp(f->tail + sizeof f->tail - 1 - n, name, n) == 0;
}

static void forget(struct finder *f)
{
    memset(f->tail, 0, sizeof f->tail);
}

static int keep(struct finder *f, char c)
{
    if (f->length == f->room) {
        size_t room = f->room ? 2 * f->room : 128;
        char *raw = realloc(f->raw, room);
        if (!raw)
            return -ENOMEM;
        f->raw = raw;
        f->room = room;
    }
    f->raw[f->length++] = c;
    return 0;
}

static int eat(struct finder *f, char c)
{
    memmove(f->tail, f->tail + 1, sizeof f->tail - 1);
    f->tail[sizeof f->tail - 1] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    switch (f->state) {
    case TEXT:
        if (ends_with(f, "<!--")) {
            f->state = COMMENT;
            forget(f);
        } else if (tag_begins(f, "<script", c)) {
            f->state = SCRIPT;
        } else if (tag_begins(f, "<title", c)) {
            f->state = c == '>' ? TITLE : TAG;
            forget(f);
        }
        break;
    case COMMENT:
        if (ends_with(f, "-->"))
            f->state = TEXT;
        break;
    case SCRIPT:
        if (ends_with(f, "</script"))
            f->state = TEXT;
        break;
    case TAG:
        if (c == '>') {
            f->state = TITLE;
            forget(f);
        }
        break;
    case TITLE:
        if (ends_with(f, "</title")) {
            f->length -= strlen("</title") - 1;
            f->state = FOUND;
            break;
        }
        return keep(f, c);
    case FOUND:
        break;
    }
    return 0;
}

static const char *const names[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
static const char *const chars = "&<>\"'";

static void polish(const struct finder *f, char title[TITLE_MAX])
{
    size_t n = 0, i = 0;
    bool space = false;
    if (f->state != FOUND)
        return;
    while (i < f->length && n < TITLE_MAX - 1) {
        char c = f->raw[i];
        if (is_space(c)) {
            space = true;
            i++;
            continue;
        }
        if (space && n > 0) {
            title[n++] = ' ';
            space = false;
            continue;
        }
        space = false;
        i++;
        for (size_t k = 0; c == '&' && k < 5; k++) {
            size_t len = strlen(names[k]);
            if (i - 1 + len <= f->length && memcmp(f->raw + i - 1, names[k], len) == 0) {
                c = chars[k];
                i += len - 1;
                break;
            }
        }
        title[n++] = c;
    }
    title[n] = '\0';
}

static int read_page(const char *url, struct page *page)
{
    struct finder finder = {0};
    char piece[1000];
    CO_STREAM(stream);
    int rc = co_stream_open(&(struct co_request){.url = url}, &stream);
    while (rc >= 0 && (rc = co_stream_read(&stream, piece, sizeof piece)) > 0)
        for (int i = 0; i < rc; i++)
            if (eat(&finder, piece[i]) < 0) {
                free(finder.raw);
                return -ENOMEM;
            }
    if (rc == 0) {
        page->status = stream.status;
        if (stream.status < 400)
            polish(&finder, page->title);
    }
    free(finder.raw);
    return rc;
}

int scrape_page(const char *url, int64_t timeout, struct page *out)
{
    int64_t begin = co_now();
    struct co_timeout limit;
    *out = (struct page){.url = url};
    co_timeout_begin(&limit, timeout);
    out->error = co_timeout_end(&limit, read_page(url, out));
    out->took = co_now() - begin;
    return out->error == -ECANCELED ? -ECANCELED : 0;
}

/* what all the tasks share */
struct run {
    const struct listener *tell;
    struct summary *sum;
    int64_t timeout;
};

struct task_data {
    struct run *run;
    const char *url;
    struct page *page;
};

static void note(struct run *run, const struct page *page)
{
    struct summary *sum = run->sum;
    if (page->error != 0 || page->status >= 400) {
        char buf[20];
        const char *why = co_strerror(page->error);
        if (page->error == 0) {
            sprintf(buf, "HTTP %d", page->status);
            why = buf;
        }
        sum->failed++;
        run->tell->log(run->tell->arg, page->url, why);
    } else {
        sum->successful++;
    }
    run->tell->progress(run->tell->arg, page, sum->failed + sum->successful, sum->total);
}

static int work(void *p)
{
    struct task_data *d = p;
    int rc = scrape_page(d->url, d->run->timeout, d->page);
    if (rc == 0)
        note(d->run, d->page);
    return rc;
}

int scrape_all(const char *const urls[], size_t n, int64_t timeout, const struct listener *listener, struct page out[],
               struct summary *summary)
{
    int64_t t0 = co_now();
    struct run run = {listener, summary, timeout};
    summary->total = n;
    summary->successful = summary->failed = 0;
    summary->total_time = 0;
    if (n == 0)
        return 0;
    struct task_data *data = malloc(n * sizeof *data);
    int *rcs = malloc(n * sizeof *rcs);
    int rc = -ENOMEM;
    if (data && rcs) {
        for (size_t i = 0; i < n; i++) {
            data[i].run = &run;
            data[i].url = urls[i];
            data[i].page = &out[i];
        }
        rc = co_gather(work, data, n, sizeof *data, rcs);
    }
    free(data);
    free(rcs);
    summary->total_time = co_now() - t0;
    return rc;
}
