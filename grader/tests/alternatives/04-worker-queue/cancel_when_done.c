/* Correct, as asyncio did it before queues could be shut down: join the queue, then cancel the workers, who wait for jobs that will
 * never come. One worker function with everything in it; what is left goes onto a stack. */
#include "pool.h"

#include <stdlib.h>
#include <string.h>

typedef struct pool {
    struct pool_config c;
    struct co_queue q, stack;
    struct co_sem s;
    int stop;
} pool;

typedef struct {
    pool *p;
    struct worker_stats *mine, *all;
} context;

static int worker(void *v)
{
    context *x = v;
    pool *p = x->p;
    while (1) {
        void *item;
        int rc = co_queue_get(&p->q, &item);
        if (rc < 0)
            return rc;
        rc = co_sem_acquire(&p->s);
        if (rc < 0)
            return rc;
        if (p->stop) {
            rc = co_queue_try_put(&p->stack, item);
            co_sem_release(&p->s);
            co_queue_task_done(&p->q);
            if (rc < 0)
                return rc;
            continue;
        }
        struct co_response r;
        rc = co_http_get(item, &r);
        co_sem_release(&p->s);
        if (rc == -ECANCELED)
            return rc;
        if (rc == 0 && r.status / 100 <= 3 && p->c.handle)
            rc = p->c.handle(p, item, &r, p->c.arg);
        else if (rc == 0 && r.status / 100 > 3)
            rc = -EPROTO;
        co_response_free(&r);
        if (rc < 0) {
            x->mine->failed++;
            x->all->failed++;
        } else {
            x->mine->succeeded++;
            x->all->succeeded++;
        }
        x->mine->jobs++;
        x->all->jobs++;
        co_queue_task_done(&p->q);
    }
}

int pool_run(pool *p, struct pool_stats *st)
{
    int64_t t0 = co_now();
    struct worker_stats all = {0, 0, 0};
    context *xs = malloc(p->c.workers * sizeof *xs);
    if (!xs)
        return -ENOMEM;
    memset(st->workers, 0, p->c.workers * sizeof *st->workers);
    int rc;
    {
        CO_GROUP(g);
        for (size_t i = 0; i < p->c.workers; i++) {
            xs[i].p = p;
            xs[i].mine = st->workers + i;
            xs[i].all = &all;
            co_spawn(&g, worker, xs + i);
        }
        rc = co_queue_join(&p->q);
        co_group_cancel(&g);
        co_task *t;
        while (rc == 0 && (rc = co_next_done(&g, &t)) > 0)
            rc = 0;
    }
    free(xs);
    st->jobs = all.jobs;
    st->succeeded = all.succeeded;
    st->failed = all.failed;
    st->elapsed = co_now() - t0;
    return rc;
}

pool *pool_open(const struct pool_config *c)
{
    pool *p = malloc(sizeof *p);
    if (!p)
        return NULL;
    memset(p, 0, sizeof *p);
    p->c = *c;
    p->s.value = (int)c->limit;
    p->stack.lifo = true;
    return p;
}

int pool_add(pool *p, const char *url)
{
    return co_queue_try_put(&p->q, (char *)url);
}

void pool_stop(pool *p)
{
    p->stop = 1;
}

int pool_take_back(pool *p, const char **url)
{
    void *item;
    int there = co_queue_try_get(&p->stack, &item) == 0;
    if (there)
        *url = item;
    return there;
}

void pool_close(pool **p)
{
    pool *it = *p;
    *p = NULL;
    if (it) {
        co_queue_destroy(&it->stack);
        co_queue_destroy(&it->q);
        free(it);
    }
}
