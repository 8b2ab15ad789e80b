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

static int fetch_page(const char *url, struct page *out)
{
    int64_t begin = co_now();
    CO_RESPONSE(resp);
    int rc = co_http_get(url, &resp);
    *out = (struct page){.url = url, .error = rc, .status = resp.status};
    if (rc == 0 && resp.status < 400)
        find_title(resp.body, resp.length, out->title);
    out->took = co_now() - begin;
    return rc == -ECANCELED ? rc : 0;
}

int scrape_page(const char *url, int64_t timeout, struct page *out)
{
    struct co_timeout limit;
    co_timeout_begin(&limit, timeout);
    int rc = co_timeout_end(&limit, fetch_page(url, out));
    if (rc == -ETIMEDOUT) {
        out->error = rc;
        rc = 0;
    }
    return rc;
}

struct job {
    const char *url;
    struct page *out;
};

static int scrape_one(void *arg)
{
    struct job *job = arg;
    return fetch_page(job->url, job->out);    /* the limit is scrape_all's */
}

int scrape_all(const char *const urls[], size_t n, int64_t timeout, const struct listener *listener, struct page out[],
               struct summary *summary)
{
    int64_t begin = co_now();
    *summary = (struct summary){.total = n};
    struct job *jobs = calloc(n + 1, sizeof *jobs);
    if (!jobs)
        return -ENOMEM;

    int rc;
    {
        CO_GROUP(group);
        for (size_t i = 0; i < n; i++) {
            jobs[i] = (struct job){urls[i], &out[i]};
            co_spawn(&group, scrape_one, &jobs[i]);
        }
        struct co_timeout limit;
        co_timeout_begin(&limit, timeout);
        co_task *done;
        while ((rc = co_next_done(&group, &done)) > 0) {
            struct page *page = ((struct job *)co_job(done))->out;
            if (page->error == 0 && page->status < 400) {
                summary->successful++;
            } else {
                char cause[32];
                summary->failed++;
                if (page->error == 0)
                    snprintf(cause, sizeof cause, "HTTP %d", page->status);
                listener->log(listener->arg, page->url, page->error == 0 ? cause : co_strerror(page->error));
            }
            listener->progress(listener->arg, page, summary->successful + summary->failed, n);
        }
        rc = co_timeout_end(&limit, rc);
        if (rc == -ETIMEDOUT)
            co_group_cancel(&group);
    }
    if (rc == -ETIMEDOUT)
        rc = 0;     /* whoever was too slow */
    free(jobs);
    summary->total_time = co_now() - begin;
    return rc;
}
