/* Correct, with sentinels: jobs have a state, their numbers go through a queue, and when the last one is finished each worker gets
 * a NULL to end by. The workers are started and awaited by co_gather. */
#include "pool.h"

#include <stdlib.h>

enum state { NEW, BEGUN, HANDED_BACK };

struct job {
    const char *url;
    enum state state;
};

struct pool {
    struct pool_config config;
    struct co_queue numbers;            /* number + 1; NULL: the end */
    struct job *jobs;
    size_t n, capacity, open;           /* open: added and not finished */
    bool stopping;
    struct co_sem sem;
    size_t next_back;
};

struct worker {
    struct pool *pool;
    struct worker_stats stats;
};

struct pool *pool_open(const struct pool_config *config)
{
    struct pool *pool = calloc(1, sizeof(struct pool));
    if (pool) {
        pool->config = *config;
        pool->sem.value = (int)config->limit;
        co_queue_init(&pool->numbers, 0);
    }
    return pool;
}

void pool_close(struct pool **pool)
{
    if (*pool) {
        co_queue_destroy(&(*pool)->numbers);
        free((*pool)->jobs);
        free(*pool);
    }
    *pool = NULL;
}

int pool_add(struct pool *pool, const char *url)
{
    if (pool->n == pool->capacity) {
        size_t capacity = pool->capacity ? pool->capacity * 2 : 4;
        struct job *jobs = realloc(pool->jobs, capacity * sizeof *jobs);
        if (!jobs)
            return -ENOMEM;
        pool->jobs = jobs;
        pool->capacity = capacity;
    }
    pool->jobs[pool->n] = (struct job){url, NEW};
    int rc = co_queue_try_put(&pool->numbers, (void *)(uintptr_t)(pool->n + 1));
    if (rc == 0)
        pool->n++, pool->open++;
    return rc;
}

static int tell_the_end(struct pool *pool)
{
    int rc = 0;
    for (size_t i = 0; i < pool->config.workers && rc == 0; i++)
        rc = co_queue_try_put(&pool->numbers, NULL);
    return rc;
}

static void do_one(struct worker *worker, size_t number)
{
    struct pool *pool = worker->pool;
    if (co_sem_acquire(&pool->sem) < 0)
        return;
    if (pool->stopping) {
        co_sem_release(&pool->sem);
        return;
    }
    const char *url = pool->jobs[number].url;       /* not a pointer to the job: the array may move */
    pool->jobs[number].state = BEGUN;
    struct co_response answer = {0};
    int rc = co_http_get(url, &answer);
    co_sem_release(&pool->sem);
    bool failed = rc < 0 || answer.status >= 400;
    if (!failed && pool->config.handle != NULL)
        failed = pool->config.handle(pool, url, &answer, pool->config.arg) < 0;
    co_response_free(&answer);
    worker->stats.jobs++;
    if (failed)
        worker->stats.failed++;
    else
        worker->stats.succeeded++;
}

static int work(void *arg)
{
    struct worker *worker = arg;
    for (;;) {
        void *item;
        int rc = co_queue_get(&worker->pool->numbers, &item);
        if (rc < 0)
            return rc;
        if (!item)
            return 0;
        do_one(worker, (size_t)(uintptr_t)item - 1);
        if (--worker->pool->open == 0 && (rc = tell_the_end(worker->pool)) < 0)
            return rc;
    }
}

int pool_run(struct pool *pool, struct pool_stats *stats)
{
    size_t n = pool->config.workers;
    int64_t began = co_now();
    struct worker *workers = calloc(n, sizeof *workers);
    if (!workers)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        workers[i].pool = pool;
    int rc = pool->open == 0 ? tell_the_end(pool) : 0;
    if (rc == 0)
        rc = co_gather(work, workers, n, sizeof workers[0], NULL);
    struct pool_stats sum = {.workers = stats->workers};
    for (size_t i = 0; i < n; i++) {
        sum.workers[i] = workers[i].stats;
        sum.jobs += workers[i].stats.jobs;
        sum.succeeded += workers[i].stats.succeeded;
        sum.failed += workers[i].stats.failed;
    }
    free(workers);
    sum.elapsed = co_now() - began;
    *stats = sum;
    return rc;
}

void pool_stop(struct pool *pool)
{
    pool->stopping = true;
}

int pool_take_back(struct pool *pool, const char **url)
{
    for (; pool->next_back < pool->n; pool->next_back++) {
        struct job *job = &pool->jobs[pool->next_back];
        if (job->state == NEW) {
            job->state = HANDED_BACK;
            *url = job->url;
            return 1;
        }
    }
    return 0;
}
