#include "pool.h"

#include <stdlib.h>

struct parked {
    struct parked *next;
    struct co_event call;
};

struct pool {
    struct pool_config config;
    const char **ring;
    size_t head, size, room;
    struct parked *lot;                 /* who waits, the newest first */
    size_t flying, working;
};

static bool stopped;

struct worker {
    struct pool *pool;
    struct worker_stats stats;
};

static bool may_begin(const struct pool *pool)
{
    return pool->size > 0 && !stopped && pool->flying < pool->config.limit;
}

static bool is_over(const struct pool *pool)
{
    return pool->working == 0 && (pool->size == 0 || stopped);
}

/* Calls as many as there may be something for. Who is called looks for himself. */
static void call(struct pool *pool)
{
    while (pool->lot && (may_begin(pool) || is_over(pool))) {
        struct parked *first = pool->lot;
        pool->lot = first->next;
        co_event_set(&first->call);
        if (!is_over(pool))
            break;
    }
}

struct pool *pool_open(const struct pool_config *config)
{
    struct pool *pool = calloc(1, sizeof *pool);
    if (pool)
        pool->config = *config;
    return pool;
}

void pool_close(struct pool **pool)
{
    if (*pool)
        free((*pool)->ring);
    free(*pool);
    *pool = NULL;
}

static int grow(struct pool *pool)
{
    size_t room = pool->room ? 2 * pool->room : 8;
    const char **ring = malloc(room * sizeof *ring);
    if (!ring)
        return -ENOMEM;
    for (size_t i = 0; i < pool->size; i++)
        ring[i] = pool->ring[(pool->head + i) % pool->room];
    free(pool->ring);
    pool->ring = ring;
    pool->room = room;
    pool->head = 0;
    return 0;
}

int pool_add(struct pool *pool, const char *url)
{
    if (pool->size == pool->room && grow(pool) < 0)
        return -ENOMEM;
    pool->ring[(pool->head + pool->size++) % pool->room] = url;
    call(pool);
    return 0;
}

int pool_take_back(struct pool *pool, const char **url)
{
    if (pool->size == 0)
        return 0;
    *url = pool->ring[pool->head];
    pool->head = (pool->head + 1) % pool->room;
    pool->size--;
    return 1;
}

void pool_stop(struct pool *pool)
{
    stopped = true;
    call(pool);
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

static void leave(struct pool *pool, struct parked *me)
{
    struct parked **at = &pool->lot;
    while (*at && *at != me)
        at = &(*at)->next;
    if (*at)
        *at = me->next;
}

/* 1: a job may begin now; 0: none will any more; -ECANCELED. */
static int wait_for_job(struct pool *pool)
{
    while (!may_begin(pool)) {
        if (is_over(pool)) {
            call(pool);
            return 0;
        }
        struct parked me = {pool->lot, CO_EVENT_INIT};
        pool->lot = &me;
        int rc = co_event_wait(&me.call);
        leave(pool, &me);
        if (rc < 0)
            return rc;
    }
    return 1;
}

static int work(void *arg)
{
    struct worker *worker = arg;
    struct pool *pool = worker->pool;
    const char *url;
    int rc;
    while ((rc = wait_for_job(pool)) > 0) {
        CO_RESPONSE(page);
        pool_take_back(pool, &url);
        pool->flying++;
        pool->working++;
        call(pool);
        rc = co_http_get(url, &page);
        pool->flying--;
        call(pool);
        bool good = rc == 0 && page.status < 400;
        if (good && pool->config.handle)
            good = pool->config.handle(pool, url, &page, pool->config.arg) >= 0;
        count(&worker->stats, good);
        pool->working--;
    }
    return rc;
}

int pool_run(struct pool *pool, struct pool_stats *stats)
{
    int64_t begin = co_now();
    size_t n = pool->config.workers;
    struct worker *workers = calloc(n, sizeof *workers);
    if (!workers)
        return -ENOMEM;
    int rc;
    {
        CO_GROUP(group);
        for (size_t i = 0; i < n; i++) {
            workers[i].pool = pool;
            co_spawn(&group, work, &workers[i]);
        }
        rc = co_join(&group);
    }
    for (size_t i = 0; i < n; i++)
        stats->workers[i] = workers[i].stats;
    free(workers);
    sum_up(stats, n, begin);
    return rc;
}
