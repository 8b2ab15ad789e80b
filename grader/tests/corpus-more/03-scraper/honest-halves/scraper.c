#include "scraper.h"

#include <stdio.h>
#include <string.h>

typedef struct span {
    const unsigned char *p;
    size_t n;
} span;

static span from(span s, size_t k)
{
    return (span){s.p + k, s.n - k};
}

static unsigned lower(unsigned c)
{
    return c >= 'A' && c <= 'Z' ? c | 0x20u : c;
}

static bool begins(span s, const char *word)
{
    for (size_t i = 0; word[i]; i++)
        if (i >= s.n || lower(s.p[i]) != (unsigned char)word[i])
            return false;
    return true;
}

static bool is_space(unsigned c)
{
    return c == 0x20 || c == 0x09 || c == 0x0a || c == 0x0d || c == 0x0c;
}

static bool begins_tag(span s, const char *word)
{
    size_t n = strlen(word);
    return begins(s, word) && s.n > n && (s.p[n] == '>' || s.p[n] == '/' || is_space(s.p[n]));
}

/* How many bytes stand before the word; all of them if it is nowhere. */
static size_t until(span s, const char *word)
{
    size_t k = 0;
    while (k < s.n && !begins(from(s, k), word))
        k++;
    return k;
}

static unsigned char unescape(span s, size_t *used)
{
    static const char *const names[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;", NULL};
    for (int i = 0; names[i]; i++) {
        *used = strlen(names[i]);
        if (s.n >= *used && memcmp(s.p, names[i], *used) == 0)
            return (unsigned char)"&<>\"\'"[i];
    }
    *used = 1;
    return s.p[0];
}

static void squeeze(span s, char *title)
{
    char *last = title + TITLE_MAX - 1;
    while (s.n && is_space(s.p[s.n - 1]))
        s.n--;
    while (s.n && is_space(*s.p))
        s = from(s, 1);
    for (size_t used; s.n && title < last; s = from(s, used)) {
        *title++ = (char)unescape(s, &used);
        if (is_space(*s.p)) {
            title[-1] = ' ';
            while (is_space(s.p[used]))
                used++;
        }
    }
    *title = '\0';
}

static void title_of(span s, char *title)
{
    for (*title = '\0'; s.n; s = from(s, 1)) {
        const char *stop = begins(s, "<!--") ? "-->" : begins_tag(s, "<script") ? "</script" : NULL;
        if (stop) {
            s = from(s, 2);
            s = from(s, until(s, stop));
        } else if (begins_tag(s, "<title")) {
            s = from(s, until(s, ">"));
            size_t k = until(s, "</title");
            if (k < s.n)
                squeeze((span){s.p + 1, k - 1}, title);
            return;
        }
        if (!s.n)
            return;
    }
}

int scrape_page(const char *url, int64_t timeout, struct page *out)
{
    struct co_request request = {.url = url, .timeout = timeout};
    struct co_response answer;
    int64_t t = co_now();
    out->url = url;
    out->error = co_http_request(&request, &answer);
    out->status = out->error < 0 ? 0 : answer.status;
    out->took = co_now() - t;
    span body = {(const unsigned char *)answer.body, answer.length};
    if (out->error < 0 || out->status >= 400)
        body.n = 0;
    title_of(body, out->title);
    co_response_free(&answer);
    return out->error == -ECANCELED ? -ECANCELED : 0;
}

struct crowd {
    const char *const *urls;
    int64_t timeout;
    const struct listener *listener;
    struct page *out;
    struct summary *summary;
};

struct range {
    const struct crowd *crowd;
    size_t lo, hi;
};

static void done(const struct crowd *crowd, const struct page *page)
{
    const struct listener *l = crowd->listener;
    bool good = page->error == 0 && page->status < 400;
    size_t *which = good ? &crowd->summary->successful : &crowd->summary->failed;
    ++*which;
    if (!good && page->error)
        l->log(l->arg, page->url, co_strerror(page->error));
    if (!good && !page->error) {
        char cause[32];
        sprintf(cause, "HTTP %d", page->status);
        l->log(l->arg, page->url, cause);
    }
    l->progress(l->arg, page, crowd->summary->successful + crowd->summary->failed, crowd->summary->total);
}

static int scrape_range(void *arg)
{
    const struct range *r = arg;
    const struct crowd *crowd = r->crowd;
    if (r->lo == r->hi)
        return 0;
    if (r->hi - r->lo == 1) {
        struct page *page = &crowd->out[r->lo];
        int rc = scrape_page(crowd->urls[r->lo], crowd->timeout, page);
        if (rc == 0)
            done(crowd, page);
        return rc;
    }
    size_t middle = r->lo + (r->hi - r->lo) / 2;
    struct range left = {crowd, r->lo, middle}, right = {crowd, middle, r->hi};
    CO_GROUP(both);
    co_spawn(&both, scrape_range, &left);
    co_spawn(&both, scrape_range, &right);
    return co_join(&both);
}

int scrape_all(const char *const urls[], size_t n, int64_t timeout, const struct listener *listener, struct page out[],
               struct summary *summary)
{
    int64_t t = co_now();
    struct crowd crowd = {urls, timeout, listener, out, summary};
    *summary = (struct summary){.total = n};
    int rc = scrape_range(&(struct range){&crowd, 0, n});
    summary->total_time = co_now() - t;
    return rc;
}
