/* ready.h - the ready queue: who runs next, and how a task gives way and gets its turn again. */
#ifndef CO_TASKS_READY_H
#define CO_TASKS_READY_H

#include "runtime/state/loop.h"
#include "runtime/state/task.h"
#include "runtime/state/waiters.h"

#include <stdbool.h>

static inline void co__ready_append(struct loop *loop, struct co_task *task)
{
    task->next = NULL;
    if (loop->ready_first)
        loop->ready_last->next = task;
    else
        loop->ready_first = task;
    loop->ready_last = task;
}

/* Puts a task at the end of the ready queue. */
void co__note_ready(struct loop *loop, struct co_task *task);     /* for the trace and the tape */
void co__note_end(struct loop *loop, struct co_task *task);       /* for the trace and debug mode */
static inline void co__make_ready(struct co_task *task)
{
    struct loop *loop = co__loop;
    task->state = TASK_READY;
    explore_readied(task->id);
    co__ready_append(loop, task);
    if (__builtin_expect(loop->watched, 0))
        co__note_ready(loop, task);
}

/* Leaves a task that has ended for the next one. If that has not begun, it may run on this very stack: then this
 * returns what it returned. */
int co__leave(struct co_task *self);

/* The first thing on a new task's stack. */
void co__task_arrived(struct co_task *self);

/* Suspends the running task until somebody calls co__wake on it; returns the rc given there. */
int co__suspend(struct co_task *self, enum wait_kind kind, const void *what);

/* As co__suspend, in a list of waiters (at its end), out of which co__wake takes it. */
int co__suspend_in(struct co_task *self, enum wait_kind kind, const void *what, struct co_waiters *list);

/* Makes a suspended task ready: its wait returns rc. Its timer is disarmed. */
void co__wake(struct co_task *task, int rc);

/* The loop's own flow: until `last` is done, or (NULL) all are. False: they cannot be, as tasks wait for ever; that has
 * been reported. */
bool co__run_until(struct loop *loop, const struct co_task *last);

/* ---- Waiting, in the usual case ---------------------------------------------------------------- */

enum { CO_LINE = 64 };          /* bytes of a cache line */

/* The frames that a suspended task goes on with are on their way while another one runs. (always_inline: gcc takes a
 * function that only prefetches for one that does nothing, and leaves out the call.) */
static inline __attribute__((always_inline)) void co__fetch_stack(const struct co_task *task)
{
    const char *sp = task->context.sp;
    if (!sp)
        return;
    __builtin_prefetch(sp, 1);
    __builtin_prefetch(sp + CO_LINE, 1);
    __builtin_prefetch(sp + 2 * CO_LINE, 1);
    __builtin_prefetch(sp + 3 * CO_LINE, 1);
}

/* Each task has an errno of its own. (Mostly all are the same, and a load costs less than a store.) */
static inline void co__swap_errno(struct loop *loop, struct co_task *self, const struct co_task *next)
{
    int mine = *loop->errno_at;
    if (__builtin_expect(self->saved_errno != mine, 0))
        self->saved_errno = mine;
    if (__builtin_expect(next->saved_errno != mine, 0))
        *loop->errno_at = next->saved_errno;
}

/* As co__suspend_in for a task that co__enter_quick let in, and in line: what is called last is the switch itself. */
static inline __attribute__((always_inline)) int co__suspend_quick(struct co_task *self, enum wait_kind kind,
                                                                   const void *what, struct co_waiters *list)
{
#if defined(CO_ASAN) || defined(CO_TSAN)
    return co__suspend_in(self, kind, what, list);
#else
    struct loop *loop = co__loop;
    struct co_task *next = loop->ready_first;
    if (__builtin_expect(!next || !next->context.sp, 0))
        return co__suspend_in(self, kind, what, list);
    waiters_append(list, self);
    self->state = TASK_WAITING;
    self->kind = (uint8_t)kind;
    self->waits_for = what;
    self->since = loop->now;
    co__swap_errno(loop, self, next);
    struct co_task *second = loop->ready_first = next->next;
    if (second)
        co__fetch_stack(second);
    loop->current = next;
    return co__switch(&self->context, &next->context, next->rc);
#endif
}

/* Wakes the first of a list, which is not empty. Nobody in a list has a timer. */
static inline void co__wake_first(struct co_waiters *list, int rc)
{
    struct co_task *task = list->first, *second = task->next;
    list->first = second;
    task->waiters = NULL;
    task->rc = rc;
    co__make_ready(task);
}

#endif
