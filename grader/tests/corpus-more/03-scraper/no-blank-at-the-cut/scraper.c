#include "scraper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- the title ---- */

static bool is_blank(char c)
{
    return c != '\0' && strchr(" \t\n\r\f", c) != NULL;
}

static bool here(const char *at, const char *end, const char *word)
{
    size_t n = strlen(word);
    return (size_t)(end - at) >= n && strncasecmp(at, word, n) == 0;
}

static bool tag_here(const char *at, const char *end, const char *tag)
{
    if (!here(at, end, tag))
        return false;
    at += strlen(tag);
    return at < end && (*at == '>' || *at == '/' || is_blank(*at));
}

/* NULL: nowhere */
static const char *find(const char *at, const char *end, const char *word)
{
    for (; at < end; at++)
        if (here(at, end, word))
            return at;
    return NULL;
}

static const char *behind(const char *at, const char *end, const char *word)
{
    at = find(at, end, word);
    return at ? at + strlen(word) : end;
}

static const char *entity(const char *at, const char *end, char *c)
{
    static const struct {
        const char *name;
        char c;
    } table[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&#39;", '\''}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        size_t n = strlen(table[i].name);
        if ((size_t)(end - at) >= n && memcmp(at, table[i].name, n) == 0) {
            *c = table[i].c;
            return at + n;
        }
    }
    *c = *at;
    return at + 1;
}

static void copy_title(const char *at, const char *end, char title[TITLE_MAX])
{
    size_t n = 0;
    bool blank = false;
    while (at < end && n < TITLE_MAX - 1) {
        if (is_blank(*at)) {
            blank = n > 0;
            at++;
        } else if (blank) {
            title[n++] = ' ';
            blank = false;
        } else {
            at = entity(at, end, &title[n++]);
        }
    }
    while (n > 0 && title[n - 1] == ' ')
        n--;                            /* no white space at the end */
    title[n] = '\0';
}

static void find_title(const char *body, size_t length, char title[TITLE_MAX])
{
    const char *at = body, *end = body + length;
    while (at < end) {
        if (here(at, end, "<!--")) {
            at = behind(at + 4, end, "-->");
        } else if (tag_here(at, end, "<script")) {
            at = behind(at, end, "</script");
        } else if (tag_here(at, end, "<title")) {
            const char *from = find(at, end, ">");
            const char *to = from ? find(from, end, "</title") : NULL;
            if (to)
                copy_title(from + 1, to, title);
            return;
        } else {
            at++;
        }
    }
}

/* ---- one page ---- */

int scrape_page(const char *url, int64_t timeout, struct page *out)
{
    struct co_timeout limit;
    CO_RESPONSE(resp);
    int64_t start = co_now();
    memset(out, 0, sizeof *out);
    out->url = url;
    co_timeout_begin(&limit, timeout);
    int rc = co_http_get(url, &resp);
    rc = co_timeout_end(&limit, rc);
    out->error = rc;
    if (rc == 0) {
        out->status = resp.status;
        if (resp.status < 400)
            find_title(resp.body, resp.length, out->title);
    }
    out->took = co_now() - start;
    return rc == -ECANCELED ? rc : 0;
}

/* ---- all ---- */

struct run {
    const struct listener *listener;
    struct summary *summary;
    int64_t timeout;
};

struct job {
    struct run *run;
    const char *url;
    struct page *page;
};

static void tell_of(struct run *run, const struct page *page)
{
    const struct listener *to = run->listener;
    char cause[24];
    if (page->error == 0 && page->status < 400) {
        run->summary->successful++;
    } else {
        run->summary->failed++;
        snprintf(cause, sizeof cause, "HTTP %d", page->status);
        to->log(to->arg, page->url, page->error ? co_strerror(page->error) : cause);
    }
    to->progress(to->arg, page, run->summary->successful + run->summary->failed, run->summary->total);
}

static int one(void *arg)
{
    struct job *job = arg;
    int rc = scrape_page(job->url, job->run->timeout, job->page);
    if (rc == 0)
        tell_of(job->run, job->page);
    return rc;
}

static int begin_all(struct job *jobs, size_t n)
{
    CO_GROUP(group);
    for (size_t i = 0; i < n; i++)
        co_spawn(&group, one, &jobs[i]);
    return co_join(&group);
}

int scrape_all(const char *const urls[], size_t n, int64_t timeout, const struct listener *listener, struct page out[],
               struct summary *summary)
{
    int64_t start = co_now();
    struct run run = {listener, summary, timeout};
    struct job *jobs = malloc((n + 1) * sizeof *jobs);
    if (!jobs)
        return -ENOMEM;
    *summary = (struct summary){.total = n};
    for (size_t i = 0; i < n; i++)
        jobs[i] = (struct job){&run, urls[i], &out[i]};
    int rc = begin_all(jobs, n);
    free(jobs);
    summary->total_time = co_now() - start;
    return rc;
}
