/* enter.h - what a call that may wait does first. */
#ifndef CO_TASKS_ENTER_H
#define CO_TASKS_ENTER_H

#include "runtime/state/loop.h"
#include "runtime/watch/report.h"

#include <errno.h>

/* The slow part of co__enter: too many steps, or deferred cancels. */
void co__step_limit(struct loop *loop, const void *pc);

/* What can wait begins here: the calling task, or NULL outside one. `pc`: the student's line. Counts a step. */
static inline struct co_task *co__enter_always(const void *pc)
{
    struct loop *loop = co__loop;
    struct co_task *self = loop ? loop->current : NULL;
    if (__builtin_expect(!self, 0))
        return NULL;
    self->waits_at = pc;
    if (__builtin_expect(--loop->steps_left < 0, 0))
        co__step_limit(loop, pc);
    return self;
}

/* The same for what a cancelled task may not do: NULL with the error in *rc (-EPERM, -ECANCELED). */
static inline struct co_task *co__enter(const void *pc, int *rc)
{
    struct co_task *self = co__enter_always(pc);
    if (__builtin_expect(!self || self->cancel_now, 0)) {
        *rc = self ? co__refuse(self, pc) : -EPERM;
        return NULL;
    }
    return self;
}

/* The same in the usual case: a task that may wait, nobody who watches. Else NULL, and nothing has been
 * done: the caller then goes the long way, in a function of its own, so that the short way needs no frame
 * and keeps no register. */
static inline struct co_task *co__enter_quick(const void *pc)
{
    struct loop *loop = co__loop;
    struct co_task *self = loop ? loop->current : NULL;
    if (__builtin_expect(!self || loop->watched || self->cancel_now || loop->steps_left <= 0, 0))
        return NULL;
    loop->steps_left--;
    self->waits_at = pc;
    return self;
}

#endif
