#include "scraper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int is_white(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

/* where `word` stands in [at, end), in any case; NULL if nowhere */
static const char *find(const char *at, const char *end, const char *word)
{
    size_t n = strlen(word);
    for (; (size_t)(end - at) >= n; at++)
        if (strncasecmp(at, word, n) == 0)
            return at;
    return NULL;
}

/* does a tag of this name begin here? `name` has its '<' in front */
static int is_tag(const char *at, const char *end, const char *name)
{
    size_t n = strlen(name);
    if ((size_t)(end - at) <= n || strncasecmp(at, name, n) != 0)
        return 0;
    return at[n] == '>' || at[n] == '/' || is_white(at[n]);
}

static void add(char title[TITLE_MAX], size_t *n, char c)
{
    if (*n < TITLE_MAX - 1)
        title[(*n)++] = c;
}

/* white space, entities, cut */
static void clean(const char *at, const char *end, char title[TITLE_MAX])
{
    static const struct { const char *name; char c; } entities[] = {
        {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&#39;", '\''},
    };
    size_t n = 0;
    int gap = 0;
    while (at < end) {
        if (is_white(*at)) {
            gap = n > 0;
            at++;
            continue;
        }
        if (gap)
            add(title, &n, ' ');
        gap = 0;
        char c = *at;
        size_t length = 1;
        for (size_t i = 0; i < sizeof entities / sizeof *entities; i++) {
            size_t l = strlen(entities[i].name);
            if ((size_t)(end - at) >= l && memcmp(at, entities[i].name, l) == 0) {
                c = entities[i].c;
                length = l;
            }
        }
        add(title, &n, c);
        at += length;
    }
    title[n] = '\0';
}

static void find_title(const char *body, size_t length, char title[TITLE_MAX])
{
    const char *at = body, *end = body + length;
    title[0] = '\0';
    while (at && at < end) {
        if ((size_t)(end - at) >= 4 && memcmp(at, "<!--", 4) == 0) {
            at = find(at + 4, end, "-->");
        } else if (is_tag(at, end, "<script")) {
            at = find(at, end, "</script");
        } else if (is_tag(at, end, "<title")) {
            const char *from = memchr(at, '>', (size_t)(end - at));
            const char *to = from ? find(from + 1, end, "</title") : NULL;
            if (to)
                clean(from + 1, to, title);
            return;
        } else {
            at++;
        }
    }
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

int scrape_all(const char *const urls[], size_t n, int64_t timeout, const struct listener *listener, struct page out[],
               struct summary *summary)
{
    int64_t begin = co_now();
    *summary = (struct summary){.total = n};

    int rc;
    {
        CO_GROUP(group);
        for (size_t i = 0; i < n; i++) {
            struct job job = {urls[i], timeout, &out[i]};
            co_spawn(&group, scrape_one, &job);
        }
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
    }   /* cancelled: the group's tasks have ended here */
    summary->total_time = co_now() - begin;
    return rc;
}
