/* Correct, with a dispatcher: pool_run itself holds the list of jobs and all the numbers, and tasks only send messages. A worker gets
 * its jobs through a queue of its own. */
#include "pool.h"

#include <stdlib.h>

enum what { FREE, ANSWERED, LOOK };     /* LOOK: jobs were added, or the pool was stopped */

struct worker {
    struct pool *pool;
    struct co_queue inbox;              /* one URL at a time; shut: go home */
    struct worker_stats *stats;
    struct worker *next;                /* in the list of those that are free */
    const char *refused;                /* was told to stop before it could begin this */
};

struct message {
    enum what what;
    struct worker *from;
};

struct pool {
    struct pool_config config;
    struct co_queue jobs, mail, left;
    bool stopping, running;
};

struct pool *pool_open(const struct pool_config *config)
{
    struct pool *pool = malloc(sizeof *pool);
    if (!pool)
        return NULL;
    *pool = (struct pool){.config = *config};
    return pool;
}

void pool_close(struct pool **pool)
{
    if (!*pool)
        return;
    void *message;
    while (co_queue_try_get(&(*pool)->mail, &message) == 0)
        free(message);
    co_queue_destroy(&(*pool)->mail);
    co_queue_destroy(&(*pool)->jobs);
    co_queue_destroy(&(*pool)->left);
    free(*pool);
    *pool = NULL;
}

static int send(struct pool *pool, enum what what, struct worker *from)
{
    struct message *message = malloc(sizeof *message);
    if (!message)
        return -ENOMEM;
    *message = (struct message){what, from};
    return co_queue_try_put(&pool->mail, message);
}

int pool_add(struct pool *pool, const char *url)
{
    int rc = co_queue_try_put(&pool->jobs, (void *)url);
    return rc == 0 && pool->running ? send(pool, LOOK, NULL) : rc;
}

void pool_stop(struct pool *pool)
{
    pool->stopping = true;
    if (pool->running)
        (void)send(pool, LOOK, NULL);
}

int pool_take_back(struct pool *pool, const char **url)
{
    void *item;
    if (co_queue_try_get(&pool->left, &item) < 0 && co_queue_try_get(&pool->jobs, &item) < 0)
        return 0;
    *url = item;
    return 1;
}

static int serve(struct worker *self, const char *url)
{
    struct pool *pool = self->pool;
    if (pool->stopping) {
        self->refused = url;
        return send(pool, ANSWERED, self);
    }
    CO_RESPONSE(page);
    int rc = co_http_get(url, &page);
    int sent = send(pool, ANSWERED, self);
    bool good = rc == 0 && page.status < 400;
    if (good && pool->config.handle)
        good = pool->config.handle(pool, url, &page, pool->config.arg) >= 0;
    self->stats->jobs++;
    self->stats->succeeded += good ? 1 : 0;
    self->stats->failed += good ? 0 : 1;
    return sent;
}

static int work(void *arg)
{
    struct worker *self = arg;
    for (;;) {
        int rc = send(self->pool, FREE, self);
        void *url;
        if (rc == 0)
            rc = co_queue_get(&self->inbox, &url);
        if (rc == 0)
            rc = serve(self, url);
        if (rc < 0)
            return rc == -ESHUTDOWN ? 0 : rc;
    }
}

static int dispatch(struct pool *pool)
{
    struct worker *free_first = NULL, **free_end = &free_first;
    size_t in_flight = 0, idle = 0, n = pool->config.workers;
    for (;;) {
        while (free_first && in_flight < pool->config.limit && !pool->stopping && co_queue_size(&pool->jobs) > 0) {
            void *url;
            struct worker *worker = free_first;
            int rc = co_queue_try_get(&pool->jobs, &url);       /* does not wait: what was just seen still holds */
            if (rc == 0)
                rc = co_queue_try_put(&worker->inbox, url);
            if (rc < 0)
                return rc;
            free_first = worker->next;
            if (!free_first)
                free_end = &free_first;
            in_flight++;
            idle--;
        }
        if (idle == n && (pool->stopping || co_queue_size(&pool->jobs) == 0))
            return 0;
        void *item;
        int rc = co_queue_get(&pool->mail, &item);
        if (rc < 0)
            return rc;
        struct message message = *(struct message *)item;
        free(item);
        if (message.what == FREE) {
            message.from->next = NULL;
            *free_end = message.from;
            free_end = &message.from->next;
            idle++;
        } else if (message.what == ANSWERED) {
            in_flight--;
            if (message.from->refused)
                rc = co_queue_try_put(&pool->left, (void *)message.from->refused);
            message.from->refused = NULL;
            if (rc < 0)
                return rc;
        }
    }
}

static int run(struct pool *pool, struct worker *workers)
{
    CO_GROUP(group);
    for (size_t i = 0; i < pool->config.workers; i++)
        co_spawn(&group, work, &workers[i]);
    int rc = dispatch(pool);
    for (size_t i = 0; i < pool->config.workers; i++)
        co_queue_shutdown(&workers[i].inbox, false);
    int joined = co_join(&group);
    return rc < 0 ? rc : joined;
}

int pool_run(struct pool *pool, struct pool_stats *stats)
{
    int64_t start = co_now();
    size_t n = pool->config.workers;
    struct worker *workers = calloc(n, sizeof *workers);
    if (!workers)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        stats->workers[i] = (struct worker_stats){0};
        workers[i].pool = pool;
        workers[i].stats = &stats->workers[i];
    }
    pool->running = true;
    int rc = run(pool, workers);
    pool->running = false;
    stats->jobs = stats->succeeded = stats->failed = 0;
    for (size_t i = 0; i < n; i++) {
        co_queue_destroy(&workers[i].inbox);
        stats->jobs += stats->workers[i].jobs;
        stats->succeeded += stats->workers[i].succeeded;
        stats->failed += stats->workers[i].failed;
    }
    free(workers);
    stats->elapsed = co_now() - start;
    return rc;
}
