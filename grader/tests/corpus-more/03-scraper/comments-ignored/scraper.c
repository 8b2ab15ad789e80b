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
    for (;;) {
        size_t t = search_tag(low, n, 0, "<title");
        if (t < n) {
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

int scrape_page(const char *url, int64_t timeout, struct page *out)
{
    int64_t begin = co_now();
    CO_RESPONSE(resp);
    struct co_timeout limit;
    co_timeout_begin(&limit, timeout);
    int rc = co_http_get(url, &resp);
    rc = co_timeout_end(&limit, rc);

    out->url = url;
    out->error = rc;
    out->status = rc == 0 ? resp.status : 0;
    out->title[0] = '\0';
    if (rc == 0 && resp.status < 400)
        find_title(resp.body, resp.length, out->title);
    out->took = co_now() - begin;
    return rc == -ECANCELED ? -ECANCELED : 0;
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
