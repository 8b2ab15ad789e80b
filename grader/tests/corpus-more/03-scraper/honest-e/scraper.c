#include "scraper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Title: work on a lower-case copy to search, take the bytes from the original */

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

static int blank(int c) { return c && strchr(" \t\n\r\f", c) != NULL; }

static size_t search(const char *text, size_t n, size_t from, const char *what)
{
    size_t len = strlen(what);
    for (size_t i = from; i + len <= n; i++)
        if (memcmp(text + i, what, len) == 0)
            return i;
    return n;
}

static size_t search_tag(const char *text, size_t n, size_t from, const char *tag)
{
    size_t len = strlen(tag);
    for (size_t i = search(text, n, from, tag); i < n; i = search(text, n, i + 1, tag))
        if (i + len < n && (text[i + len] == '>' || text[i + len] == '/' || blank(text[i + len])))
            return i;
    return n;
}

static void squeeze(char *s)
{
    char *w = s;
    for (char *r = s; *r; r++) {
        if (!blank(*r))
            *w++ = *r;
        else if (w > s && w[-1] != ' ')
            *w++ = ' ';
    }
    if (w > s && w[-1] == ' ')
        w--;
    *w = 0;
}

static void unescape(char *s)
{
    static const char *names[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    static const char values[] = "&<>\"'";
    char *w = s;
    while (*s) {
        int hit = 0;
        for (int k = 0; k < 5 && !hit; k++) {
            size_t len = strlen(names[k]);
            if (strncmp(s, names[k], len) == 0) {
                *w++ = values[k];
                s += len;
                hit = 1;
            }
        }
        if (!hit)
            *w++ = *s++;
    }
    *w = 0;
}

static void find_title(const char *body, size_t n, char *title)
{
    title[0] = 0;
    char *low = malloc(n + 1);
    if (!low)
        return;
    for (size_t i = 0; i < n; i++)
        low[i] = lower(body[i]);
    size_t pos = 0;
    for (;;) {
        size_t t = search_tag(low, n, pos, "<title");
        size_t c = search(low, n, pos, "<!--");
        size_t s = search_tag(low, n, pos, "<script");
        if (c < t && c < s) {
            pos = search(low, n, c + 4, "-->");
        } else if (s < t) {
            pos = search(low, n, s + 7, "</script");
        } else if (t < n) {
            size_t a = search(low, n, t, ">");
            size_t b = search(low, n, a, "</title");
            if (b < n) {
                char *text = malloc(b - a);
                if (text) {
                    memcpy(text, body + a + 1, b - a - 1);
                    text[b - a - 1] = 0;
                    squeeze(text);
                    unescape(text);
                    snprintf(title, TITLE_MAX, "%s", text);
                    free(text);
                }
            }
            break;
        } else
            break;
    }
    free(low);
}

/* The request is a task of its own; scrape_page waits for it, at most `timeout` long. */
struct request {
    const char *url;
    struct co_response answer;
    int rc;
};

static int send_request(void *arg)
{
    struct request *request = arg;
    request->rc = co_http_get(request->url, &request->answer);
    return 0;
}

int scrape_page(const char *url, int64_t timeout, struct page *out)
{
    int64_t begin = co_now();
    struct request request = {.url = url};
    int rc;
    {
        CO_GROUP(group);
        co_task *task = co_spawn(&group, send_request, &request);
        rc = co_wait(&task, 1, CO_ALL_COMPLETED, timeout);
        if (rc == 0) {
            /* nobody else ends it: cancel it, and wait until it has ended */
            co_cancel(task);
            rc = co_await(task, NULL);
            request.rc = -ETIMEDOUT;
        }
    }
    memset(out, 0, sizeof *out);
    out->url = url;
    out->error = rc < 0 ? rc : request.rc;
    if (out->error == 0) {
        out->status = request.answer.status;
        if (out->status < 400)
            find_title(request.answer.body, request.answer.length, out->title);
    }
    co_response_free(&request.answer);
    out->took = co_now() - begin;
    return out->error == -ECANCELED ? -ECANCELED : 0;
}

struct job {
    const char *url;
    int64_t timeout;
    struct page *page;
};

static int job_run(void *arg)
{
    struct job *j = arg;
    return scrape_page(j->url, j->timeout, j->page);
}

static void tell(const struct listener *to, const struct page *page, struct summary *sum)
{
    char http[16] = "";
    const char *cause = NULL;
    if (page->error)
        cause = co_strerror(page->error);
    else if (page->status >= 400) {
        snprintf(http, sizeof http, "HTTP %d", page->status);
        cause = http;
    }
    if (cause) {
        sum->failed++;
        to->log(to->arg, page->url, cause);
    } else
        sum->successful++;
    to->progress(to->arg, page, sum->successful + sum->failed, sum->total);
}

/* Waits for whoever is done first, again and again. */
static int watch(co_task **tasks, size_t n, const struct listener *listener, struct summary *summary)
{
    while (n > 0) {
        int rc = co_wait(tasks, n, CO_FIRST_COMPLETED, CO_FOREVER);
        if (rc < 0)
            return rc;
        for (size_t i = 0; i < n; )
            if (co_done(tasks[i])) {
                struct job *job = co_job(tasks[i]);
                tell(listener, job->page, summary);
                tasks[i] = tasks[--n];
            } else
                i++;
    }
    return 0;
}

int scrape_all(const char *const urls[], size_t n, int64_t timeout, const struct listener *listener, struct page out[],
               struct summary *summary)
{
    int64_t begin = co_now();
    *summary = (struct summary){n, 0, 0, 0};
    struct job *jobs = malloc((n + 1) * sizeof *jobs);
    co_task **tasks = malloc((n + 1) * sizeof *tasks);
    int rc = -ENOMEM;
    if (jobs && tasks) {
        CO_GROUP(group);
        for (size_t i = 0; i < n; i++) {
            jobs[i] = (struct job){urls[i], timeout, &out[i]};
            tasks[i] = co_spawn(&group, job_run, &jobs[i]);
        }
        rc = watch(tasks, n, listener, summary);
    }
    free(jobs);
    free(tasks);
    summary->total_time = co_now() - begin;
    return rc;
}
