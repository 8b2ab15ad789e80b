/* Correct, by hand-made timeouts: each page has a task that fetches and one that watches the clock with co_wait; scrape_all takes what
 * is done with co_wait(CO_FIRST_COMPLETED). The title is found by one function that walks over the page with an index. */
#include "scraper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int same(const char *body, size_t length, size_t at, const char *word)
{
    size_t i;
    for (i = 0; word[i]; i++) {
        if (at + i >= length)
            return 0;
        char c = body[at + i];
        if (c >= 'A' && c <= 'Z')
            c += 'a' - 'A';
        if (c != word[i])
            return 0;
    }
    return 1;
}

static int space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static int named(const char *body, size_t length, size_t at, const char *name)
{
    at += strlen(name);
    return at < length && same(body, length, at - strlen(name), name) && (space(body[at]) || body[at] == '>' || body[at] == '/');
}

static void find_title(const char *body, size_t length, char title[TITLE_MAX])
{
    size_t i = 0, end, used = 0;
    int gap = 0;

    title[0] = 0;
    while (i < length) {
        if (same(body, length, i, "<!--")) {
            i += 4;
            while (i < length && !same(body, length, i, "-->"))
                i++;
        } else if (named(body, length, i, "<script")) {
            while (i < length && !same(body, length, i, "</script"))
                i++;
        } else if (named(body, length, i, "<title")) {
            break;
        }
        i++;
    }
    while (i < length && body[i] != '>')
        i++;
    for (end = ++i; end < length && !same(body, length, end, "</title"); end++)
        ;
    if (end >= length)
        return;

    while (i < end && used < TITLE_MAX - 1) {
        if (space(body[i])) {
            gap = used > 0;
            i++;
            continue;
        }
        if (gap) {
            title[used++] = ' ';
            gap = 0;
            continue;
        }
        char c = body[i];
        size_t left = end - i;
        if (left >= 5 && !memcmp(body + i, "&amp;", 5))
            i += 5;
        else if (left >= 4 && !memcmp(body + i, "&lt;", 4))
            c = '<', i += 4;
        else if (left >= 4 && !memcmp(body + i, "&gt;", 4))
            c = '>', i += 4;
        else if (left >= 6 && !memcmp(body + i, "&quot;", 6))
            c = '"', i += 6;
        else if (left >= 5 && !memcmp(body + i, "&#39;", 5))
            c = '\'', i += 5;
        else
            i++;
        title[used++] = c;
    }
    title[used] = 0;
}

static int fetch(void *arg)
{
    struct page *page = arg;
    struct co_response resp;
    int rc = co_http_get(page->url, &resp);
    if (rc < 0)
        return rc;
    page->status = resp.status;
    if (page->status < 400)
        find_title(resp.body, resp.length, page->title);
    co_response_free(&resp);
    return 0;
}

int scrape_page(const char *url, int64_t timeout, struct page *out)
{
    int64_t start = co_now();
    *out = (struct page){.url = url};

    CO_GROUP(group);
    co_task *task = co_spawn(&group, fetch, out);
    int mine = co_wait(&task, 1, CO_ALL_COMPLETED, timeout);
    if (mine == 0) {
        co_cancel(task);
        mine = co_await(task, NULL);
        out->error = mine < 0 ? mine : -ETIMEDOUT;
    } else {
        out->error = mine < 0 ? mine : co_result(task);
    }
    out->took = co_now() - start;
    return mine < 0 ? mine : 0;
}

struct job {
    const char *url;
    int64_t timeout;
    struct page *out;
};

static int one(void *arg)
{
    struct job *job = arg;
    return scrape_page(job->url, job->timeout, job->out);
}

static int collect(struct job *jobs, co_task **tasks, size_t n, const struct listener *listener, struct summary *sum)
{
    CO_GROUP(group);
    for (size_t i = 0; i < n; i++)
        tasks[i] = co_spawn(&group, one, &jobs[i]);
    size_t left = n;
    while (left > 0) {
        int rc = co_wait(tasks, left, CO_FIRST_COMPLETED, CO_FOREVER);
        if (rc < 0)
            return rc;
        for (size_t i = 0; i < left;) {
            if (!co_done(tasks[i])) {
                i++;
                continue;
            }
            struct page *page = ((struct job *)co_job(tasks[i]))->out;
            char text[32];
            sprintf(text, "HTTP %d", page->status);
            if (page->error || page->status >= 400) {
                sum->failed++;
                listener->log(listener->arg, page->url, page->error ? co_strerror(page->error) : text);
            } else {
                sum->successful++;
            }
            listener->progress(listener->arg, page, sum->successful + sum->failed, n);
            tasks[i] = tasks[--left];
        }
    }
    return 0;
}

int scrape_all(const char *const urls[], size_t n, int64_t timeout, const struct listener *listener, struct page out[],
               struct summary *summary)
{
    int64_t start = co_now();
    *summary = (struct summary){n, 0, 0, 0};
    struct job *jobs = malloc((n + 1) * sizeof *jobs);
    co_task **tasks = malloc((n + 1) * sizeof *tasks);
    int rc = -ENOMEM;
    if (jobs && tasks) {
        for (size_t i = 0; i < n; i++)
            jobs[i] = (struct job){urls[i], timeout, &out[i]};
        rc = collect(jobs, tasks, n, listener, summary);
    }
    free(jobs);
    free(tasks);
    summary->total_time = co_now() - start;
    return rc;
}
