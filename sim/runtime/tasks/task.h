/* task.h - how tasks begin and end. */
#ifndef CO_TASKS_TASK_H
#define CO_TASKS_TASK_H

#include "runtime/state/task.h"

struct stack *co__task_stack(struct co_task *task);     /* its stack, which it is given now at the latest */
void co__task_start(void *task);                        /* the first thing on a task's stack */

/* Runs the task's function, from its beginning to its end. */
static inline int co__task_run(struct co_task *task)
{
    co_fn fn = task->fn;
    task->waits_for = NULL;             /* they share their place */
    return fn(co__origin(task)->job);
}

/* A task that is ready to begin. NULL: no memory. */
struct co_task *co__task_new(struct co_group *group, co_fn fn, void *job, const char *name, const void *pc);

#endif
