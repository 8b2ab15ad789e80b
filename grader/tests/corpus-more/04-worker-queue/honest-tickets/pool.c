/* Everybody draws a ticket. The smallest number is next. */
#include "pool.h"

#include <stdlib.h>

struct ticket {
    uint64_t number;
    const char *url;
    struct ticket *next;
};

struct pool {
    struct pool_config cfg;
    struct co_queue q;
    struct co_sem sem;
    uint64_t numbers;
    struct ticket *left;
    bool stop;
};

static int by_number(const void *a, const void *b)
{
    uint64_t x = ((const struct ticket *)a)->number, y = ((const struct ticket *)b)->number;
    return (x > y) - (x < y);
}

struct pool *pool_open(const struct pool_config *config)
{
    struct pool *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->cfg = *config;
    p->q.compare = by_number;
    p->sem.value = (int)config->limit;
    return p;
}

static void drop_all(struct ticket *t)
{
    while (t) {
        struct ticket *next = t->next;
        free(t);
        t = next;
    }
}

void pool_close(struct pool **pool)
{
    struct pool *p = *pool;
    void *t;
    if (!p)
        return;
    while (co_queue_try_get(&p->q, &t) == 0)
        free(t);
    drop_all(p->left);
    co_queue_destroy(&p->q);
    free(p);
    *pool = NULL;
}

int pool_add(struct pool *pool, const char *url)
{
    struct ticket *t = malloc(sizeof *t);
    if (!t)
        return -ENOMEM;
    *t = (struct ticket){.number = pool->numbers++, .url = url};
    int rc = co_queue_try_put(&pool->q, t);
    if (rc < 0)
        free(t);
    return rc;
}

struct clerk {
    struct pool *pool;
    struct worker_stats count;
};

/* Does what the ticket says. The ticket is freed, or hangs in the list of those to hand back. */
static void serve(struct clerk *clerk, struct ticket *t)
{
    struct pool *p = clerk->pool;
    CO_RESPONSE(page);
    int rc = -ECANCELED;
    CO_WITH_SEM(&p->sem) {
        if (p->stop) {
            t->next = p->left;
            p->left = t;
            return;
        }
        rc = co_http_get(t->url, &page);
    }
    if (rc == 0 && page.status >= 400)
        rc = -page.status;
    if (rc == 0 && p->cfg.handle)
        rc = p->cfg.handle(p, t->url, &page, p->cfg.arg);
    free(t);
    clerk->count.jobs++;
    clerk->count.succeeded += rc >= 0;
    clerk->count.failed += rc < 0;
}

static int clerk_task(void *arg)
{
    struct clerk *clerk = arg;
    void *t;
    for (;;) {
        int rc = co_queue_get(&clerk->pool->q, &t);
        if (rc == -ESHUTDOWN)
            return 0;
        if (rc < 0)
            return rc;
        serve(clerk, t);
        co_queue_task_done(&clerk->pool->q);
    }
}

static int open_office(struct pool *p, struct clerk *clerks)
{
    CO_GROUP(office);
    co_task *gone;
    for (size_t i = 0; i < p->cfg.workers; i++)
        co_spawn(&office, clerk_task, &clerks[i]);
    int rc = co_queue_join(&p->q);
    if (rc < 0)
        return rc;                      /* the block's end sends them home */
    co_queue_shutdown(&p->q, false);
    while ((rc = co_next_done(&office, &gone)) > 0)
        ;
    return rc;
}

int pool_run(struct pool *pool, struct pool_stats *stats)
{
    int64_t before = co_now();
    struct clerk *clerks = calloc(pool->cfg.workers, sizeof *clerks);
    if (!clerks)
        return -ENOMEM;
    for (size_t i = 0; i < pool->cfg.workers; i++)
        clerks[i].pool = pool;
    int rc = open_office(pool, clerks);
    stats->jobs = stats->succeeded = stats->failed = 0;
    for (size_t i = 0; i < pool->cfg.workers; i++) {
        stats->workers[i] = clerks[i].count;
        stats->jobs += clerks[i].count.jobs;
        stats->succeeded += clerks[i].count.succeeded;
        stats->failed += clerks[i].count.failed;
    }
    free(clerks);
    stats->elapsed = co_now() - before;
    return rc;
}

void pool_stop(struct pool *pool)
{
    pool->stop = true;
}

int pool_take_back(struct pool *pool, const char **url)
{
    struct ticket *t = pool->left;
    if (!t)
        return 0;
    pool->left = t->next;
    *url = t->url;
    free(t);
    return 1;
}
