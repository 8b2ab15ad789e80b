/* group.c - a task for each page, all in one group; a semaphore lets `limit` of them in. */
#include "common.h"

struct run {
    int64_t timeout;
    const struct listener *listener;
    struct summary *summary;
    struct page *out;
    size_t told;
    bool *is_done;
    struct co_sem places;
};

struct job {
    struct run *run;
    struct page *out;
};

int scrape_page(const char *url, int64_t timeout, struct page *out)
{
    *out = (struct page){0};
    return fetch_page(url, timeout, out);
}

static void tell(struct run *run, const struct page *page)
{
    tell_progress(run->listener, page, ++run->told, run->summary->total);
}

static int scrape_one(void *arg)
{
    struct job *job = arg;
    struct run *run = job->run;

    int rc = co_sem_acquire(&run->places);
    if (rc < 0)
        return rc;
    rc = scrape_page(job->out->url, run->timeout, job->out);
    if (rc == 0) {
        count(run->summary, job->out);
        tell_log(run->listener, job->out, "HTTP %d", "");
        run->is_done[job->out - run->out] = true;
        if (!IS(progress_in_input_order))
            tell(run, job->out);
        while (IS(progress_in_input_order) && run->told < run->summary->total && run->is_done[run->told])
            tell(run, &run->out[run->told]);
        if (IS(one_failure_stops_all))
            rc = job->out->error;
    }
    if (!(IS(place_lost_on_failure) && has_failed(job->out)))
        co_sem_release(&run->places);
    return rc;
}

int scrape_all(const char *const urls[], size_t n, size_t limit, int64_t timeout, const struct listener *listener,
               struct page out[], struct summary *summary)
{
    int64_t start = co_now();
    *summary = (struct summary){.total = n};
    struct job *jobs = malloc((n + 1) * sizeof *jobs);
    bool *is_done = calloc(n + 1, sizeof *is_done);
    struct run run = {timeout, listener, summary, out, 0, is_done, CO_SEM_INIT((int)(limit < n ? limit : n))};
    if (!jobs || !is_done) {
        free(jobs);
        free(is_done);
        return -ENOMEM;
    }
    CO_GROUP(group);
    for (size_t i = 0; i < n; i++) {
        out[i] = (struct page){.url = urls[i], .error = -ECANCELED};
        jobs[i] = (struct job){&run, &out[i]};
        co_spawn(&group, scrape_one, &jobs[i]);
    }
    int rc = co_join(&group);
    if (IS(one_failure_stops_all) && rc != -ECANCELED && rc != -ENOMEM)
        rc = 0;
    free(jobs);
    free(is_done);
    summary->total_time = co_now() - start;
    return rc;
}
