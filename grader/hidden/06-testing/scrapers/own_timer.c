/* own_timer.c - two tasks for each page: one fetches, one is its timer. Whichever ends
 * first ends the other; at the same instant the timer wins. */
#include "common.h"

/* One page. It lives as long as its run: a fetch that was given up still looks at it. */
struct watched {
    const char *url;
    int64_t timeout;
    struct co_group *tasks;         /* where its two tasks belong */
    struct co_response resp;
};

static int fetch(void *arg)
{
    struct watched *watched = arg;
    return get(watched->url, &watched->resp);
}

static int timer(void *arg)
{
    const struct watched *watched = arg;
    return co_sleep(watched->timeout);
}

/* Returns 0 or -ECANCELED. */
static int watch(struct watched *watched, struct page *out)
{
    int64_t start = co_now();
    *out = (struct page){.url = watched->url};
    memset(out->title, '.', sizeof out->title);
    out->title[0] = '\0';

    co_task *both[] = {co_spawn(watched->tasks, fetch, watched), co_spawn(watched->tasks, timer, watched)};
    if (!both[0] || !both[1])
        return -ENOMEM;
    int fetched = -ETIMEDOUT, rc = co_wait(both, 2, CO_FIRST_COMPLETED, CO_FOREVER);
    if (rc < 0) {
        co_cancel(both[0]);
        co_cancel(both[1]);
        out->error = rc;
        out->took = co_now() - start;
        return rc;
    }
    if (co_done(both[0]) && co_now() - start < watched->timeout) {
        rc = co_await(both[0], &fetched);
        if (!IS(timer_runs_on))
            co_cancel(both[1]);
    } else if (!IS(request_left_running)) {
        co_cancel(both[0]);
        rc = co_await(both[0], NULL);       /* its place is free when the request is really over */
    }
    if (rc < 0) {
        out->error = rc;
        out->took = co_now() - start;
        return rc;
    }
    take(out, fetched, watched->resp.status, watched->resp.body, watched->resp.length);
    out->took = co_now() - start;
    return 0;
}

int scrape_page(const char *url, int64_t timeout, struct page *out)
{
    struct watched watched = {.url = url, .timeout = timeout};
    int rc;
    {
        CO_GROUP(tasks);
        watched.tasks = &tasks;
        rc = watch(&watched, out);
        if (rc < 0 || IS(request_left_running))
            co_group_cancel(&tasks);
        int joined = co_join(&tasks);
        if (rc == 0 && joined == -ECANCELED)
            rc = out->error = -ECANCELED;
    }
    co_response_free(&watched.resp);
    return rc;
}

/* ---- All pages ------------------------------------------------------------------------------------ */

struct run {
    const struct listener *listener;
    struct summary *summary;
    struct co_sem places;
};

struct job {
    struct run *run;
    struct watched watched;
    struct page *out;
};

/* Tells of a page by a copy of it, which is soon another page's: the contract lets a listener read it, not keep it. */
static void tell_of(const struct page *page, const struct listener *listener, const struct summary *summary)
{
    static struct page told;
    told = *page;
    tell_progress(listener, &told, summary->successful + summary->failed, summary->total);
    told = (struct page){.url = page->url, .title = "(told, and gone)"};
}

static int scrape_one(void *arg)
{
    struct job *job = arg;
    struct run *run = job->run;
    int rc = co_sem_acquire(&run->places);
    if (rc < 0)
        return rc;
    rc = watch(&job->watched, job->out);
    if (rc == 0) {
        count(run->summary, job->out);
        tell_of(job->out, run->listener, run->summary);
        tell_log(run->listener, job->out, "%d", "");
    }
    co_sem_release(&run->places);
    return rc;
}

static int scrape_jobs(struct job jobs[], size_t n)
{
    CO_GROUP(watches);          /* of all pages */
    CO_GROUP(pages);
    for (size_t i = 0; i < n; i++) {
        jobs[i].watched.tasks = &watches;
        co_spawn(&pages, scrape_one, &jobs[i]);
    }
    int rc = co_join(&pages);
    if (rc < 0 || IS(request_left_running))
        co_group_cancel(&watches);
    co_task *done;
    int next;
    while ((next = co_next_done(&watches, &done)) > 0)
        ;
    return rc < 0 ? rc : next;
}

int scrape_all(const char *const urls[], size_t n, size_t limit, int64_t timeout, const struct listener *listener,
               struct page out[], struct summary *summary)
{
    int64_t start = co_now();
    struct run run = {listener, summary, CO_SEM_INIT((int)(limit < n ? limit : n))};
    struct job *jobs = calloc(n + 1, sizeof *jobs);

    *summary = (struct summary){.total = n};
    if (!jobs)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        out[i] = (struct page){.url = urls[i], .error = -ECANCELED};
        jobs[i] = (struct job){.run = &run, .watched = {.url = urls[i], .timeout = timeout}, .out = &out[i]};
    }
    int rc = scrape_jobs(jobs, n);
    for (size_t i = 0; i < n; i++)
        co_response_free(&jobs[i].watched.resp);
    free(jobs);
    summary->total_time = co_now() - start;
    return rc;
}
