#include "pool.h"

#include <stdlib.h>

struct pool {
    struct pool_config config;
    struct co_queue jobs, left;
    struct co_sem places;
    struct co_lock door;
    bool closed;
};

struct hand {
    struct pool *pool;
    struct worker_stats done;
};

struct pool *pool_open(const struct pool_config *config)
{
    struct pool *pool = malloc(sizeof *pool);
    if (!pool)
        return NULL;
    *pool = (struct pool){
        .config = *config,
        .places = CO_SEM_INIT((uint8_t)config->limit),
        .door = CO_LOCK_INIT,
    };
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

void pool_stop(struct pool *pool)
{
    pool->closed = true;
}

int pool_take_back(struct pool *pool, const char **url)
{
    void *item = NULL;
    int rc = co_queue_try_get(&pool->left, &item);
    if (rc < 0)
        rc = co_queue_try_get(&pool->jobs, &item);
    if (rc == 0)
        *url = item;
    return rc == 0;
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

/* Enters with a place and a job. Jobs that may not begin are put aside. 0, or why not. */
static int enter(struct pool *pool, void **url)
{
    int rc = co_sem_acquire(&pool->places);
    if (rc < 0)
        return rc;
    while ((rc = co_queue_get(&pool->jobs, url)) == 0 && pool->closed) {
        rc = co_queue_try_put(&pool->left, *url);
        co_queue_task_done(&pool->jobs);
        if (rc < 0)
            break;
    }
    if (rc < 0)
        co_sem_release(&pool->places);
    return rc;
}

static int serve(void *arg)
{
    struct hand *hand = arg;
    struct pool *pool = hand->pool;
    for (;;) {
        void *url = NULL;
        int rc = -ECANCELED;
        CO_WITH_LOCK(&pool->door)
            rc = enter(pool, &url);
        if (rc < 0)
            return rc == -ESHUTDOWN ? 0 : rc;
        struct co_response page;
        rc = co_http_get(url, &page);
        co_sem_release(&pool->places);
        if (rc == 0 && page.status > 399)
            rc = -EBADMSG;
        if (rc == 0 && pool->config.handle)
            rc = pool->config.handle(pool, url, &page, pool->config.arg);
        count(&hand->done, rc >= 0);
        co_response_free(&page);
        co_queue_task_done(&pool->jobs);
    }
}

int pool_run(struct pool *pool, struct pool_stats *stats)
{
    int64_t begin = co_now();
    size_t n = pool->config.workers;
    struct hand *hands = calloc(n, sizeof *hands);
    if (!hands)
        return -ENOMEM;
    int rc;
    {
        CO_GROUP(group);
        for (size_t i = 0; i < n; i++) {
            hands[i].pool = pool;
            co_spawn(&group, serve, &hands[i]);
        }
        rc = co_queue_join(&pool->jobs);
        co_queue_shutdown(&pool->jobs, false);
        int joined = co_join(&group);
        rc = rc ? rc : joined;
    }
    for (size_t i = 0; i < n; i++)
        stats->workers[i] = hands[i].done;
    free(hands);
    sum_up(stats, n, begin);
    return rc;
}
