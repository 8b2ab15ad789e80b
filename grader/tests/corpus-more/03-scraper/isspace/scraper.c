#include "scraper.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum where { TEXT, COMMENT, SCRIPT, TITLE_TAG, TITLE, OVER };

struct parser {
    enum where where;
    char window[8];             /* the last bytes, in small letters; the newest is window[7] */
    char *raw;                  /* what stands in the title */
    size_t length, room;
    int error;
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static int space(char c)
{
    return isspace((unsigned char)c);
}

/* Do the bytes before the last `skip` ones end with this word? */
static bool ends_with(const struct parser *p, const char *word, size_t skip)
{
    size_t n = strlen(word);
    return memcmp(p->window + sizeof p->window - skip - n, word, n) == 0;
}

static void go(struct parser *p, enum where where)
{
    memset(p->window, 0, sizeof p->window);
    p->where = where;
}

static void keep(struct parser *p, char c)
{
    if (p->length == p->room) {
        size_t room = p->room ? 2 * p->room : 256;
        char *raw = realloc(p->raw, room);
        if (!raw) {
            p->error = -ENOMEM;
            return;
        }
        p->raw = raw;
        p->room = room;
    }
    p->raw[p->length++] = c;
}

static void text(struct parser *p, char c)
{
    bool tag_may_end = c == '>' || c == '/' || space(c);
    if (ends_with(p, "<!--", 0))
        go(p, COMMENT);
    else if (tag_may_end && ends_with(p, "<script", 1))
        go(p, SCRIPT);
    else if (tag_may_end && ends_with(p, "<title", 1))
        go(p, c == '>' ? TITLE : TITLE_TAG);
}

static void feed(struct parser *p, char c)
{
    memmove(p->window, p->window + 1, sizeof p->window - 1);
    p->window[sizeof p->window - 1] = lower(c);
    switch (p->where) {
    case TEXT:
        text(p, c);
        break;
    case COMMENT:
        if (ends_with(p, "-->", 0))
            go(p, TEXT);
        break;
    case SCRIPT:
        if (ends_with(p, "</script", 0))
            go(p, TEXT);
        break;
    case TITLE_TAG:
        if (c == '>')
            go(p, TITLE);
        break;
    case TITLE:
        keep(p, c);
        if (ends_with(p, "</title", 0)) {
            p->length -= strlen("</title");
            go(p, OVER);
        }
        break;
    case OVER:
        break;
    }
}

static size_t replace(const char *from, size_t left, char *c)
{
    static const char *const names[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    for (size_t i = 0; i < 5; i++)
        if (left >= strlen(names[i]) && strncmp(from, names[i], strlen(names[i])) == 0) {
            *c = "&<>\"'"[i];
            return strlen(names[i]);
        }
    *c = *from;
    return 1;
}

static void write(const struct parser *p, char title[TITLE_MAX])
{
    size_t from = 0, to = 0, end = p->length;
    while (end > 0 && space(p->raw[end - 1]))
        end--;
    while (from < end && space(p->raw[from]))
        from++;
    while (from < end && to < TITLE_MAX - 1) {
        if (!space(p->raw[from])) {
            from += replace(p->raw + from, end - from, &title[to++]);
            continue;
        }
        title[to++] = ' ';
        while (space(p->raw[from]))
            from++;
    }
}

static int read_page(const char *url, struct parser *parser, int *status)
{
    static const size_t most = 2048;
    char piece[2048];
    CO_STREAM(stream);
    int rc = co_stream_open(&(struct co_request){.url = url}, &stream);
    if (rc < 0)
        return rc;
    *status = stream.status;
    while ((rc = co_stream_read(&stream, piece, most)) > 0)
        for (int i = 0; i < rc; i++)
            feed(parser, piece[i]);
    return rc < 0 ? rc : parser->error;
}

int scrape_page(const char *url, int64_t timeout, struct page *out)
{
    struct parser parser = {.where = TEXT};
    struct co_timeout limit;
    int64_t begin = co_now();
    int status = 0;

    co_timeout_begin(&limit, timeout);
    int rc = co_timeout_end(&limit, read_page(url, &parser, &status));
    *out = (struct page){.url = url, .error = rc, .status = rc == 0 ? status : 0};
    if (rc == 0 && status < 400 && parser.where == OVER)
        write(&parser, out->title);
    free(parser.raw);
    out->took = co_now() - begin;
    return rc == -ECANCELED ? -ECANCELED : 0;
}

struct job {
    const char *url;
    int64_t timeout;
    struct page *out;
};

static int scrape_one(void *arg)
{
    struct job *job = arg;
    return scrape_page(job->url, job->timeout, job->out);
}

static void news(const struct listener *listener, const struct page *page, struct summary *summary)
{
    if (page->error) {
        listener->log(listener->arg, page->url, co_strerror(page->error));
        summary->failed++;
    } else if (page->status >= 400) {
        char cause[16];
        snprintf(cause, sizeof cause, "HTTP %i", page->status);
        listener->log(listener->arg, page->url, cause);
        summary->failed++;
    } else {
        summary->successful++;
    }
    listener->progress(listener->arg, page, summary->failed + summary->successful, summary->total);
}

static int wait_for_all(struct job *jobs, const struct listener *listener, struct summary *summary)
{
    CO_GROUP(group);
    co_task *done;
    int rc;
    for (size_t i = 0; i < summary->total; i++)
        co_spawn(&group, scrape_one, &jobs[i]);
    while ((rc = co_next_done(&group, &done)) > 0)
        news(listener, ((struct job *)co_job(done))->out, summary);
    return rc;
}

int scrape_all(const char *const urls[], size_t n, int64_t timeout, const struct listener *listener, struct page out[],
               struct summary *summary)
{
    int64_t begin = co_now();
    *summary = (struct summary){n, 0, 0, 0};
    if (n == 0)
        return 0;
    struct job *jobs = calloc(n, sizeof *jobs);
    if (!jobs)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        jobs[i] = (struct job){urls[i], timeout, out + i};
    int rc = wait_for_all(jobs, listener, summary);
    free(jobs);
    summary->total_time = co_now() - begin;
    return rc;
}
