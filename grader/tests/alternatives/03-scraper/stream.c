/* Correct, by streams: each page is read piece by piece and looked at byte by byte; each task tells the listener itself; co_join. */
#include "scraper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct finder {
    enum { SEARCH, COMMENT, SCRIPT, TAG, TITLE, FOUND } state;
    char recent[9];      /* the last bytes in small letters, the newest last */
    char *raw;           /* what the title holds so far */
    size_t length, room;
};

static char small(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool blank(char c)
{
    return c != '\0' && strchr(" \t\n\r\f", c);
}

static bool just_read(const struct finder *f, const char *word, bool and_separator)
{
    size_t n = strlen(word);
    const char *end = f->recent + sizeof f->recent;
    if (!and_separator)
        return memcmp(end - n, word, n) == 0;
    return memcmp(end - n - 1, word, n) == 0 && (end[-1] == '>' || end[-1] == '/' || blank(end[-1]));
}

static void enter(struct finder *f, int state)
{
    f->state = state;
    memset(f->recent, 0, sizeof f->recent);
}

static int feed(struct finder *f, char c)
{
    memmove(f->recent, f->recent + 1, sizeof f->recent - 1);
    f->recent[sizeof f->recent - 1] = small(c);
    switch (f->state) {
    case SEARCH:
        if (just_read(f, "<!--", false))
            enter(f, COMMENT);
        else if (just_read(f, "<script", true))
            enter(f, SCRIPT);
        else if (just_read(f, "<title", true))
            enter(f, c == '>' ? TITLE : TAG);
        break;
    case COMMENT:
        if (just_read(f, "-->", false))
            enter(f, SEARCH);
        break;
    case SCRIPT:
        if (just_read(f, "</script", false))
            enter(f, SEARCH);
        break;
    case TAG:
        if (c == '>')
            enter(f, TITLE);
        break;
    case TITLE:
        if (f->length == f->room) {
            size_t room = f->room ? 2 * f->room : 256;
            char *raw = realloc(f->raw, room);
            if (!raw)
                return -ENOMEM;
            f->raw = raw;
            f->room = room;
        }
        f->raw[f->length++] = c;
        if (just_read(f, "</title", false)) {
            f->length -= strlen("</title");
            f->state = FOUND;
        }
        break;
    case FOUND:
        break;
    }
    return 0;
}

static size_t entity(const char *at, size_t left, char *means)
{
    static const char *const names[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    for (int i = 0; i < 5; i++) {
        size_t n = strlen(names[i]);
        if (left >= n && memcmp(at, names[i], n) == 0) {
            *means = "&<>\"'"[i];
            return n;
        }
    }
    *means = *at;
    return 1;
}

static void copy_title(const struct finder *f, char title[TITLE_MAX])
{
    size_t from = 0, to = f->length, n = 0;
    while (from < to && blank(f->raw[from]))
        from++;
    while (to > from && blank(f->raw[to - 1]))
        to--;
    while (from < to && n < TITLE_MAX - 1) {
        if (blank(f->raw[from])) {
            title[n++] = ' ';
            while (blank(f->raw[from]))
                from++;
        } else {
            from += entity(f->raw + from, to - from, &title[n++]);
        }
    }
    title[n] = '\0';
}

static int read_page(const char *url, int *status, struct finder *f)
{
    char piece[500];
    CO_STREAM(stream);
    int rc = co_stream_open(&(struct co_request){.url = url}, &stream);
    if (rc < 0)
        return rc;
    *status = stream.status;
    while ((rc = co_stream_read(&stream, piece, sizeof piece)) > 0)
        for (int i = 0; i < rc; i++)
            if (feed(f, piece[i]) < 0)
                return -ENOMEM;
    return rc;
}

int scrape_page(const char *url, int64_t timeout, struct page *out)
{
    struct finder f = {0};
    int64_t begin = co_now();
    int status = 0;
    struct co_timeout limit;

    co_timeout_begin(&limit, timeout);
    int rc = co_timeout_end(&limit, read_page(url, &status, &f));
    memset(out, 0, sizeof *out);
    out->url = url;
    out->error = rc;
    if (rc == 0)
        out->status = status;
    if (rc == 0 && status < 400 && f.state == FOUND)
        copy_title(&f, out->title);
    free(f.raw);
    out->took = co_now() - begin;
    return rc == -ECANCELED ? rc : 0;
}

struct shared {
    int64_t timeout;
    const struct listener *listener;
    struct summary *summary;
};

struct task {
    struct shared *shared;
    const char *url;
    struct page *out;
};

static int run_task(void *arg)
{
    struct task *task = arg;
    struct summary *sum = task->shared->summary;
    const struct listener *to = task->shared->listener;
    int rc = scrape_page(task->url, task->shared->timeout, task->out);
    if (rc < 0)
        return rc;
    if (task->out->error < 0) {
        sum->failed++;
        to->log(to->arg, task->url, co_strerror(task->out->error));
    } else if (task->out->status >= 400) {
        char cause[20];
        sum->failed++;
        sprintf(cause, "HTTP %d", task->out->status);
        to->log(to->arg, task->url, cause);
    } else {
        sum->successful++;
    }
    to->progress(to->arg, task->out, sum->successful + sum->failed, sum->total);
    return 0;
}

int scrape_all(const char *const urls[], size_t n, int64_t timeout, const struct listener *listener, struct page out[],
               struct summary *summary)
{
    int64_t begin = co_now();
    summary->total = n;
    summary->successful = summary->failed = 0;
    struct shared shared = {timeout, listener, summary};
    struct task *tasks = calloc(n + 1, sizeof *tasks);
    if (!tasks)
        return -ENOMEM;
    CO_GROUP(group);
    for (size_t i = 0; i < n; i++) {
        tasks[i] = (struct task){&shared, urls[i], &out[i]};
        co_spawn(&group, run_task, &tasks[i]);
    }
    int rc = co_join(&group);
    free(tasks);
    summary->total_time = co_now() - begin;
    return rc;
}
