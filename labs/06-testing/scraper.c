/* scraper.c - a scraper that keeps its contract: what your tests run against. It
 * belongs to the kit: you read it, you do not change it.
 *
 * It is one way to do it among many. Your tests are graded on others, too, right ones and wrong ones, so rest
 * them on scraper.h alone.
 */
#include "scraper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Three faults to practise on: `make run LAB=06 FAULT=one_by_one` builds that one in. Without FAULT there is none. */
enum { no_fault, one_by_one, every_answer_is_a_success, news_at_the_end };
#ifndef FAULT
#define FAULT no_fault
#endif

/* ---- One page ------------------------------------------------------------------------------------- */

/* Where `word` stands first in the text from `at` to `end`; NULL if nowhere. A
 * page is no C string: it may hold '\0' bytes. */
static const char *find(const char *at, const char *end, const char *word)
{
    for (size_t length = strlen(word); (size_t)(end - at) >= length; at++)
        if (memcmp(at, word, length) == 0)
            return at;
    return NULL;
}

/* Copies what stands between <title> and </title>, if both are there. */
static void find_title(const char *body, const char *end, char title[TITLE_MAX])
{
    const char *from = find(body, end, "<title>");
    const char *to = from ? find(from, end, "</title>") : NULL;
    if (!to)
        return;
    from += strlen("<title>");
    size_t length = (size_t)(to - from) < TITLE_MAX - 1 ? (size_t)(to - from) : TITLE_MAX - 1;
    memcpy(title, from, length);
    title[length] = '\0';
}

int scrape_page(const char *url, int64_t timeout, struct page *out)
{
    int64_t start = co_now();
    *out = (struct page){.url = url};

    CO_RESPONSE(resp);
    struct co_timeout limit;
    co_timeout_begin(&limit, timeout);
    int rc = co_http_get(url, &resp);
    rc = co_timeout_end(&limit, rc);

    out->error = rc;
    out->status = resp.status;
    if (rc == 0 && resp.status < 400)
        find_title(resp.body, resp.body + resp.length, out->title);
    out->took = co_now() - start;
    return rc == -ECANCELED ? rc : 0;
}

/* ---- All pages ------------------------------------------------------------------------------------ */

/* What the tasks of one run share. */
struct run {
    int64_t timeout;
    const struct listener *listener;
    struct summary *summary;
    struct co_sem places;      /* as many as pages may be under way */
};

struct job {
    struct run *run;
    struct page *out;
};

static void tell(const struct run *run, const struct page *page)
{
    struct summary *summary = run->summary;
    const struct listener *listener = run->listener;
    bool failed = page->error != 0 || page->status >= 400;
    char status[32];

    if (FAULT == every_answer_is_a_success)
        failed = page->error != 0;
    if (failed)
        summary->failed++;
    else
        summary->successful++;
    if (!listener)
        return;
    snprintf(status, sizeof status, "HTTP %d", page->status);
    if (failed && listener->log)
        listener->log(listener->arg, page->url, page->error ? co_strerror(page->error) : status);
    if (listener->progress)
        listener->progress(listener->arg, page, summary->successful + summary->failed, summary->total);
}

/* One page: waits for a place, scrapes, tells. Tasks wait for the semaphore in the order in which they were started, so
 * pages are begun in the order of the urls. */
static int scrape_one(void *arg)
{
    struct job *job = arg;
    struct run *run = job->run;

    int rc = co_sem_acquire(&run->places);
    if (rc < 0)
        return rc;
    rc = scrape_page(job->out->url, run->timeout, job->out);
    if (rc == 0 && FAULT != news_at_the_end)
        tell(run, job->out);
    co_sem_release(&run->places);
    return rc;
}

int scrape_all(const char *const urls[], size_t n, size_t limit, int64_t timeout, const struct listener *listener,
               struct page out[], struct summary *summary)
{
    int64_t start = co_now();
    *summary = (struct summary){.total = n};
    if (FAULT == one_by_one)
        limit = 1;
    struct run run = {timeout, listener, summary, CO_SEM_INIT((int)(limit < n ? limit : n))};

    struct job *jobs = malloc((n + 1) * sizeof *jobs);
    if (!jobs)
        return -ENOMEM;

    CO_GROUP(group);
    for (size_t i = 0; i < n; i++) {
        /* So for a page that a cancelled run never comes to. */
        out[i] = (struct page){.url = urls[i], .error = -ECANCELED};
        jobs[i] = (struct job){&run, &out[i]};
        co_spawn(&group, scrape_one, &jobs[i]);
    }
    int rc = co_join(&group);
    free(jobs);

    if (FAULT == news_at_the_end)
        for (size_t i = 0; i < n; i++)
            tell(&run, &out[i]);
    summary->total_time = co_now() - start;
    return rc;
}
