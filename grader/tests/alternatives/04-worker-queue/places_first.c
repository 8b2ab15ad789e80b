/* Correct, the other way round: a worker first takes a place in the limit, then the oldest job; it may stand there with its place
 * and wait for one. No co_queue: an array, and an event that says "something has changed". */
#include "pool.h"

#include <stdlib.h>

struct pool {
    size_t workers;
    pool_handler *handle;
    void *arg;
    const char **jobs;
    size_t first, n, room;          /* jobs[first..n) wait */
    size_t busy;
    bool stopped;
    struct co_sem places;
    struct co_event changed;
};

struct self {
    struct pool *pool;
    size_t index;
    struct worker_stats *stats;
};

struct pool *pool_open(const struct pool_config *config)
{
    struct pool *p = malloc(sizeof *p);
    if (p)
        *p = (struct pool){.workers = config->workers, .handle = config->handle, .arg = config->arg,
                           .places = CO_BOUNDED_SEM_INIT((int)config->limit)};
    return p;
}

void pool_close(struct pool **pool)
{
    if (*pool)
        free((*pool)->jobs);
    free(*pool);
    *pool = NULL;
}

int pool_add(struct pool *p, const char *url)
{
    if (p->n == p->room) {
        const char **more = realloc(p->jobs, (2 * p->room + 8) * sizeof *more);
        if (!more)
            return -ENOMEM;
        p->jobs = more;
        p->room = 2 * p->room + 8;
    }
    p->jobs[p->n++] = url;
    co_event_set(&p->changed);
    return 0;
}

static bool over(const struct pool *p)
{
    return p->stopped || (p->first == p->n && p->busy == 0);
}

/* With a place in hand: 1 and a job, 0 at the end, < 0 when cancelled. */
static int take(struct pool *p, const char **url)
{
    while (!over(p) && p->first == p->n) {
        co_event_clear(&p->changed);
        int rc = co_event_wait(&p->changed);
        if (rc < 0)
            return rc;
    }
    if (over(p))
        return 0;
    *url = p->jobs[p->first++];
    p->busy++;
    return 1;
}

static int worker(void *arg)
{
    struct self *self = arg;
    struct pool *p = self->pool;
    int rc;
    while ((rc = co_sem_acquire(&p->places)) == 0) {
        const char *url;
        rc = take(p, &url);
        if (rc <= 0) {
            co_sem_release(&p->places);
            co_event_set(&p->changed);
            return rc;
        }
        struct co_response page;
        rc = co_http_get(url, &page);
        co_sem_release(&p->places);
        if (rc == 0 && page.status >= 400)
            rc = -EBADMSG;
        if (rc == 0 && p->handle)
            rc = p->handle(p, url, &page, p->arg);
        co_response_free(&page);
        *(rc < 0 ? &self->stats->failed : &self->stats->succeeded) += 1;
        self->stats->jobs += 1;
        p->busy--;
        co_event_set(&p->changed);
    }
    return rc;
}

int pool_run(struct pool *p, struct pool_stats *stats)
{
    int64_t start = co_now();
    struct self selves[p->workers];
    int rc;
    {
        CO_GROUP(group);
        for (size_t i = 0; i < p->workers; i++) {
            stats->workers[i] = (struct worker_stats){0};
            selves[i] = (struct self){p, i, &stats->workers[i]};
            co_spawn(&group, worker, &selves[i]);
        }
        rc = co_join(&group);
    }
    stats->jobs = stats->succeeded = stats->failed = 0;
    for (size_t i = 0; i < p->workers; i++) {
        stats->jobs += stats->workers[i].jobs;
        stats->succeeded += stats->workers[i].succeeded;
        stats->failed += stats->workers[i].failed;
    }
    stats->elapsed = co_now() - start;
    return rc;
}

void pool_stop(struct pool *p)
{
    p->stopped = true;
    co_event_set(&p->changed);
}

int pool_take_back(struct pool *p, const char **url)
{
    if (p->first == p->n)
        return 0;
    *url = p->jobs[p->first++];
    return 1;
}
