/* Jobs in rounds: as many at a time as the limit allows. */
#include "pool.h"

#include <stdlib.h>

struct pool {
    struct pool_config config;
    struct co_queue jobs;
    bool stopped;
};

struct one {
    struct pool *pool;
    struct worker_stats *stats;
    const char *url;
};

struct pool *pool_open(const struct pool_config *config)
{
    struct pool *pool = calloc(1, sizeof *pool);
    if (pool) {
        pool->config = *config;
        co_queue_init(&pool->jobs, 0);
    }
    return pool;
}

void pool_close(struct pool **pool)
{
    if (*pool)
        co_queue_destroy(&(*pool)->jobs);
    free(*pool);
    *pool = NULL;
}

int pool_add(struct pool *pool, const char *url)
{
    return co_queue_try_put(&pool->jobs, (void *)url);
}

static int do_one(void *arg)
{
    struct one *one = arg;
    struct pool *pool = one->pool;
    CO_RESPONSE(page);
    int rc = co_http_get(one->url, &page);
    if (rc == 0 && page.status >= 400)
        rc = -EBADMSG;
    if (rc == 0 && pool->config.handle)
        rc = pool->config.handle(pool, one->url, &page, pool->config.arg);
    one->stats->jobs++;
    if (rc < 0)
        one->stats->failed++;
    else
        one->stats->succeeded++;
    return 0;
}

int pool_run(struct pool *pool, struct pool_stats *stats)
{
    int64_t began = co_now();
    size_t n = pool->config.workers, most = n < pool->config.limit ? n : pool->config.limit;
    for (size_t i = 0; i < n; i++)
        stats->workers[i] = (struct worker_stats){0};
    int rc = 0;
    while (rc == 0 && !pool->stopped && co_queue_size(&pool->jobs) > 0) {
        struct one round[most];
        size_t k = 0;
        void *url;
        while (k < most && co_queue_try_get(&pool->jobs, &url) == 0) {
            round[k] = (struct one){pool, &stats->workers[k], url};
            k++;
        }
        rc = co_gather(do_one, round, k, sizeof round[0], NULL);
    }
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
