/* Correct, without queue and semaphore: whoever changes something (a job is added, an answer is there, a worker is free) gives the
 * next job to the worker that has been free longest. Jobs are a linked list; each worker has an event of its own. */
#include "pool.h"

#include <stdlib.h>

struct job {
    const char *url;
    struct job *next;
};

struct worker {
    struct pool *pool;
    struct worker_stats *stats;
    struct co_event go;
    struct job *job;                /* what it was given */
    struct worker *next_free;
};

struct pool {
    struct pool_config config;
    struct job *first, **end;
    struct worker *free_first, **free_end;
    size_t in_flight, busy;
    bool stopping, over;
    struct worker *workers;         /* while pool_run runs */
};

struct pool *pool_open(const struct pool_config *config)
{
    struct pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return NULL;
    pool->config = *config;
    pool->end = &pool->first;
    pool->free_end = &pool->free_first;
    return pool;
}

int pool_take_back(struct pool *pool, const char **url)
{
    struct job *job = pool->first;
    if (!job)
        return 0;
    *url = job->url;
    pool->first = job->next;
    free(job);
    return 1;
}

void pool_close(struct pool **pool)
{
    const char *url;
    while (*pool && pool_take_back(*pool, &url))
        ;
    free(*pool);
    *pool = NULL;
}

/* Gives jobs to free workers, as far as the limit allows; wakes all at the end. */
static void go_on(struct pool *pool)
{
    while (!pool->stopping && pool->first && pool->free_first && pool->in_flight < pool->config.limit) {
        struct worker *worker = pool->free_first;
        pool->free_first = worker->next_free;
        if (!pool->free_first)
            pool->free_end = &pool->free_first;
        worker->job = pool->first;
        pool->first = worker->job->next;
        if (!pool->first)
            pool->end = &pool->first;
        pool->in_flight++;
        pool->busy++;
        co_event_set(&worker->go);
    }
    if (pool->workers && pool->busy == 0 && (pool->stopping || !pool->first)) {
        pool->over = true;
        for (size_t i = 0; i < pool->config.workers; i++)
            co_event_set(&pool->workers[i].go);
    }
}

int pool_add(struct pool *pool, const char *url)
{
    struct job *job = malloc(sizeof *job);
    if (!job)
        return -ENOMEM;
    *job = (struct job){.url = url};
    *pool->end = job;
    pool->end = &job->next;
    go_on(pool);
    return 0;
}

static void fetch(struct worker *self)
{
    struct pool *pool = self->pool;
    CO_RESPONSE(page);
    struct job *job = self->job;
    if (pool->stopping) {           /* between the hand-over and this turn */
        job->next = pool->first;
        if (!pool->first)
            pool->end = &job->next;
        pool->first = job;
        pool->in_flight--;
        return;
    }
    int rc = co_http_get(job->url, &page);
    pool->in_flight--;
    go_on(pool);
    bool good = rc == 0 && page.status < 400;
    if (good && pool->config.handle)
        good = pool->config.handle(pool, job->url, &page, pool->config.arg) >= 0;
    free(job);
    self->stats->jobs++;
    self->stats->succeeded += good;
    self->stats->failed += !good;
}

static int work(void *arg)
{
    struct worker *self = arg;
    struct pool *pool = self->pool;
    for (;;) {
        self->job = NULL;
        self->next_free = NULL;
        *pool->free_end = self;
        pool->free_end = &self->next_free;
        go_on(pool);
        int rc = co_event_wait(&self->go);
        if (rc < 0) {
            pool->stopping = true;      /* nobody is given a job any more that he would not see */
            free(self->job);
            return rc;
        }
        if (!self->job)
            return 0;
        co_event_clear(&self->go);
        fetch(self);
        pool->busy--;
    }
}

static int run(struct pool *pool, struct pool_stats *stats)
{
    CO_GROUP(group);
    for (size_t i = 0; i < pool->config.workers; i++) {
        stats->workers[i] = (struct worker_stats){0};
        pool->workers[i] = (struct worker){.pool = pool, .stats = &stats->workers[i]};
        co_spawn(&group, work, &pool->workers[i]);
    }
    return co_join(&group);
}

int pool_run(struct pool *pool, struct pool_stats *stats)
{
    int64_t start = co_now();
    pool->workers = calloc(pool->config.workers, sizeof *pool->workers);
    if (!pool->workers)
        return -ENOMEM;
    int rc = run(pool, stats);
    free(pool->workers);
    pool->workers = NULL;
    stats->succeeded = stats->failed = 0;
    for (size_t i = 0; i < pool->config.workers; i++) {
        stats->succeeded += stats->workers[i].succeeded;
        stats->failed += stats->workers[i].failed;
    }
    stats->jobs = stats->succeeded + stats->failed;
    stats->elapsed = co_now() - start;
    return rc;
}

void pool_stop(struct pool *pool)
{
    pool->stopping = true;
    go_on(pool);
}
