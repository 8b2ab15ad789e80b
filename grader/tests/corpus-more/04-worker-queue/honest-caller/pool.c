/* pool.c - lab 04, the reference solution. */
#include "pool.h"

#include <stdlib.h>

struct pool {
    struct pool_config config;
    struct co_queue waiting;    /* jobs that wait: URLs. It counts those that are not finished, too:
                                   co_queue_join waits for these */
    struct co_queue left;       /* jobs that pool_stop has kept from beginning */
    struct co_sem requests;     /* one for the whole pool: a semaphore in each worker would limit nobody */
    bool stopping;
    int lost;                   /* -ENOMEM: there was no memory for a job that was to be left */
};

struct pool *pool_open(const struct pool_config *config)
{
    struct pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return NULL;
    pool->config = *config;     /* the caller's may be gone when the pool runs */
    co_queue_init(&pool->waiting, 0);
    co_queue_init(&pool->left, 0);
    pool->requests = (struct co_sem)CO_SEM_INIT((int)config->limit);
    return pool;
}

void pool_close(struct pool **pool)
{
    if (!*pool)
        return;
    co_queue_destroy(&(*pool)->waiting);
    co_queue_destroy(&(*pool)->left);
    free(*pool);
    *pool = NULL;               /* so that a second close does nothing */
}

int pool_add(struct pool *pool, const char *url)
{
    /* try_put never waits, and a queue without a maxsize always has room. After pool_stop it goes the same way: a
     * worker finds it, sees that the pool is stopping, and leaves it. */
    return co_queue_try_put(&pool->waiting, (void *)url);
}

/* Fetches a page as soon as the limit allows. Returns 0 when there is an answer, or the error of the request;
 * -ESHUTDOWN when the pool was stopped before it could begin. */
static int fetch(struct pool *pool, const char *url, struct co_response *page)
{
    int rc = -ECANCELED;        /* this is what remains when the block is skipped */
    /* The place is given back when the block is left, by the return too: an error cannot keep it. */
    CO_WITH_SEM(&pool->requests) {
        /* Asked here, and not before: CO_WITH_SEM waits, and while it waits anybody may call pool_stop. From here to
         * the request nothing waits, so what was just seen still holds. */
        if (pool->stopping)
            return -ESHUTDOWN;
        rc = co_http_get(url, page);
    }
    return rc;
}

/* One job, from its place in the line to the last word of the handler. */
static void do_job(struct pool *pool, struct worker_stats *stats, const char *url)
{
    CO_RESPONSE(page);          /* freed at the end of this function, whichever way it is left */
    int rc = fetch(pool, url, &page);
    if (rc == -ESHUTDOWN) {
        if (co_queue_try_put(&pool->left, (void *)url) < 0)
            pool->lost = -ENOMEM;
        return;                 /* not done, so not counted */
    }

    /* The place in the limit is free again: while this worker's handler waits, another one's request is under way. That
     * is what more workers than places are good for. */
    bool ok = rc == 0 && page.status < 400;
    if (ok && pool->config.handle)
        ok = pool->config.handle(pool, url, &page, pool->config.arg) >= 0;

    /* No wait from here on: each count is read and written in one go. And no
     * other task touches this worker's numbers. */
    stats->jobs++;
    if (ok)
        stats->succeeded++;
    else
        stats->failed++;
}

/* The iterator: waits for the next job. 1 and its URL, 0 when there will be none any more, or -ECANCELED. */
static int next_job(struct pool *pool, const char **url)
{
    void *item;
    int rc = co_queue_get(&pool->waiting, &item);
    if (rc < 0)
        return rc == -ESHUTDOWN ? 0 : rc;
    *url = item;
    return 1;
}

struct worker {
    struct pool *pool;
    struct worker_stats *stats;     /* its own: workers share no number, so they cannot spoil one */
};

static int work(void *arg)
{
    struct worker *self = arg;
    const char *url;
    int rc;
    while ((rc = next_job(self->pool, &url)) > 0) {
        do_job(self->pool, self->stats, url);    /* if it failed, that is in the statistics, and no reason to end */
        /* Also after a failure: what co_queue_join waits for is that nobody works on the job any more. And after the
         * handler, whose further jobs are in the queue by now: so the count never gets to zero too early. */
        co_queue_task_done(&self->pool->waiting);
    }
    /* 0, or -ECANCELED. A job's error would be taken for a failure of the
     * worker, and co_join would cancel the others. */
    return rc;
}

static int watch(void *arg)
{
    struct pool *pool = arg;
    int rc = co_queue_join(&pool->waiting);
    if (rc == 0)
        co_queue_shutdown(&pool->waiting, false);
    return rc;
}

/* Starts the workers, and waits until they have nothing to do any more and have ended. */
static int run_workers(struct pool *pool, struct worker workers[])
{
    CO_GROUP(group);
    for (size_t i = 1; i < pool->config.workers; i++)
        co_spawn(&group, work, &workers[i]);
    co_spawn(&group, watch, pool);
    int mine = work(&workers[0]), its = co_join(&group);
    return mine < 0 ? mine : its;
}
#if 0
    /* Not when the queue is empty: when all that was put is finished. Every worker then waits for a job that
     * will never come. Cancelling them would do, too; shut down, they see the end of the queue, and leave
     * their loop by themselves. */
    if (co_queue_join(&pool->waiting) == 0)
        co_queue_shutdown(&pool->waiting, false);
    /* Were we cancelled in that join, so we are in this one: it cancels the workers, waits until they have ended,
     * and returns -ECANCELED. */
    return co_join(&group);
}
#endif

int pool_run(struct pool *pool, struct pool_stats *stats)
{
    int64_t start = co_now();
    size_t n = pool->config.workers;
    struct worker *workers = malloc(n * sizeof *workers);
    if (!workers)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        stats->workers[i] = (struct worker_stats){0};
        workers[i] = (struct worker){pool, &stats->workers[i]};
    }
    int rc = run_workers(pool, workers);
    free(workers);

    /* Summed up at the end, when nobody counts any more. */
    stats->jobs = stats->succeeded = stats->failed = 0;
    for (size_t i = 0; i < n; i++) {
        stats->jobs += stats->workers[i].jobs;
        stats->succeeded += stats->workers[i].succeeded;
        stats->failed += stats->workers[i].failed;
    }
    stats->elapsed = co_now() - start;
    return rc < 0 ? rc : pool->lost;
}

void pool_stop(struct pool *pool)
{
    /* That is all: whoever is about to begin a job looks at it. Workers that are free find the jobs that wait, one
     * after the other, and put each where pool_take_back finds it; then the join in run_workers is over. */
    pool->stopping = true;
}

int pool_take_back(struct pool *pool, const char **url)
{
    void *item;
    if (co_queue_try_get(&pool->left, &item) < 0)
        return 0;
    *url = item;
    return 1;
}
