#include "pool.h"

#include <stdlib.h>

struct pool {
    struct pool_config config;
    struct co_queue jobs;       /* they wait                        */
    struct co_queue left;       /* they will not be begun any more  */
    struct co_sem places;
    bool is_stopped;
    bool no_memory;             /* for a job that was to be put aside */
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
    pool->places = (struct co_sem)CO_SEM_INIT(config->limit > 64 ? 64 : (int)config->limit);
    co_queue_init(&pool->jobs, 0);
    co_queue_init(&pool->left, 0);
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

static void put_aside(struct pool *pool, const char *url)
{
    if (co_queue_try_put(&pool->left, (void *)url) < 0)
        pool->no_memory = true;
}

static void do_job(struct pool *pool, struct worker_stats *stats, const char *url)
{
    CO_RESPONSE(page);
    bool is_begun = false;
    int rc = -ECANCELED;
    CO_WITH_SEM(&pool->places) {
        if (!pool->is_stopped) {
            is_begun = true;
            rc = co_http_get(url, &page);
        }
    }
    if (!is_begun) {
        put_aside(pool, url);
        return;
    }
    bool good = rc == 0 && page.status < 400;
    if (good && pool->config.handle)
        good = pool->config.handle(pool, url, &page, pool->config.arg) >= 0;
    count(stats, good);
}

static int work(void *arg)
{
    struct worker *worker = arg;
    struct pool *pool = worker->pool;
    void *url;
    int rc;
    while ((rc = co_queue_get(&pool->jobs, &url)) == 0) {
        do_job(pool, worker->stats, url);
        co_queue_task_done(&pool->jobs);
    }
    return rc == -ESHUTDOWN ? 0 : rc;
}

int pool_run(struct pool *pool, struct pool_stats *stats)
{
    int64_t begin = co_now();
    size_t n = pool->config.workers;
    struct worker *workers = malloc(n * sizeof *workers);
    if (!workers)
        return -ENOMEM;
    int rc;
    {
        CO_GROUP(group);
        for (size_t i = 0; i < n; i++) {
            stats->workers[i] = (struct worker_stats){0};
            workers[i] = (struct worker){pool, &stats->workers[i]};
            co_spawn(&group, work, &workers[i]);
        }
        rc = co_queue_join(&pool->jobs);
        co_queue_shutdown(&pool->jobs, false);
        int joined = co_join(&group);
        rc = rc < 0 ? rc : joined;
    }
    free(workers);
    sum_up(stats, n, begin);
    return pool->no_memory ? -ENOMEM : rc;
}

void pool_stop(struct pool *pool)
{
    pool->is_stopped = true;
}

int pool_take_back(struct pool *pool, const char **url)
{
    void *item;
    if (co_queue_try_get(&pool->left, &item) < 0 && co_queue_try_get(&pool->jobs, &item) < 0)
        return 0;
    *url = item;
    return 1;
}
