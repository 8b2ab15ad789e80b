#include "scraper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_good(const struct page *page)
{
    return page->error == 0 && page->status < 400;
}

static void log_page(const struct listener *listener, const struct page *page)
{
    char cause[32];
    if (page->error) {
        listener->log(listener->arg, page->url, co_strerror(page->error));
    } else {
        snprintf(cause, sizeof cause, "HTTP %d", page->status);
        listener->log(listener->arg, page->url, cause);
    }
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static bool starts_with(const char *p, const char *end, const char *word)
{
    size_t n = strlen(word);
    return (size_t)(end - p) >= n && strncasecmp(p, word, n) == 0;
}

static bool is_tag(const char *p, const char *end, const char *name)
{
    size_t n = strlen(name);
    return starts_with(p, end, name) && p + n < end && (p[n] == '>' || p[n] == '/' || is_space(p[n]));
}

/* Where `word` begins in p..end, or end. */
static const char *find(const char *p, const char *end, const char *word)
{
    while (p < end && !starts_with(p, end, word))
        p++;
    return p;
}

static char entity(const char **p, const char *end)
{
    static const struct {
        const char *name;
        char value;
    } entities[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&#39;", '\''}};
    for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++) {
        size_t n = strlen(entities[i].name);
        if ((size_t)(end - *p) >= n && memcmp(*p, entities[i].name, n) == 0) {
            *p += n;
            return entities[i].value;
        }
    }
    return *(*p)++;
}

static void store_title(const char *p, const char *end, char title[TITLE_MAX])
{
    size_t n = 0;
    bool gap = false;
    while (p < end && n < TITLE_MAX - 1) {
        if (is_space(*p)) {
            gap = n > 0;
            p++;
            continue;
        }
        if (gap)
            title[n++] = ' ';
        gap = false;
        if (n < TITLE_MAX - 1)
            title[n++] = entity(&p, end);
    }
    title[n] = '\0';
}

static void find_title(const char *body, size_t length, char title[TITLE_MAX])
{
    const char *p = body, *end = body + length;
    title[0] = '\0';
    while (p < end) {
        if (*p != '<') {
            p++;
        } else if (starts_with(p, end, "<!--")) {
            p = find(p + 4, end, "-->");
        } else if (is_tag(p, end, "<script")) {
            p = find(p + 7, end, "</script");
        } else if (is_tag(p, end, "<title")) {
            const char *text = find(p, end, ">");
            const char *stop = find(text, end, "</title");
            if (stop < end)
                store_title(text + 1, stop, title);
            return;
        } else {
            p++;
        }
    }
}

struct hunt {
    const char *url;
    struct co_response prey;
    int rc;
    bool is_over;
};

static int hunt(void *arg)
{
    struct hunt *h = arg;
    h->rc = co_http_get(h->url, &h->prey);
    h->is_over = true;
    return 0;
}

struct watchdog {
    struct co_group *hunters;
    co_task *victim;
    int64_t after;
    bool bit;
};

static int watch(void *arg)
{
    struct watchdog *dog = arg;
    int rc = co_sleep(dog->after);
    if (rc == 0) {
        dog->bit = !co_done(dog->victim);
        co_group_cancel(dog->hunters);
    }
    return 0;
}

int scrape_page(const char *url, int64_t timeout, struct page *out)
{
    int64_t begin = co_now();
    struct hunt h = {.url = url};
    struct watchdog dog = {.after = timeout};
    int rc;
    {
        CO_GROUP(group);
        CO_GROUP(watchers);
        dog.hunters = &group;
        dog.victim = co_spawn(&group, hunt, &h);
        co_task *watcher = co_spawn(&watchers, watch, &dog);
        rc = co_await(dog.victim, NULL);
        co_cancel(watcher);
        int joined = co_join(&group);
        rc = rc < 0 ? rc : joined;
        joined = co_join(&watchers);
        rc = rc < 0 ? rc : joined;
    }
    if (rc == 0)
        rc = h.rc == -ECANCELED && dog.bit ? -ETIMEDOUT : h.rc;
    *out = (struct page){.url = url, .error = rc, .status = rc ? 0 : h.prey.status};
    if (is_good(out))
        find_title(h.prey.body, h.prey.length, out->title);
    co_response_free(&h.prey);
    out->took = co_now() - begin;
    return rc == -ECANCELED ? rc : 0;
}

struct run {
    int64_t timeout;
    const struct listener *listener;
    struct summary *summary;
};

struct task {
    struct run *run;
    const char *url;
    struct page *page;
};

static void tell(struct run *run, const struct page *page)
{
    struct summary *s = run->summary;
    bool good = is_good(page);
    *(good ? &s->successful : &s->failed) += 1;
    run->listener->progress(run->listener->arg, page, s->successful + s->failed, s->total);
    if (!good)
        log_page(run->listener, page);
}

static int do_task(void *arg)
{
    struct task *task = arg;
    int rc = scrape_page(task->url, task->run->timeout, task->page);
    if (rc == 0)
        tell(task->run, task->page);
    return rc;
}

int scrape_all(const char *const urls[], size_t n, int64_t timeout, const struct listener *listener, struct page out[],
               struct summary *summary)
{
    int64_t begin = co_now();
    struct run run = {timeout, listener, summary};
    summary->total = n;
    summary->successful = 0;
    summary->failed = 0;
    struct task *tasks = calloc(n ? n : 1, sizeof *tasks);
    if (!tasks)
        return -ENOMEM;
    int rc;
    {
        CO_GROUP(group);
        for (size_t i = 0; i < n; i++) {
            tasks[i].run = &run;
            tasks[i].url = urls[i];
            tasks[i].page = &out[i];
            co_spawn(&group, do_task, &tasks[i]);
        }
        rc = co_join(&group);
    }
    free(tasks);
    summary->total_time = co_now() - begin;
    return rc;
}
