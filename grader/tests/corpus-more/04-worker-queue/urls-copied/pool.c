#include "pool.h"

#include <stdlib.h>
#include <string.h>

struct job {
    struct job *next;
    const char *url;
};

struct pool {
    struct pool_config config;
    struct job *first, **end;
    struct co_event changed;
    size_t in_flight, busy;
    char **copies;
    size_t n;
    bool stopped;
};

struct worker {
    struct pool *pool;
    struct worker_stats stats;
};

struct pool *pool_open(const struct pool_config *config)
{
    struct pool *pool = malloc(sizeof *pool);
    if (pool) {
        *pool = (struct pool){.config = *config};
        pool->end = &pool->first;
    }
    return pool;
}

int pool_add(struct pool *pool, const char *url)
{
    char **copies = realloc(pool->copies, (pool->n + 1) * sizeof *copies);
    if (copies)
        pool->copies = copies;
    char *copy = copies ? strdup(url) : NULL;
    if (!copy)
        return -ENOMEM;
    pool->copies[pool->n++] = copy;
    struct job *job = malloc(sizeof *job);
    if (!job)
        return -ENOMEM;
    job->url = copy;
    job->next = NULL;
    *pool->end = job;
    pool->end = &job->next;
    co_event_set(&pool->changed);
    return 0;
}

int pool_take_back(struct pool *pool, const char **url)
{
    struct job *job = pool->first;
    if (!job)
        return 0;
    *url = job->url;
    pool->first = job->next;
    if (!pool->first)
        pool->end = &pool->first;
    free(job);
    return 1;
}

void pool_close(struct pool **pool)
{
    const char *url;
    if (!*pool)
        return;
    while (pool_take_back(*pool, &url))
        ;
    for (size_t i = 0; i < (*pool)->n; i++)
        free((*pool)->copies[i]);
    free((*pool)->copies);
    free(*pool);
    *pool = NULL;
}

void pool_stop(struct pool *pool)
{
    pool->stopped = true;
    co_event_set(&pool->changed);
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

/* The next job that may begin now: 1 and its URL; 0 at the end of all work; or -ECANCELED. */
static int next_job(struct pool *pool, const char **url)
{
    for (;;) {
        bool waits = pool->first && !pool->stopped;
        if (waits && pool->in_flight < pool->config.limit)
            return pool_take_back(pool, url);
        if (!waits && pool->busy == 0)
            return 0;
        co_event_clear(&pool->changed);
        int rc = co_event_wait(&pool->changed);
        if (rc < 0)
            return rc;
    }
}

static int work(void *arg)
{
    struct worker *worker = arg;
    struct pool *pool = worker->pool;
    const char *url;
    int rc;
    while ((rc = next_job(pool, &url)) > 0) {
        CO_RESPONSE(page);
        pool->busy++;
        pool->in_flight++;
        rc = co_http_get(url, &page);
        pool->in_flight--;
        co_event_set(&pool->changed);
        if (rc == 0 && page.status >= 400)
            rc = -EBADMSG;
        if (rc == 0 && pool->config.handle)
            rc = pool->config.handle(pool, url, &page, pool->config.arg);
        count(&worker->stats, rc >= 0);
        pool->busy--;
        co_event_set(&pool->changed);
    }
    return rc;
}

int pool_run(struct pool *pool, struct pool_stats *stats)
{
    int64_t begin = co_now();
    struct worker *workers = calloc(pool->config.workers, sizeof *workers);
    if (!workers)
        return -ENOMEM;
    for (size_t i = 0; i < pool->config.workers; i++)
        workers[i].pool = pool;
    int rc = co_gather(work, workers, pool->config.workers, sizeof *workers, NULL);
    for (size_t i = 0; i < pool->config.workers; i++)
        stats->workers[i] = workers[i].stats;
    free(workers);
    sum_up(stats, pool->config.workers, begin);
    return rc;
}
