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
    int64_t started = co_now();
    struct co_request request = {.url = url, .timeout = timeout};
    CO_RESPONSE(answer);
    int rc = co_http_request(&request, &answer);
    *out = (struct page){.url = url, .error = rc, .status = answer.status, .took = co_now() - started};
    if (rc == 0 && answer.status < 400)
        find_title(answer.body, answer.length, out->title);
    return rc == -ECANCELED ? rc : 0;
}

/* A callback of each task does the book-keeping: co_on_done. */
struct book {
    const struct listener *listener;
    struct summary *summary;
};

struct entry {
    const char *url;
    int64_t timeout;
    struct page *page;
};

static int run_entry(void *arg)
{
    struct entry *entry = arg;
    return scrape_page(entry->url, entry->timeout, entry->page);
}

static void entry_done(co_task *task, void *arg)
{
    struct book *book = arg;
    const struct entry *entry = co_job(task);
    const struct page *page = entry->page;
    if (co_result(task) < 0)
        return;     /* cancelled: not done */
    if (page->error < 0) {
        book->listener->log(book->listener->arg, page->url, co_strerror(page->error));
        book->summary->failed += 1;
    } else if (page->status >= 400) {
        char cause[] = "HTTP 1234567890";
        snprintf(cause, sizeof cause, "HTTP %d", page->status);
        book->listener->log(book->listener->arg, page->url, cause);
        book->summary->failed += 1;
    } else {
        book->summary->successful += 1;
    }
    size_t done = book->summary->successful + book->summary->failed;
    book->listener->progress(book->listener->arg, page, done, book->summary->total);
}

int scrape_all(const char *const urls[], size_t n, int64_t timeout, const struct listener *listener, struct page out[],
               struct summary *summary)
{
    const int64_t begin = co_now();
    struct book book = {listener, summary};
    struct entry *entries = malloc((n + 1) * sizeof *entries);
    if (!entries)
        return -ENOMEM;
    summary->total = n;
    summary->successful = 0;
    summary->failed = 0;
    CO_GROUP(group);
    for (size_t i = 0; i < n; i++) {
        entries[i].url = urls[i];
        entries[i].timeout = timeout;
        entries[i].page = &out[i];
        co_task *task = co_spawn(&group, run_entry, &entries[i]);
        if (!task || co_on_done(task, entry_done, &book) < 0)
            break;
    }
    int rc = co_join(&group);
    free(entries);
    summary->total_time = co_now() - begin;
    return rc;
}
