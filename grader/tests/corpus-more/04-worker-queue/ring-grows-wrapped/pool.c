/* pool.c - jobs are in a ring buffer that doubles when it is full */
#include "pool.h"

#include <stdlib.h>

struct pool {
    struct pool_config config;
    const char **ring;
    size_t size, first, count;
    size_t running;
    struct co_sem jobs, places;
    int stopping;
};

struct worker {
    struct pool *pool;
    struct worker_stats *stats;
};

struct pool *pool_open(const struct pool_config *config)
{
    struct pool *pool = malloc(sizeof *pool);
    if (!pool)
        return NULL;
    *pool = (struct pool){.config = *config, .jobs = CO_SEM_INIT(0), .places = CO_SEM_INIT((int)config->limit)};
    return pool;
}

void pool_close(struct pool **pool)
{
    if (!*pool)
        return;
    free((*pool)->ring);
    free(*pool);
    *pool = NULL;
}

static int grow(struct pool *pool)
{
    size_t size = pool->size == 0 ? 4 : pool->size * 2;
    const char **bigger = realloc(pool->ring, size * sizeof *bigger);
    if (!bigger)
        return -ENOMEM;
    pool->ring = bigger;
    pool->size = size;
    return 0;
}

int pool_add(struct pool *pool, const char *url)
{
    if (pool->count == pool->size) {
        int rc = grow(pool);
        if (rc < 0)
            return rc;
    }
    pool->ring[(pool->first + pool->count++) % pool->size] = url;
    co_sem_release(&pool->jobs);
    return 0;
}

static const char *take(struct pool *pool)
{
    const char *url = pool->ring[pool->first];
    pool->first = (pool->first + 1) % pool->size;
    pool->count--;
    return url;
}

static int finished(const struct pool *pool)
{
    return pool->stopping || (pool->count == 0 && pool->running == 0);
}

/* Everybody gets through: whoever comes sees that it is over. */
static void wake_all(struct pool *pool)
{
    for (size_t i = 0; i < pool->config.workers; i++)
        co_sem_release(&pool->jobs);
}

static int fetch(struct pool *pool, const char *url, struct co_response *page)
{
    int rc = co_http_get(url, page);
    co_sem_release(&pool->places);
    return rc;
}

static int work(void *arg)
{
    struct worker *me = arg;
    struct pool *pool = me->pool;
    int rc;

    while ((rc = co_sem_acquire(&pool->jobs)) == 0 && !finished(pool)) {
        rc = co_sem_acquire(&pool->places);
        if (rc < 0)
            return rc;
        if (pool->stopping) {
            co_sem_release(&pool->places);
            return 0;
        }
        const char *url = take(pool);
        CO_RESPONSE(page);
        pool->running++;
        int ok = fetch(pool, url, &page) == 0 && page.status < 400;
        if (ok && pool->config.handle)
            ok = pool->config.handle(pool, url, &page, pool->config.arg) >= 0;
        me->stats->jobs++;
        *(ok ? &me->stats->succeeded : &me->stats->failed) += 1;
        pool->running--;
        if (finished(pool))
            wake_all(pool);
    }
    return rc;
}

static int all_work(struct pool *pool, struct worker *workers)
{
    CO_GROUP(group);
    for (size_t i = 0; i < pool->config.workers; i++)
        co_spawn(&group, work, workers + i);
    if (finished(pool))
        wake_all(pool);
    return co_join(&group);
}

int pool_run(struct pool *pool, struct pool_stats *stats)
{
    const int64_t begin = co_now();
    struct worker *workers = malloc(pool->config.workers * sizeof *workers);
    if (!workers)
        return -ENOMEM;
    for (size_t i = 0; i < pool->config.workers; i++) {
        stats->workers[i] = (struct worker_stats){0};
        workers[i] = (struct worker){pool, &stats->workers[i]};
    }
    int rc = all_work(pool, workers);
    free(workers);

    struct worker_stats sum = {0, 0, 0};
    for (size_t i = 0; i < pool->config.workers; i++) {
        sum.jobs += stats->workers[i].jobs;
        sum.succeeded += stats->workers[i].succeeded;
        sum.failed += stats->workers[i].failed;
    }
    stats->jobs = sum.jobs;
    stats->succeeded = sum.succeeded;
    stats->failed = sum.failed;
    stats->elapsed = co_now() - begin;
    return rc;
}

void pool_stop(struct pool *pool)
{
    pool->stopping = 1;
    wake_all(pool);
}

int pool_take_back(struct pool *pool, const char **url)
{
    return pool->count ? (*url = take(pool), 1) : 0;
}
