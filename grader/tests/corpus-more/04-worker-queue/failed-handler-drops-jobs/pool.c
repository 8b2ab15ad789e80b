#include "pool.h"

#include <stdlib.h>

struct pool {
    struct pool_config config;
    struct co_queue queue, aside;
    struct co_sem sem;
    size_t open;                        /* added, and neither finished nor put aside */
    bool stopped;
};

typedef struct {
    struct pool *pool;
    struct worker_stats *stats;
} worker_t;

struct pool *pool_open(const struct pool_config *config)
{
    struct pool *pool = calloc(1, sizeof(struct pool));
    if (pool == NULL)
        return NULL;
    pool->config = *config;
    co_queue_init(&pool->queue, 0);
    co_queue_init(&pool->aside, 0);
    pool->sem = (struct co_sem)CO_BOUNDED_SEM_INIT((int)config->limit);
    return pool;
}

void pool_close(struct pool **pool)
{
    struct pool *p = *pool;
    *pool = NULL;
    if (p) {
        co_queue_destroy(&p->aside);
        co_queue_destroy(&p->queue);
    }
    free(p);
}

int pool_add(struct pool *pool, const char *url)
{
    if (pool->stopped)
        return co_queue_try_put(&pool->aside, (void *)url);
    int rc = co_queue_try_put(&pool->queue, (void *)url);
    if (rc == 0)
        pool->open++;
    return rc;
}

void pool_stop(struct pool *pool)
{
    pool->stopped = true;
    co_queue_shutdown(&pool->queue, false);
}

int pool_take_back(struct pool *pool, const char **url)
{
    struct co_queue *const queues[] = {&pool->queue, &pool->aside};
    for (int i = 0; i < 2; i++) {
        void *item;
        if (co_queue_try_get(queues[i], &item) == 0) {
            *url = item;
            return 1;
        }
    }
    return 0;
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

static int request(struct pool *pool, const char *url, struct co_response *page)
{
    int rc = co_sem_acquire(&pool->sem);
    if (rc < 0)
        return rc;
    if (pool->stopped)
        rc = -ESHUTDOWN;
    else
        rc = co_http_get(url, page);
    co_sem_release(&pool->sem);
    return rc;
}

static int work(void *arg)
{
    worker_t *me = arg;
    struct pool *pool = me->pool;
    void *url;
    while (!pool->stopped && co_queue_get(&pool->queue, &url) == 0) {
        CO_RESPONSE(page);
        int rc = request(pool, url, &page);
        if (rc == -ESHUTDOWN)
            return co_queue_try_put(&pool->aside, url);
        bool ok = rc == 0 && page.status < 400;
        if (ok && pool->config.handle)
        {
            size_t before = co_queue_size(&pool->queue);
            ok = pool->config.handle(pool, url, &page, pool->config.arg) >= 0;
            void *dropped;
            while (!ok && before == 0 && pool->open > 1 && co_queue_try_get(&pool->queue, &dropped) == 0)
                pool->open--;
        }
        count(me->stats, ok);
        if (--pool->open == 0)
            co_queue_shutdown(&pool->queue, false);
    }
    return 0;
}

int pool_run(struct pool *pool, struct pool_stats *stats)
{
    const int64_t begin = co_now();
    const size_t n = pool->config.workers;
    worker_t *workers = malloc(n * sizeof(worker_t));
    if (workers == NULL)
        return -ENOMEM;
    if (pool->open == 0)
        co_queue_shutdown(&pool->queue, false);
    int rc;
    {
        CO_GROUP(staff);
        for (size_t i = 0; i < n; i++) {
            stats->workers[i].jobs = 0;
            stats->workers[i].succeeded = 0;
            stats->workers[i].failed = 0;
            workers[i].pool = pool;
            workers[i].stats = &stats->workers[i];
            co_spawn(&staff, work, &workers[i]);
        }
        rc = co_join(&staff);
    }
    free(workers);
    sum_up(stats, n, begin);
    return rc;
}
