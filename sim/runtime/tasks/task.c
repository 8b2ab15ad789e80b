/* task.c - tasks: their records, how they start and how they end. */
#include "runtime/state/hold.h"
#include "runtime/state/loop.h"
#include "runtime/state/task.h"
#include "runtime/switch/fiber.h"
#include "runtime/switch/stack.h"
#include "runtime/tasks/await.h"
#include "runtime/tasks/callback.h"
#include "runtime/tasks/group.h"
#include "runtime/tasks/local.h"
#include "runtime/tasks/ready.h"
#include "runtime/tasks/scope.h"
#include "runtime/tasks/task.h"
#include "runtime/watch/report.h"
#include "runtime/watch/tracing.h"

#include <stdio.h>
#include <stdlib.h>

/* A task has returned rc. Runs on its own stack, which is given back here. */
static inline void task_end(struct co_task *self, int rc)
{
    struct loop *loop = co__loop;
    explore_object(TOUCH_WRITE, OBJECT_END, self->id);
    explore_object(TOUCH_ADD, OBJECT_ALIVE, 0);
    self->rc = rc;
    self->state = TASK_DONE;
    loop->alive--;
    if (__builtin_expect(loop->watched, 0)) {
        if (loop->stacks.canaries && stack_canary_dead(self->stack))
            co__report_overflow(loop, self->waits_at);
        co__note_end(loop, self);
    }
    if (self->scope)
        co__scopes_drop(self);
    if (loop->held)
        co__holds_orphan(self);
    if (self->stack->callbacks)
        co__callbacks_run(self);
    if (self->stack->bindings)
        co__bindings_drop(self->stack->bindings);
    if (self->watchers)
        co__watchers_notify(self);
    if (self->group)
        co__group_done(self->group, self);
    stack_return(&loop->stacks, self->stack);
    self->stack = NULL;
}

/* Most tasks get theirs when they begin, not when they are spawned: then it is the one that another task has just left,
 * and still in the cache. */
struct stack *co__task_stack(struct co_task *task)
{
    if (task->stack)
        return task->stack;
    struct stack *stack = stack_claim(&co__loop->stacks);
    stack->callbacks = NULL;
    stack->bindings = NULL;
    explore_stack(task->id, stack->low, stack->size);
#if defined(CO_ASAN) || defined(CO_TSAN)
    fiber_begin(&task->fiber, stack->low, stack->size);
#endif
    return task->stack = stack;
}

/* Begins the first task of this stack, or ends one that has returned rc and goes on with the next. Returns what a task
 * has returned whose turn it is to end. */
static __attribute__((noinline)) int step(struct co_task *first, int rc)
{
    if (first)
        return co__task_run(first);
    struct co_task *self = co__loop->current;
    task_end(self, rc);
    return co__leave(self);
}

/* One stack, one task after the other, and all return to the one place in this loop. The CPU foresees where a return
 * goes from the calls it has seen, and the last of them is that of `step`, which ended with a jump into the next task,
 * be it on this stack or another. (What the empty line of assembler does to `first` is unknown to the compiler, which
 * would else make two calls of the one.) */
void co__task_start(void *arg)
{
    struct co_task *first = arg;
    int rc = 0;
    co__task_arrived(first);
    for (;;) {
        rc = step(first, rc);
        first = NULL;
        __asm__("" : "+r"(first));
    }
}

struct co_task *co__task_new(struct co_group *group, co_fn fn, void *job, const char *name, const void *pc)
{
    struct loop *loop = co__loop;
    struct co_task *task = co__task_record(&loop->tasks);
    if (!task)
        return NULL;
    if (!stack_promise(&loop->stacks)) {
        task->younger = loop->tasks.free;
        loop->tasks.free = task;
        return NULL;
    }
    if (__builtin_expect(loop->stacks.canaries, 0))
        co__watch(loop);
    /* One by one: gcc would clear the whole with `rep stos`, which takes longer than the rest of a spawn. */
    task->stack = NULL;
    task->waiters = NULL;
    task->group = group;
    task->watchers = NULL;
    task->scope = NULL;
    *co__origin(task) = (struct co_origin){name, job, pc};
    task->waits_at = pc;
    task->fn = fn;
    task->since = loop->now;
    task->id = ++loop->next_id;
    explore_spawned(task->id);
    explore_object(TOUCH_ADD, OBJECT_ALIVE, 0);
    task->timer = 0;
    task->rc = -EINPROGRESS;
    task->saved_errno = 0;
    task->kind = WAIT_NOTHING;
    task->cancel_asked = task->cancel_now = task->seen = task->deaf = task->told = false;
#ifdef CO_UCONTEXT
    co__task_stack(task);               /* makecontext writes onto a stack that somebody may still be leaving */
#endif
    if (loop->current && loop->current->stack->bindings)
        co__task_stack(task)->bindings = co__bindings_share(loop->current->stack->bindings);
    task->context.sp = NULL;            /* it has not begun */
    loop->alive++;
    if (loop->trace)
        co__trace_spawn(task);
    co__make_ready(task);
    return task;
}

/* ---- What one may ask of a task -------------------------------------------------------------- */

int co_done(const co_task *task)
{
    if (task)
        explore_object(TOUCH_READ, OBJECT_END, task->id);
    return !task || task->state == TASK_DONE;
}

int co_result(const co_task *task)
{
    if (!task)
        return -ENOMEM;
    explore_object(TOUCH_READ, OBJECT_END, task->id);
    if (task->state != TASK_DONE)
        return -EINPROGRESS;
    ((co_task *)task)->seen = true;     /* a note about the asker, not about the task */
    return task->rc;
}

void *co_job(const co_task *task)
{
    return co__origin(task)->job;
}

const char *co_name(const co_task *task)
{
    return co__origin(task)->name;
}

void co_set_name(co_task *task, const char *name)
{
    co__origin(task)->name = name;
}

uint32_t co_id(const co_task *task)
{
    return task->id;
}

size_t co_all_tasks(co_task *tasks[], size_t max)
{
    struct loop *loop = co__loop;
    if (!loop)
        return 0;
    explore_object(TOUCH_READ, OBJECT_ALIVE, 0);
    struct co_task **alive = co__tasks_alive(loop);
    for (size_t i = 0; i < max && alive[i]; i++)
        tasks[i] = alive[i];
    free(alive);
    return loop->alive;
}

co_task *co_current(void)
{
    return co__loop ? co__loop->current : NULL;
}
