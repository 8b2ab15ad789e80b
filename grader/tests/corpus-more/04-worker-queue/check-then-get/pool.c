#include "pool.h"

#include <stdlib.h>

struct pool {
    struct pool_config config;
    struct co_queue jobs;      /* wait to be done */
    struct co_sem places;
    bool stopped;
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
    pool->places = (struct co_sem)CO_SEM_INIT((int)config->limit);
    return pool;
}

void pool_close(struct pool **pool)
{
    if (!*pool)
        return;
    co_queue_destroy(&(*pool)->jobs);
    free(*pool);
    *pool = NULL;
}

int pool_add(struct pool *pool, const char *url)
{
    return co_queue_try_put(&pool->jobs, (void *)url);
}

static void do_job(struct pool *pool, struct worker_stats *stats, const char *url)
{
    CO_RESPONSE(page);
    int rc = co_http_get(url, &page);
    co_sem_release(&pool->places);
    if (rc == 0 && page.status >= 400)
        rc = -EBADMSG;
    if (rc == 0 && pool->config.handle)
        rc = pool->config.handle(pool, url, &page, pool->config.arg);
    stats->jobs++;
    if (rc >= 0)
        stats->succeeded++;
    else
        stats->failed++;
}

static int work(void *arg)
{
    struct worker *me = arg;
    struct pool *pool = me->pool;
    int rc = 0;
    while (rc == 0 && co_queue_size(&pool->jobs) > 0 && !pool->stopped) {
        void *url;
        rc = co_sem_acquire(&pool->places);
        if (rc < 0)
            break;
        rc = co_queue_get(&pool->jobs, &url);
        if (rc == 0)
            do_job(pool, me->stats, url);
        else
            co_sem_release(&pool->places);
    }
    return rc;
}

static int run_workers(struct pool *pool, struct worker *workers)
{
    CO_GROUP(group);
    for (size_t i = 0; i < pool->config.workers; i++)
        co_spawn(&group, work, &workers[i]);
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

    stats->jobs = stats->succeeded = stats->failed = 0;
    for (size_t i = 0; i < n; i++) {
        stats->jobs += stats->workers[i].jobs;
        stats->succeeded += stats->workers[i].succeeded;
        stats->failed += stats->workers[i].failed;
    }
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
    if (co_queue_try_get(&pool->jobs, &item) < 0)
        return 0;
    *url = item;
    return 1;
}
