/* gen.c - generators: a task that hands values to whoever asks for the next one. */
#include "runtime/state/loop.h"
#include "runtime/state/task.h"
#include "runtime/tasks/await.h"
#include "runtime/tasks/cancel.h"
#include "runtime/tasks/enter.h"
#include "runtime/tasks/group.h"
#include "runtime/tasks/ready.h"

struct co_gen co_gen_begin(int (*fn)(struct co_gen *gen, void *job), void *job)
{
    return (struct co_gen){.fn = fn, .job = job, .group = co_group_begin()};
}

/* What the generator's task runs. */
static int produce(void *job)
{
    struct co_gen *gen = job;
    int rc = gen->fn(gen, gen->job);
    explore_touch(TOUCH_WRITE, gen, sizeof *gen);
    gen->is_done = true;
    gen->rc = rc < 0 && !gen->is_closed ? rc : 0;   /* it was told to end: who waits sees an end, no error */
    if (gen->consumer.first) {
        co__wake(gen->consumer.first, gen->rc);
        gen->rc = 0;
    }
    return 0;
}

/* The generator runs up to its next value. False without memory. */
static bool resume(struct co_gen *gen, const void *pc)
{
    if (gen->task) {
        if (gen->producer.first)
            co__wake(gen->producer.first, 0);
        return true;
    }
    gen->task = co__group_spawn(&gen->group, produce, gen, "generator", pc);
    if (gen->task)
        gen->task->seen = true;     /* it is looked after by co_gen_close */
    return gen->task != NULL;
}

int co_gen_next(struct co_gen *gen, void **value)
{
    int rc;
    struct co_task *self = co__enter(CALLER, &rc);
    if (!self)
        return rc;
    explore_touch(TOUCH_WRITE, gen, sizeof *gen);
    if (gen->consumer.first)
        return -EALREADY;
    if (gen->is_done) {
        rc = gen->rc;
        gen->rc = 0;
        return rc;
    }
    if (!gen->has_value) {
        if (!resume(gen, CALLER))
            return -ENOMEM;
        rc = co__suspend_in(self, WAIT_GEN_NEXT, gen, &gen->consumer);
        if (rc <= 0)
            return rc;
    }
    gen->has_value = false;
    *value = gen->value;
    return 1;
}

int co_gen_yield(struct co_gen *gen, void *value)
{
    int rc;
    struct co_task *self = co__enter(CALLER, &rc);
    if (!self)
        return rc;
    if (self != gen->task)
        return -EPERM;
    explore_touch(TOUCH_WRITE, gen, sizeof *gen);
    gen->value = value;
    gen->has_value = true;
    if (gen->consumer.first)
        co__wake(gen->consumer.first, 1);
    return co__suspend_in(self, WAIT_GEN_YIELD, gen, &gen->producer);
}

/* Waits until its task has ended, cancelled or not. After a deadlock nobody may wait any more. */
static void await_end(struct co_task *self, struct co_task *task)
{
    self->deaf = true;
    if (!co__loop->broken)
        co__await(self, task);
    self->deaf = false;
}

void co_gen_close(struct co_gen *gen)
{
    if (co__in_job())
        return;
    struct co_task *self = co_current(), *task = gen->task;
    explore_touch(TOUCH_WRITE, gen, sizeof *gen);
    gen->is_closed = true;
    if (task && task->state != TASK_DONE) {
        co__cancel(task, "call", CALLER);
        if (self && self != gen->group.owner && self != task)
            await_end(co__enter_always(CALLER), task);
    }
    co_group_end(&gen->group);      /* by its owner: waits, and frees the task's record */
    gen->task = NULL;
    gen->is_done = true;
    gen->rc = 0;
}
