#include "scraper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum part { NOTHING, COMMENT, SCRIPT, TITLE };

static bool is_blank(int c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static bool stands_at(const char *body, size_t length, size_t i, const char *what)
{
    return length - i >= strlen(what) && !strncasecmp(body + i, what, strlen(what));
}

static bool tag_at(const char *body, size_t length, size_t i, const char *tag)
{
    size_t after = i + strlen(tag);
    return stands_at(body, length, i, tag) && after < length &&
           (is_blank(body[after]) || body[after] == '/' || body[after] == '>');
}

static enum part part_at(const char *body, size_t length, size_t i)
{
    if (body[i] != '<')
        return NOTHING;
    if (stands_at(body, length, i, "<!--"))
        return COMMENT;
    if (tag_at(body, length, i, "<script"))
        return SCRIPT;
    return tag_at(body, length, i, "<title") ? TITLE : NOTHING;
}

static size_t next(const char *body, size_t length, size_t i, const char *what)
{
    while (i < length && !stands_at(body, length, i, what))
        i++;
    return i;
}

static char entity(const char *text, size_t left, size_t *size)
{
    const char *names = "&amp; &lt; &gt; &quot; &#39; ";
    const char *chars = "&<>\"'";
    for (; *names; chars++) {
        size_t n = strcspn(names, " ");
        if (left >= n && memcmp(text, names, n) == 0) {
            *size = n;
            return *chars;
        }
        names += n + 1;
    }
    *size = 1;
    return *text;
}

static void copy(const char *text, size_t length, char title[TITLE_MAX])
{
    size_t n = 0, size;
    int pending = 0;
    for (size_t i = 0; i < length && n < TITLE_MAX - 1; i += size) {
        size = 1;
        if (is_blank(text[i])) {
            pending = n > 0;
        } else if (pending) {
            title[n++] = ' ';
            pending = 0;
            size = 0;               /* once more, without the blank */
        } else {
            title[n++] = entity(text + i, length - i, &size);
        }
    }
    title[n] = '\0';
}

static void find_title(const char *body, size_t length, char title[TITLE_MAX])
{
    size_t i = 0;
    while (i < length) {
        enum part part = part_at(body, length, i);
        if (part == COMMENT) {
            i = next(body, length, i + 4, "-->");
        } else if (part == SCRIPT) {
            i = next(body, length, i + 1, "</script");
        } else if (part == TITLE) {
            size_t from = next(body, length, i, ">");
            size_t to = next(body, length, from, "</title");
            if (to < length)
                copy(body + from + 1, to - from - 1, title);
            return;
        }
        i++;
    }
}

int scrape_page(const char *url, int64_t timeout, struct page *out)
{
    CO_RESPONSE(resp);
    const struct page empty = {.url = url};
    int64_t begin = co_now();
    *out = empty;
    out->error = co_http_request(&(struct co_request){.url = url, .timeout = timeout, .max_redirects = 3}, &resp);
    out->took = co_now() - begin;
    if (out->error == -ECANCELED)
        return -ECANCELED;
    out->status = resp.status;
    if (out->error == 0 && resp.status < 400)
        find_title(resp.body, resp.length, out->title);
    return 0;
}

struct counter {
    int64_t timeout;
    const struct listener *listener;
    struct summary *summary;
    co_task **tasks;            /* those under way */
};

struct job {
    const struct counter *counter;
    const char *url;
    struct page *out;
};

static int scrape_one(void *arg)
{
    struct job *job = arg;
    return scrape_page(job->url, job->counter->timeout, job->out);
}

static void announce(const struct counter *counter, const struct page *page)
{
    const struct listener *hear = counter->listener;
    char http[sizeof "HTTP -2147483648"];
    const char *cause = page->error ? co_strerror(page->error) : http;
    snprintf(http, sizeof http, "HTTP %d", page->status);
    if (page->error || page->status >= 400) {
        counter->summary->failed++;
        hear->log(hear->arg, page->url, cause);
    } else {
        counter->summary->successful++;
    }
    hear->progress(hear->arg, page, counter->summary->failed + counter->summary->successful, counter->summary->total);
}

static int watch(const struct counter *counter, struct job *jobs)
{
    CO_GROUP(group);
    size_t left = counter->summary->total;
    int rc = 0;
    for (size_t i = 0; i < left; i++) {
        counter->tasks[i] = co_spawn(&group, scrape_one, &jobs[i]);
        if (!counter->tasks[i]) {
            co_group_cancel(&group);
            return -ENOMEM;
        }
    }
    while (left > 0 && (rc = co_wait(counter->tasks, left, CO_FIRST_COMPLETED, CO_FOREVER)) >= 0) {
        size_t kept = 0;
        for (size_t i = 0; i < left; i++) {
            if (!co_done(counter->tasks[i])) {
                counter->tasks[kept++] = counter->tasks[i];
                continue;
            }
            struct job *job = co_job(counter->tasks[i]);
            announce(counter, job->out);
        }
        left = kept;
    }
    return rc < 0 ? rc : 0;
}

int scrape_all(const char *const urls[], size_t n, int64_t timeout, const struct listener *listener, struct page out[],
               struct summary *summary)
{
    int64_t begin = co_now();
    int rc = -ENOMEM;
    struct job *jobs = calloc(n + 1, sizeof *jobs);
    co_task **tasks = calloc(n + 1, sizeof *tasks);
    struct counter counter = {timeout, listener, summary, tasks};
    if (!jobs || !tasks)
        goto out;
    *summary = (struct summary){.total = n};
    for (size_t i = 0; i < n; i++)
        jobs[i] = (struct job){&counter, urls[i], out + i};
    rc = watch(&counter, jobs);
    summary->total_time = co_now() - begin;
out:
    free(tasks);
    free(jobs);
    return rc;
}
