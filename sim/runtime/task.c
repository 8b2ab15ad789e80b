/* task.c - tasks: their records, how they start and how they end. */
#include "runtime.h"

#include <stdio.h>
#include <stdlib.h>

enum { SLAB_TASKS = 128 };

/* Records are made many at a time, and live until the loop ends. */
struct task_slab {
    struct task_slab *next;
    struct co_task tasks[SLAB_TASKS];
};

struct task_pool {
    struct co_task *free;               /* linked by `next`; the newest first */
    struct task_slab *slabs;
};

static int pool_grow(struct loop *loop)
{
    if (!loop->tasks && !(loop->tasks = calloc(1, sizeof *loop->tasks)))
        return -ENOMEM;
    struct task_slab *slab = malloc(sizeof *slab);
    if (!slab)
        return -ENOMEM;
    slab->next = loop->tasks->slabs;
    loop->tasks->slabs = slab;
    for (size_t i = SLAB_TASKS; i-- > 0;) {
        slab->tasks[i].state = TASK_FREE;
        slab->tasks[i].next = loop->tasks->free;
        loop->tasks->free = &slab->tasks[i];
    }
    return 0;
}

static struct co_task *record_take(struct loop *loop)
{
    if ((!loop->tasks || !loop->tasks->free) && pool_grow(loop) < 0)
        return NULL;
    struct co_task *task = loop->tasks->free;
    loop->tasks->free = task->next;
    return task;
}

void co__task_free(struct co_task *task)
{
    task->state = TASK_FREE;
    task->next = co__loop->tasks->free;
    co__loop->tasks->free = task;
}

void co__tasks_free(struct loop *loop)
{
    stack_pool_free(&loop->stacks);
    if (!loop->tasks)
        return;
    for (struct task_slab *slab = loop->tasks->slabs, *next; slab; slab = next) {
        next = slab->next;
        free(slab);
    }
    free(loop->tasks);
}

static int by_id(const void *a, const void *b)
{
    uint32_t x = (*(struct co_task *const *)a)->id, y = (*(struct co_task *const *)b)->id;
    return x < y ? -1 : x > y;
}

struct co_task **co__tasks_alive(const struct loop *loop)
{
    size_t n = 0;
    struct co_task **tasks = malloc((loop->alive + 1) * sizeof *tasks);
    if (!tasks) {
        fprintf(stderr, "%s: out of memory for a list of the tasks\n", loop->program);
        abort();
    }
    for (struct task_slab *slab = loop->tasks ? loop->tasks->slabs : NULL; slab; slab = slab->next)
        for (size_t i = 0; i < SLAB_TASKS; i++)
            if (slab->tasks[i].state != TASK_FREE && slab->tasks[i].state != TASK_DONE)
                tasks[n++] = &slab->tasks[i];
    qsort(tasks, n, sizeof *tasks, by_id);
    tasks[n] = NULL;
    return tasks;
}

/* A task has returned rc. Runs on its own stack, which is given back here and left for good. */
static _Noreturn void task_end(struct co_task *self, int rc)
{
    struct loop *loop = co__loop;
    if (loop->stacks.canaries && stack_canary_dead(self->stack))
        co__report_overflow(loop, self->waits_at);
    self->rc = rc;
    self->state = TASK_DONE;
    loop->alive--;
    if (loop->watched)
        co__note_end(loop, self);
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
    co__leave_for_good(self);
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
#if defined(CO_ASAN) || defined(CO_TSAN)
    fiber_begin(&task->fiber, stack->low, stack->size);
#endif
    return task->stack = stack;
}

void co__task_start(void *arg)
{
    struct co_task *self = arg;
    co__task_arrived(self);
    *co__loop->errno_at = 0;
    co_fn fn = self->fn;
    self->waits_for = NULL;
    task_end(self, fn(self->job));
}

struct co_task *co__task_new(struct co_group *group, co_fn fn, void *job, const char *name, const void *pc)
{
    struct loop *loop = co__loop;
    struct co_task *task = record_take(loop);
    if (!task)
        return NULL;
    if (!stack_promise(&loop->stacks)) {
        co__task_free(task);
        return NULL;
    }
    /* One by one: gcc would clear the whole with `rep stos`, which takes longer than the rest of a spawn. */
    task->stack = NULL;
    task->waiters = NULL;
    task->group = group;
    task->watchers = NULL;
    task->scope = NULL;
    task->name = name;
    task->job = job;
    task->spawned_at = task->waits_at = pc;
    task->fn = fn;
    task->since = loop->now;
    task->id = ++loop->next_id;
    task->timer = 0;
    task->rc = -EINPROGRESS;
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
    return !task || task->state == TASK_DONE;
}

int co_result(const co_task *task)
{
    if (!task)
        return -ENOMEM;
    if (task->state != TASK_DONE)
        return -EINPROGRESS;
    ((co_task *)task)->seen = true;     /* a note about the asker, not about the task */
    return task->rc;
}

void *co_job(const co_task *task)
{
    return task->job;
}

const char *co_name(const co_task *task)
{
    return task->name;
}

void co_set_name(co_task *task, const char *name)
{
    task->name = name;
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
