/* Two semaphores: one counts the jobs, one the places. */
#include "pool.h"

#include <stdlib.h>

struct node {
    struct node *next;
    const char *url;
};

struct pool {
    struct pool_config config;
    struct node *head, *tail;
    struct co_sem tickets;          /* one for each job that waits */
    struct co_sem places;
    size_t unfinished;
    bool stopped, over;
};

struct staff {
    struct pool *pool;
    struct worker_stats *stats;
};

struct pool *pool_open(const struct pool_config *config)
{
    struct pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return NULL;
    pool->config = *config;
    pool->places = (struct co_sem)CO_SEM_INIT((int)config->limit);
    return pool;
}

int pool_take_back(struct pool *pool, const char **url)
{
    struct node *node = pool->head;
    if (!node)
        return 0;
    *url = node->url;
    pool->head = node->next;
    if (!pool->head)
        pool->tail = NULL;
    free(node);
    return 1;
}

void pool_close(struct pool **pool)
{
    if (!*pool)
        return;
    free(*pool);
    *pool = NULL;
}

int pool_add(struct pool *pool, const char *url)
{
    struct node *node = malloc(sizeof *node);
    if (!node)
        return -ENOMEM;
    *node = (struct node){.url = url};
    if (pool->tail)
        pool->tail->next = node;
    else
        pool->head = node;
    pool->tail = node;
    pool->unfinished++;
    co_sem_release(&pool->tickets);
    return 0;
}

static void all_over(struct pool *pool)
{
    if (pool->over)
        return;
    pool->over = true;
    for (size_t i = 0; i < pool->config.workers; i++) {
        co_sem_release(&pool->tickets);
        co_sem_release(&pool->places);      /* whoever waits for a place is to look, too */
    }
}

static int go_on(struct staff *me)
{
    struct pool *pool = me->pool;
    int rc = co_sem_acquire(&pool->tickets);
    if (rc == 0)
        rc = co_sem_acquire(&pool->places);
    if (rc < 0)
        return rc;
    const char *url;
    if (pool->over || pool->stopped || !pool_take_back(pool, &url)) {
        co_sem_release(&pool->places);
        return 0;
    }
    CO_RESPONSE(page);
    rc = co_http_get(url, &page);
    co_sem_release(&pool->places);
    if (rc == 0)
        rc = page.status < 400 ? 0 : -EIO;
    if (rc == 0 && pool->config.handle)
        rc = pool->config.handle(pool, url, &page, pool->config.arg);
    *(rc < 0 ? &me->stats->failed : &me->stats->succeeded) += 1;
    me->stats->jobs += 1;
    if (--pool->unfinished == 0)
        all_over(pool);
    return 1;
}

static int serve(void *job)
{
    int rc;
    while ((rc = go_on(job)) > 0)
        ;
    return rc;
}

int pool_run(struct pool *pool, struct pool_stats *stats)
{
    int64_t since = co_now();
    struct worker_stats *all = stats->workers;
    *stats = (struct pool_stats){.workers = all};
    struct staff *staff = calloc(pool->config.workers, sizeof *staff);
    if (!staff)
        return -ENOMEM;
    for (size_t i = 0; i < pool->config.workers; i++) {
        all[i] = (struct worker_stats){0};
        staff[i] = (struct staff){pool, &all[i]};
    }
    if (pool->unfinished == 0)
        all_over(pool);
    int rc = co_gather(serve, staff, pool->config.workers, sizeof *staff, NULL);
    free(staff);
    for (size_t i = 0; i < pool->config.workers; i++) {
        stats->jobs += all[i].jobs;
        stats->succeeded += all[i].succeeded;
        stats->failed += all[i].failed;
    }
    stats->elapsed = co_now() - since;
    return rc;
}

void pool_stop(struct pool *pool)
{
    pool->stopped = true;
    all_over(pool);
}
