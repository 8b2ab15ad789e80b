/* as_completed.c - one loop begins pages, waits until any of them is done, and
 * tells of all that are, the last one first. */
#include "common.h"

struct job {
    const char *url;
    int64_t timeout;
    struct page page;           /* is stored in out when it is done */
    co_task *task;              /* NULL: not begun, or told already */
};

int scrape_page(const char *url, int64_t timeout, struct page *out)
{
    struct page page = {0};
    int rc = fetch_page(url, timeout, &page);
    *out = page;
    return rc;
}

static int run_job(void *arg)
{
    struct job *job = arg;
    return scrape_page(job->url, job->timeout, &job->page);
}

/* The tasks under way, in input order. Returns how many. */
static size_t under_way(struct job jobs[], size_t n, co_task *tasks[])
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        if (jobs[i].task)
            tasks[count++] = jobs[i].task;
    return count;
}

/* Progress first, then the log. */
static void tell(const struct listener *listener, const struct page *page, size_t done, size_t total)
{
    tell_progress(listener, page, done, total);
    tell_log(listener, page, "the server says %d", "no answer: ");
}

static int run(struct job jobs[], co_task *tasks[], size_t n, size_t limit, const struct listener *listener,
               struct page out[], struct summary *summary)
{
    CO_GROUP(group);
    size_t begun = 0, done = 0;
    const struct page *unsaid = NULL;

    while (done < n) {
        while (begun < n && begun - done < limit && !(IS(batches) && begun > done && begun % limit == 0)) {
            jobs[begun].task = co_spawn(&group, run_job, &jobs[begun]);
            if (!jobs[begun++].task)
                return -ENOMEM;
        }
        size_t count_under_way = under_way(jobs, begun, tasks);
        int rc = IS(polling) ? co_sleep(CO_MS(7)) : co_wait(tasks, count_under_way, CO_FIRST_COMPLETED, CO_FOREVER);
        if (rc < 0 && IS(cancel_waits_for_pages)) {
            struct co_shield shield;
            co_shield_begin(&shield);
            rc = co_join(&group);
            co_shield_end(&shield);
            rc = -ECANCELED;
        }
        if (rc < 0)
            return rc;
        for (size_t i = begun; i-- > 0;) {
            if (!jobs[i].task || !co_done(jobs[i].task))
                continue;
            rc = co_await(jobs[i].task, NULL);
            jobs[i].task = NULL;
            if (rc < 0)
                return rc;
            out[i] = jobs[i].page;
            count(summary, &out[i]);
            done++;
            if (IS(news_one_page_late)) {
                if (unsaid)
                    tell(listener, unsaid, done - 1, n);
                unsaid = &out[i];
            } else {
                tell(listener, &out[i], done, n);
            }
        }
    }
    if (unsaid)
        tell(listener, unsaid, n, n);
    return 0;
}

int scrape_all(const char *const urls[], size_t n, size_t limit, int64_t timeout, const struct listener *listener,
               struct page out[], struct summary *summary)
{
    int64_t start = co_now();
    struct job *jobs = calloc(n + 1, sizeof *jobs);
    co_task **tasks = calloc(n + 1, sizeof *tasks);
    int rc = -ENOMEM;

    *summary = (struct summary){.total = n};
    if (jobs && tasks) {
        for (size_t i = 0; i < n; i++) {
            jobs[i] = (struct job){.url = urls[i], .timeout = timeout};
            memset(&out[i], 0, sizeof out[i]);
            out[i].url = urls[i];
            out[i].error = -ECANCELED;
        }
        rc = run(jobs, tasks, n, limit, listener, out, summary);
    }
    free(jobs);
    free(tasks);
    summary->total_time = co_now() - start;
    return rc;
}
