/* A linked list and an event; no queue, no semaphore of the kit. A worker that has nothing to do waits for news and
 * then looks again. */
#include "pool.h"

#include <stdlib.h>

struct job {
    const char *url;
    struct job *next;
};

struct pool {
    size_t workers, limit;
    pool_handler *handle;
    void *arg;
    struct job *first, **end;       /* end: where the next one is hooked in */
    size_t in_flight;               /* requests */
    size_t busy;                    /* workers that have a job */
    bool stopped;
    struct co_event news;
};

struct worker {
    struct pool *pool;
    struct worker_stats *stats;
};

struct pool *pool_open(const struct pool_config *config)
{
    struct pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL)
        return NULL;
    pool->workers = config->workers;
    pool->limit = config->limit;
    pool->handle = config->handle;
    pool->arg = config->arg;
    pool->end = &pool->first;
    return pool;
}

static const char *pop(struct pool *pool)
{
    struct job *job = pool->first;
    const char *url = job->url;
    pool->first = job->next;
    if (pool->first == NULL)
        pool->end = &pool->first;
    free(job);
    return url;
}

void pool_close(struct pool **pool)
{
    if (*pool == NULL)
        return;
    while ((*pool)->first != NULL)
        pop(*pool);
    free(*pool);
    *pool = NULL;
}

int pool_add(struct pool *pool, const char *url)
{
    struct job *job = malloc(sizeof *job);
    if (job == NULL)
        return -ENOMEM;
    job->url = url;
    job->next = NULL;
    *pool->end = job;
    pool->end = &job->next;
    co_event_set(&pool->news);
    return 0;
}

/* An iterator: 1 and a job that may begin now, 0 at the end, < 0 when cancelled. */
static int next_job(struct pool *pool, const char **url)
{
    for (;;) {
        if (pool->stopped || (pool->first == NULL && pool->busy == 0))
            return 0;
        if (pool->first != NULL && pool->in_flight < pool->limit) {
            *url = pop(pool);
            return 1;
        }
        co_event_clear(&pool->news);
        int rc = co_event_wait(&pool->news);
        if (rc < 0)
            return rc;
    }
}

static int worker(void *arg)
{
    struct worker *self = arg;
    struct pool *pool = self->pool;
    const char *url;
    int rc;
    while ((rc = next_job(pool, &url)) > 0) {
        struct co_response page = {0};
        pool->busy++;
        pool->in_flight++;
        int result = co_http_get(url, &page);
        pool->in_flight--;
        co_event_set(&pool->news);
        if (result == 0 && page.status >= 400)
            result = -1;
        if (result == 0 && pool->handle != NULL)
            result = pool->handle(pool, url, &page, pool->arg);
        co_response_free(&page);
        self->stats->jobs++;
        if (result < 0)
            self->stats->failed++;
        else
            self->stats->succeeded++;
        pool->busy--;
        co_event_set(&pool->news);
    }
    return rc;
}

int pool_run(struct pool *pool, struct pool_stats *stats)
{
    int64_t start = co_now();
    struct worker *w = malloc(pool->workers * sizeof *w);
    if (w == NULL)
        return -ENOMEM;
    int rc;
    {
        CO_GROUP(group);
        for (size_t i = 0; i < pool->workers; i++) {
            stats->workers[i] = (struct worker_stats){0, 0, 0};
            w[i].pool = pool;
            w[i].stats = &stats->workers[i];
            co_spawn(&group, worker, &w[i]);
        }
        rc = co_join(&group);
    }
    free(w);
    stats->jobs = 0;
    stats->succeeded = 0;
    stats->failed = 0;
    for (size_t i = 0; i < pool->workers; i++) {
        stats->jobs += stats->workers[i].jobs;
        stats->succeeded += stats->workers[i].succeeded;
        stats->failed += stats->workers[i].failed;
    }
    stats->elapsed = co_now() - start;
    return rc;
}

void pool_stop(struct pool *pool)
{
    pool->stopped = true;
    co_event_set(&pool->news);
}

int pool_take_back(struct pool *pool, const char **url)
{
    if (pool->first == NULL)
        return 0;
    *url = pop(pool);
    return 1;
}
