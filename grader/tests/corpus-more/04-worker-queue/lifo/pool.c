/* A boss and its workers; the jobs lie on a stack. */
#include "pool.h"

#include <stdlib.h>

struct worker {
    struct pool *pool;
    struct worker_stats *stats;
    struct co_queue inbox;
    bool has_job;
};

struct pool {
    struct pool_config config;
    const char **jobs;              /* the newest is at the end */
    size_t count, room;
    size_t in_flight, busy;
    bool stopped;
    struct co_event news;           /* the boss should look again */
};

struct pool *pool_open(const struct pool_config *config)
{
    struct pool *pool = calloc(1, sizeof *pool);
    if (pool)
        pool->config = *config;
    return pool;
}

void pool_close(struct pool **pool)
{
    if (*pool) {
        free((*pool)->jobs);
        free(*pool);
    }
    *pool = NULL;
}

int pool_add(struct pool *pool, const char *url)
{
    if (pool->count == pool->room) {
        size_t room = pool->room * 2 + 8;
        void *jobs = realloc(pool->jobs, room * sizeof *pool->jobs);
        if (!jobs)
            return -ENOMEM;
        pool->jobs = jobs;
        pool->room = room;
    }
    pool->jobs[pool->count++] = url;
    co_event_set(&pool->news);
    return 0;
}

static void do_job(struct worker *me, const char *url)
{
    struct pool *pool = me->pool;
    CO_RESPONSE(page);
    int rc = co_http_get(url, &page);
    pool->in_flight--;
    co_event_set(&pool->news);
    bool good = rc == 0 && page.status < 400;
    if (good && pool->config.handle)
        good = pool->config.handle(pool, url, &page, pool->config.arg) >= 0;
    me->stats->jobs++;
    me->stats->succeeded += good;
    me->stats->failed += !good;
}

static int work(void *job)
{
    struct worker *me = job;
    struct pool *pool = me->pool;
    void *url;
    while (co_queue_get(&me->inbox, &url) == 0) {
        if (pool->stopped) {
            pool->in_flight--;
            pool_add(pool, url);
        } else {
            do_job(me, url);
        }
        me->has_job = false;
        pool->busy--;
        co_event_set(&pool->news);
    }
    return 0;
}

static void hand_out(struct pool *pool, struct worker *workers)
{
    for (size_t i = 0; i < pool->config.workers; i++) {
        if (pool->stopped || pool->count == 0 || pool->in_flight == pool->config.limit)
            return;
        if (workers[i].has_job)
            continue;
        if (co_queue_try_put(&workers[i].inbox, (void *)pool->jobs[pool->count - 1]) < 0)
            return;
        pool->count--;
        pool->in_flight++;
        pool->busy++;
        workers[i].has_job = true;
    }
}

static int boss(struct pool *pool, struct worker *workers)
{
    CO_GROUP(group);
    for (size_t i = 0; i < pool->config.workers; i++)
        co_spawn(&group, work, &workers[i]);
    for (;;) {
        co_event_clear(&pool->news);
        hand_out(pool, workers);
        if (pool->busy == 0 && (pool->stopped || pool->count == 0))
            break;
        int rc = co_event_wait(&pool->news);
        if (rc < 0)
            return rc;
    }
    for (size_t i = 0; i < pool->config.workers; i++)
        co_queue_shutdown(&workers[i].inbox, false);
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
        workers[i].pool = pool;
        workers[i].stats = &stats->workers[i];
        co_queue_init(&workers[i].inbox, 0);
    }
    int rc = boss(pool, workers);
    stats->jobs = stats->succeeded = stats->failed = 0;
    for (size_t i = 0; i < n; i++) {
        stats->jobs += stats->workers[i].jobs;
        stats->succeeded += stats->workers[i].succeeded;
        stats->failed += stats->workers[i].failed;
        co_queue_destroy(&workers[i].inbox);
    }
    free(workers);
    stats->elapsed = co_now() - began;
    return rc;
}

void pool_stop(struct pool *pool)
{
    pool->stopped = true;
    co_event_set(&pool->news);
}

int pool_take_back(struct pool *pool, const char **url)
{
    if (pool->count == 0)
        return 0;
    *url = pool->jobs[--pool->count];
    return 1;
}
