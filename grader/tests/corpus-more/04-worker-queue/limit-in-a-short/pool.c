#include "pool.h"

#include <stdlib.h>
#include <string.h>

struct pool {
    struct pool_config config;
    const char **urls;                  /* urls[next..n) have not begun */
    size_t next, n, room, finished;
    struct co_sem jobs, places;
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
    memcpy(&pool->config, config, sizeof *config);
    pool->places.value = (short)config->limit;
    return pool;
}

int pool_add(struct pool *pool, const char *url)
{
    if (pool->n == pool->room) {
        size_t room = pool->room ? pool->room * 2 : 16;
        const char **urls = realloc(pool->urls, room * sizeof *urls);
        if (!urls)
            return -ENOMEM;
        pool->urls = urls;
        pool->room = room;
    }
    pool->urls[pool->n++] = url;
    co_sem_release(&pool->jobs);
    return 0;
}

void pool_close(struct pool **pool)
{
    if (*pool)
        free((*pool)->urls);
    free(*pool);
    *pool = NULL;
}

/* Nobody shall wait for a job any more. */
static void wake_all(struct pool *pool)
{
    for (size_t i = 0; i < pool->config.workers; i++)
        co_sem_release(&pool->jobs);
}

void pool_stop(struct pool *pool)
{
    if (!pool->stopped)
        wake_all(pool);
    pool->stopped = true;
}

static void sum_up(struct pool_stats *stats, size_t workers, int64_t begin)
{
    stats->jobs = stats->succeeded = stats->failed = 0;
    for (size_t i = 0; i < workers; i++) {
        stats->jobs += stats->workers[i].jobs;
        stats->succeeded += stats->workers[i].succeeded;
        stats->failed += stats->workers[i].failed;
    }
    stats->elapsed = co_now() - begin;
}

static void count(struct worker_stats *stats, bool good)
{
    stats->jobs++;
    if (good)
        stats->succeeded++;
    else
        stats->failed++;
}

static int fetch_next(struct worker *worker)
{
    struct pool *pool = worker->pool;
    CO_RESPONSE(page);
    int rc = co_sem_acquire(&pool->places);
    if (rc < 0)
        return rc;
    if (pool->stopped || pool->next == pool->n) {
        co_sem_release(&pool->places);
        return 0;
    }
    const char *url = pool->urls[pool->next++];
    rc = co_http_get(url, &page);
    co_sem_release(&pool->places);
    bool good = rc == 0 && page.status < 400;
    if (good && pool->config.handle && pool->config.handle(pool, url, &page, pool->config.arg) < 0)
        good = false;
    count(worker->stats, good);
    if (++pool->finished == pool->n)
        wake_all(pool);
    return 0;
}

static int work(void *arg)
{
    struct worker *worker = arg;
    struct pool *pool = worker->pool;
    while (!pool->stopped && pool->finished < pool->n) {
        int rc = co_sem_acquire(&pool->jobs);
        if (rc == 0)
            rc = fetch_next(worker);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int pool_run(struct pool *pool, struct pool_stats *stats)
{
    int64_t begin = co_now();
    size_t workers_n = pool->config.workers;
    struct worker *workers = malloc(workers_n * sizeof *workers);
    if (!workers)
        return -ENOMEM;
    memset(stats->workers, 0, workers_n * sizeof stats->workers[0]);
    int rc;
    {
        CO_GROUP(group);
        for (size_t i = 0; i < workers_n; i++) {
            workers[i].pool = pool;
            workers[i].stats = stats->workers + i;
            co_spawn(&group, work, workers + i);
        }
        rc = co_join(&group);
    }
    free(workers);
    sum_up(stats, workers_n, begin);
    return rc;
}

int pool_take_back(struct pool *pool, const char **url)
{
    if (pool->next >= pool->n)
        return 0;
    *url = pool->urls[pool->next++];
    return 1;
}
