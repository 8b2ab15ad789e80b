#include "pool.h"

#include <stdlib.h>

struct pool {
    struct pool_config config;
    struct co_queue queue;
    struct co_lock turn;            /* held from co_queue_get until there is a place */
    struct co_sem sem;
    bool stop;
    const char **rest;
    size_t rest_n, rest_max;
    struct pool_stats *stats;
    size_t started;                 /* how many workers have taken their number */
};

struct pool *pool_open(const struct pool_config *config)
{
    struct pool *pool = malloc(sizeof(struct pool));
    if (!pool)
        return NULL;
    *pool = (struct pool){.config = *config, .sem = CO_BOUNDED_SEM_INIT((int)config->limit), .turn = CO_LOCK_INIT};
    co_queue_init(&pool->queue, 0);
    return pool;
}

void pool_close(struct pool **pool)
{
    if (!*pool)
        return;
    co_queue_destroy(&(*pool)->queue);
    free((*pool)->rest);
    free(*pool);
    *pool = NULL;
}

int pool_add(struct pool *pool, const char *url)
{
    return co_queue_try_put(&pool->queue, (void *)url);
}

static void keep(struct pool *pool, const char *url)
{
    if (pool->rest_n == pool->rest_max) {
        pool->rest_max = pool->rest_max * 2 + 4;
        pool->rest = realloc(pool->rest, pool->rest_max * sizeof(char *));
        if (!pool->rest)
            abort();
    }
    pool->rest[pool->rest_n++] = url;
}

/* 1: *url is ours, and we hold a place; 0: there are none any more; < 0: cancelled */
static int next_job(struct pool *pool, const char **url)
{
    int rc = -ECANCELED;
    CO_WITH_LOCK(&pool->turn) {
        for (;;) {
            void *item;
            rc = co_queue_get(&pool->queue, &item);
            if (rc == -ESHUTDOWN)
                return 0;
            if (rc < 0)
                return rc;
            rc = co_sem_acquire(&pool->sem);
            if (rc < 0)
                return rc;
            if (!pool->stop) {
                *url = item;
                return 1;
            }
            co_sem_release(&pool->sem);
            keep(pool, item);
            co_queue_task_done(&pool->queue);
        }
    }
    return rc;
}

static int worker(void *arg)
{
    struct pool *pool = arg;
    struct worker_stats *mine = &pool->stats->workers[pool->started++];
    const char *url;
    int rc;
    while ((rc = next_job(pool, &url)) == 1) {
        CO_RESPONSE(r);
        int got = co_http_get(url, &r);
        co_sem_release(&pool->sem);
        int ok = 0;
        if (got == 0)
            ok = pool->config.handle ? pool->config.handle(pool, url, &r, pool->config.arg) >= 0 : 1;
        if (ok && r.status < 400)
            mine->succeeded++;
        else
            mine->failed++;
        co_queue_task_done(&pool->queue);
    }
    return rc;
}

int pool_run(struct pool *pool, struct pool_stats *stats)
{
    const int64_t began = co_now();
    pool->stats = stats;
    for (size_t i = 0; i < pool->config.workers; i++)
        stats->workers[i] = (struct worker_stats){0};

    CO_GROUP(group);
    for (size_t i = 0; i < pool->config.workers; i++)
        co_spawn(&group, worker, pool);
    int rc = co_queue_join(&pool->queue);
    co_queue_shutdown(&pool->queue, false);
    int rc2 = co_join(&group);

    stats->succeeded = stats->failed = 0;
    for (size_t i = 0; i < pool->config.workers; i++) {
        struct worker_stats *w = &stats->workers[i];
        w->jobs = w->succeeded + w->failed;
        stats->succeeded += w->succeeded;
        stats->failed += w->failed;
    }
    stats->jobs = stats->succeeded + stats->failed;
    stats->elapsed = co_now() - began;
    return rc < 0 ? rc : rc2;
}

void pool_stop(struct pool *pool)
{
    pool->stop = true;
}

int pool_take_back(struct pool *pool, const char **url)
{
    if (pool->rest_n == 0)
        return 0;
    *url = pool->rest[--pool->rest_n];
    return 1;
}
