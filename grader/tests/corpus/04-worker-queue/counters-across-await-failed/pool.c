#include "pool.h"

#include <stdlib.h>

struct pool {
    struct pool_config config;
    struct co_queue jobs;      /* wait to be done */
    struct co_queue left;      /* will not be done any more */
    struct co_sem places;
    bool stopped;
    struct pool_stats sums;
};

struct worker {
    struct pool *pool;
    struct worker_stats *stats;
};

struct pool *pool_open(const struct pool_config *config)
{
    struct pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return NULL;
    pool->config = *config;
    co_queue_init(&pool->jobs, 0);
    co_queue_init(&pool->left, 0);
    pool->places = (struct co_sem)CO_SEM_INIT((int)config->limit);
    return pool;
}

void pool_close(struct pool **pool)
{
    if (!*pool)
        return;
    co_queue_destroy(&(*pool)->jobs);
    co_queue_destroy(&(*pool)->left);
    free(*pool);
    *pool = NULL;
}

int pool_add(struct pool *pool, const char *url)
{
    return co_queue_try_put(&pool->jobs, (void *)url);
}

static void do_job(struct pool *pool, struct worker_stats *stats, const char *url)
{
    struct pool_stats sums = pool->sums;
    CO_RESPONSE(page);
    bool begun = false;
    int rc = -ECANCELED;
    CO_WITH_SEM(&pool->places) {
        if (!pool->stopped) {            /* looked at after the wait for the place */
            begun = true;
            rc = co_http_get(url, &page);
        }
    }
    if (!begun) {
        (void)co_queue_try_put(&pool->left, (void *)url);
        return;
    }
    if (rc == 0 && page.status >= 400)
        rc = -EBADMSG;
    if (rc == 0 && pool->config.handle)
        rc = pool->config.handle(pool, url, &page, pool->config.arg);
    stats->jobs++, sums.jobs++;
    if (rc >= 0)
        stats->succeeded++, sums.succeeded++;
    else
        stats->failed++, sums.failed++;
    pool->sums = sums;
}

static int work(void *arg)
{
    struct worker *me = arg;
    void *url;
    int rc;
    while ((rc = co_queue_get(&me->pool->jobs, &url)) == 0) {
        do_job(me->pool, me->stats, url);
        co_queue_task_done(&me->pool->jobs);
    }
    return rc == -ESHUTDOWN ? 0 : rc;
}

static int run_workers(struct pool *pool, struct worker *workers)
{
    CO_GROUP(group);
    for (size_t i = 0; i < pool->config.workers; i++)
        co_spawn(&group, work, &workers[i]);
    int rc = co_queue_join(&pool->jobs);
    if (rc < 0)
        return rc;
    co_queue_shutdown(&pool->jobs, false);
    return co_join(&group);
}

int pool_run(struct pool *pool, struct pool_stats *stats)
{
    int64_t began = co_now();
    size_t n = pool->config.workers;
    struct worker *workers = calloc(n, sizeof *workers);
    if (!workers)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        stats->workers[i] = (struct worker_stats){0};
        workers[i] = (struct worker){pool, &stats->workers[i]};
    }
    int rc = run_workers(pool, workers);
    free(workers);

    stats->jobs = pool->sums.jobs;
    stats->succeeded = pool->sums.succeeded;
    stats->failed = pool->sums.failed;
    stats->elapsed = co_now() - began;
    return rc;
}

void pool_stop(struct pool *pool)
{
    pool->stopped = true;
}

int pool_take_back(struct pool *pool, const char **url)
{
    void *item;
    if (co_queue_try_get(&pool->left, &item) < 0)
        return 0;
    *url = item;
    return 1;
}
