/* The place first, then the job: whoever holds a place and waits for a job keeps nobody from anything. The last job that is
 * finished shuts the queue down. */
#include "pool.h"

#include <stdlib.h>

struct list {
    const char **urls;
    size_t n, room;
};

struct pool {
    struct pool_config cfg;
    struct co_queue queue;
    struct co_sem places;
    size_t pending;                 /* added, and neither finished nor put aside */
    bool stopped;
    struct list aside;
};

struct worker {
    struct pool *pool;
    struct worker_stats *counts;
};

static int append(struct list *list, const char *url)
{
    if (list->n == list->room) {
        size_t room = list->room ? 2 * list->room : 16;
        const char **urls = realloc(list->urls, room * sizeof *urls);
        if (!urls)
            return -ENOMEM;
        list->urls = urls;
        list->room = room;
    }
    list->urls[list->n++] = url;
    return 0;
}

struct pool *pool_open(const struct pool_config *config)
{
    struct pool *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->cfg = *config;
    p->places.value = (int)config->limit;
    co_queue_init(&p->queue, 0);
    return p;
}

void pool_close(struct pool **pool)
{
    struct pool *p = *pool;
    *pool = NULL;
    if (p) {
        co_queue_destroy(&p->queue);
        free(p->aside.urls);
        free(p);
    }
}

int pool_add(struct pool *p, const char *url)
{
    if (p->stopped)
        return append(&p->aside, url);
    int rc = co_queue_try_put(&p->queue, (void *)url);
    if (rc == 0)
        p->pending++;
    return rc;
}

static void one_less(struct pool *p)
{
    if (--p->pending == 0)
        co_queue_shutdown(&p->queue, false);
}

static bool fetch_and_handle(struct pool *p, const char *url)
{
    CO_RESPONSE(page);
    int rc = co_http_get(url, &page);
    co_sem_release(&p->places);
    if (rc < 0 || page.status >= 400)
        return false;
    return !p->cfg.handle || p->cfg.handle(p, url, &page, p->cfg.arg) >= 0;
}

static int run_worker(void *job)
{
    struct worker *w = job;
    struct pool *p = w->pool;
    for (;;) {
        int rc = co_sem_acquire(&p->places);
        if (rc < 0)
            return rc;
        void *item = NULL;
        rc = co_queue_get(&p->queue, &item);
        if (rc < 0) {
            co_sem_release(&p->places);
            return rc;
        }
        if (p->stopped) {
            co_sem_release(&p->places);
            append(&p->aside, item);
        } else {
            if (fetch_and_handle(p, item))
                w->counts->succeeded++;
            else
                w->counts->failed++;
            w->counts->jobs++;
        }
        one_less(p);
    }
}

int pool_run(struct pool *p, struct pool_stats *stats)
{
    int64_t t0 = co_now();
    size_t n = p->cfg.workers;
    struct worker *ws = calloc(n, sizeof *ws);
    int *rcs = calloc(n, sizeof *rcs);
    int rc = -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        stats->workers[i].jobs = stats->workers[i].succeeded = stats->workers[i].failed = 0;
        if (ws)
            ws[i] = (struct worker){p, &stats->workers[i]};
    }
    if (ws && rcs) {
        if (p->pending == 0)
            co_queue_shutdown(&p->queue, false);
        rc = co_gather(run_worker, ws, n, sizeof *ws, rcs);
    }
    free(ws);
    free(rcs);
    struct worker_stats sum = {0};
    for (size_t i = 0; i < n; i++) {
        sum.jobs += stats->workers[i].jobs;
        sum.succeeded += stats->workers[i].succeeded;
        sum.failed += stats->workers[i].failed;
    }
    stats->jobs = sum.jobs;
    stats->succeeded = sum.succeeded;
    stats->failed = sum.failed;
    stats->elapsed = co_now() - t0;
    return rc;
}

void pool_stop(struct pool *p)
{
    if (p->stopped)
        return;
    p->stopped = true;
    void *item;
    while (co_queue_try_get(&p->queue, &item) == 0) {
        append(&p->aside, item);
        one_less(p);
    }
}

int pool_take_back(struct pool *p, const char **url)
{
    if (p->aside.n == 0)
        return 0;
    *url = p->aside.urls[--p->aside.n];
    return 1;
}
