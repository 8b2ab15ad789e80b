/* Lab 04. I did not use co_queue: idle workers sit in a list and each one has a bell. */
#include "pool.h"

#include <stdlib.h>
#include <string.h>

struct seat {
    struct pool *pool;
    struct worker_stats *mine;
    struct co_event bell;
    struct seat *behind;
};

struct pool {
    struct pool_config config;
    const char **line;              /* jobs that wait: line[from..to) */
    size_t from, to, room;
    struct seat *idle, *idle_last;
    size_t flying;                  /* requests */
    size_t busy;                    /* workers that have a job */
    bool stopped;
};

static bool can_begin(const struct pool *p)
{
    return !p->stopped && p->from < p->to && p->flying < p->config.limit;
}

static bool over(const struct pool *p)
{
    return p->busy == 0 && (p->stopped || p->from == p->to);
}

static void ring_one(struct pool *p)
{
    struct seat *seat = p->idle;
    if (!seat)
        return;
    p->idle = seat->behind;
    if (!p->idle)
        p->idle_last = NULL;
    co_event_set(&seat->bell);
}

static void ring_all(struct pool *p)
{
    while (p->idle)
        ring_one(p);
}

static int sit_down(struct seat *seat)
{
    struct pool *p = seat->pool;
    co_event_clear(&seat->bell);
    seat->behind = NULL;
    if (p->idle_last)
        p->idle_last->behind = seat;
    else
        p->idle = seat;
    p->idle_last = seat;
    return co_event_wait(&seat->bell);
}

struct pool *pool_open(const struct pool_config *config)
{
    struct pool *p = calloc(1, sizeof *p);
    if (p)
        p->config = *config;
    return p;
}

void pool_close(struct pool **pool)
{
    if (*pool)
        free((*pool)->line);
    free(*pool);
    *pool = NULL;
}

int pool_add(struct pool *pool, const char *url)
{
    if (pool->to == pool->room) {
        size_t room = pool->room ? pool->room * 2 : 8;
        const char **line = realloc(pool->line, room * sizeof *line);
        if (!line)
            return -ENOMEM;
        pool->line = line;
        pool->room = room;
    }
    pool->line[pool->to++] = url;
    if (can_begin(pool))
        ring_one(pool);
    return 0;
}

static int one_job(struct seat *seat)
{
    struct pool *p = seat->pool;
    const char *url = p->line[p->from++];
    CO_RESPONSE(page);

    p->flying++;
    p->busy++;
    if (can_begin(p))
        ring_one(p);
    int rc = co_http_get(url, &page);
    p->flying--;
    if (can_begin(p))
        ring_one(p);
    if (rc == -ECANCELED)
        return rc;
    bool good = rc == 0 && page.status < 400;
    if (good && p->config.handle)
        good = p->config.handle(p, url, &page, p->config.arg) >= 0;
    seat->mine->jobs++;
    if (good)
        seat->mine->succeeded++;
    else
        seat->mine->failed++;
    p->busy--;
    return 0;
}

static int serve(void *arg)
{
    struct seat *seat = arg;
    struct pool *p = seat->pool;
    int rc = 0;
    while (rc == 0 && !over(p))
        rc = can_begin(p) ? one_job(seat) : sit_down(seat);
    ring_all(p);
    return rc;
}

static int with_seats(struct pool *pool, struct seat seats[])
{
    CO_GROUP(staff);
    for (size_t i = 0; i < pool->config.workers; i++)
        co_spawn(&staff, serve, &seats[i]);
    return co_join(&staff);
}

int pool_run(struct pool *pool, struct pool_stats *stats)
{
    int64_t start = co_now();
    size_t n = pool->config.workers;
    struct seat *seats = calloc(n, sizeof *seats);
    if (!seats)
        return -ENOMEM;
    memset(stats->workers, 0, n * sizeof *stats->workers);
    for (size_t i = 0; i < n; i++) {
        seats[i].pool = pool;
        seats[i].mine = &stats->workers[i];
    }
    int rc = with_seats(pool, seats);
    pool->idle = pool->idle_last = NULL;
    free(seats);
    stats->jobs = stats->succeeded = stats->failed = 0;
    for (size_t i = 0; i < n; i++) {
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
    if (over(pool))
        ring_all(pool);
}

int pool_take_back(struct pool *pool, const char **url)
{
    if (pool->from == pool->to)
        return 0;
    *url = pool->line[--pool->to];
    return 1;
}
