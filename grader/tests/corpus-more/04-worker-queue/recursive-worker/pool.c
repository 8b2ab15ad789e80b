#include "pool.h"

#include <stdlib.h>

struct pool {
    struct pool_config config;
    struct co_queue waiting;
    struct co_queue left;
    struct co_sem places;
    bool stopping;
};

struct pool *pool_open(const struct pool_config *config)
{
    struct pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return NULL;
    pool->config = *config;
    co_queue_init(&pool->waiting, 0);
    co_queue_init(&pool->left, 0);
    pool->places = (struct co_sem)CO_SEM_INIT((int)config->limit);
    return pool;
}

void pool_close(struct pool **pool)
{
    if (!*pool)
        return;
    co_queue_destroy(&(*pool)->waiting);
    co_queue_destroy(&(*pool)->left);
    free(*pool);
    *pool = NULL;
}

int pool_add(struct pool *pool, const char *url)
{
    return co_queue_try_put(&pool->waiting, (void *)url);
}

struct worker {
    struct pool *pool;
    struct worker_stats *stats;
};

static int work(void *arg);

static int do_job(struct worker *self, const char *url)
{
    struct pool *pool = self->pool;
    struct worker_stats *stats = self->stats;
    CO_RESPONSE(page);
    int rc = -ECANCELED;
    CO_WITH_SEM(&pool->places) {
        if (pool->stopping) {
            if (co_queue_try_put(&pool->left, (void *)url) < 0)
                abort();
            co_queue_task_done(&pool->waiting);
            goto next;
        }
        rc = co_http_get(url, &page);
    }
    bool ok = rc == 0 && page.status < 400;
    if (ok && pool->config.handle)
        ok = pool->config.handle(pool, url, &page, pool->config.arg) >= 0;
    stats->jobs++;
    if (ok)
        stats->succeeded++;
    else
        stats->failed++;
    co_queue_task_done(&pool->waiting);
next:
    return work(self);
}

static int work(void *arg)
{
    struct worker *self = arg;
    void *item;
    int rc = co_queue_get(&self->pool->waiting, &item);
    if (rc == -ESHUTDOWN)
        return 0;
    return rc < 0 ? rc : do_job(self, item);
}

static int run_workers(struct pool *pool, struct worker workers[])
{
    CO_GROUP(group);
    for (size_t i = 0; i < pool->config.workers; i++)
        co_spawn(&group, work, &workers[i]);
    int rc = co_queue_join(&pool->waiting);
    co_queue_shutdown(&pool->waiting, false);
    int ended = co_join(&group);
    return rc < 0 ? rc : ended;
}

int pool_run(struct pool *pool, struct pool_stats *stats)
{
    int64_t start = co_now();
    struct worker *workers = malloc(pool->config.workers * sizeof *workers);
    if (!workers)
        return -ENOMEM;
    for (size_t i = 0; i < pool->config.workers; i++) {
        stats->workers[i] = (struct worker_stats){0};
        workers[i] = (struct worker){pool, &stats->workers[i]};
    }
    int rc = run_workers(pool, workers);
    free(workers);
    stats->jobs = stats->succeeded = stats->failed = 0;
    for (size_t i = 0; i < pool->config.workers; i++) {
        stats->jobs += stats->workers[i].jobs;
        stats->succeeded += stats->workers[i].succeeded;
        stats->failed += stats->workers[i].failed;
    }
    stats->elapsed = co_now() - start;
    return rc;
}

void pool_stop(struct pool *pool)
{
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
