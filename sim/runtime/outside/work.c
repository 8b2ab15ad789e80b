/* work.c - work that does not wait: here (co_cpu), or on a worker (co_to_thread). */
#include "runtime/state/loop.h"
#include "runtime/state/op.h"
#include "runtime/state/task.h"
#include "runtime/switch/modes.h"
#include "runtime/tasks/enter.h"
#include "runtime/tasks/op.h"
#include "runtime/tasks/ready.h"
#include "runtime/tasks/time.h"

void co_cpu(int64_t ns)
{
    if (co__loop)
        co__block(ns, "cpu", CALLER);
}

/* A job that runs on a thread of its own. There, too, co_now and co_cpu are those of the loop's world, and nothing else
 * of the loop may be touched: the thread sees one of which it knows nothing but that. */
struct away { co_fn fn; void *job; struct co_world *world; };

static int run_away(void *argument)
{
    const struct away *away = argument;
    struct loop seen = {.world = away->world, .in_world = true, .live = true};
    co__loop = &seen;
    int rc = away->fn(away->job);
    co__loop = NULL;
    return rc;
}

/* A job in a program that calls <fenv.h>: whoever lets time pass meanwhile keeps its own modes, and the job has the
 * common ones. */
static int run_apart(void *argument)
{
    const struct away *away = argument;
    struct modes before;
    modes_read(&before);
    modes_write(&co__loop->modes);
    int rc = away->fn(away->job);
    modes_write(&before);
    return rc;
}

static int run_job(co_fn fn, void *job, struct co_pool pool, const void *pc)
{
    int rc;
    struct away away = {fn, job, co__loop ? co__loop->world : NULL};
    struct co_task *self = co__enter(pc, &rc);
    if (!self)
        return rc;
    struct world_request request = {.op = WORLD_JOB, .fn = (uintptr_t)fn, .job = (uintptr_t)job,
                                    .pool = pool.number, .workers = pool.workers};
    if (co__loop->live || co__loop->own_modes) {
        request.fn = (uintptr_t)(co__loop->live ? run_away : run_apart);
        request.job = (uintptr_t)&away;
    }
    struct op *op = co__op_submit(self, &request, NULL, NULL);
    if (!op)
        return -ENOMEM;
    /* Not ended by a cancel, unless the world says that no worker had begun: fn uses the caller's job. */
    rc = co__suspend(self, WAIT_JOB, op);
    co__op_free(op);
    return rc;
}

int co_to_thread_named(co_fn fn, void *job, const char *name)
{
    (void)name;
    return run_job(fn, job, (struct co_pool){0}, CALLER);
}

struct co_pool co_pool_begin(uint32_t workers)
{
    return (struct co_pool){.workers = workers ? workers : 1, .number = co__loop ? ++co__loop->pools : 0};
}

int co_pool_run_named(struct co_pool *pool, co_fn fn, void *job, const char *name)
{
    (void)name;
    return run_job(fn, job, *pool, CALLER);
}
