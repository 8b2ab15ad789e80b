/* lock.c - the lock. A release hands it to the task that has waited longest, before anybody else can ask. */
#include "runtime/runtime.h"

#include <stdlib.h>

static struct co_hold *hold_begin(struct loop *loop, struct co_task *task)
{
    struct co_hold *hold = malloc(sizeof *hold);
    if (!hold)
        return NULL;
    *hold = (struct co_hold){.next = loop->held, .task = task, .taken_at = task->waits_at};
    if (loop->held)
        loop->held->prev = hold;
    loop->held = hold;
    return hold;
}

static void hold_end(struct loop *loop, struct co_hold *hold)
{
    if (hold->prev)
        hold->prev->next = hold->next;
    else
        loop->held = hold->next;
    if (hold->next)
        hold->next->prev = hold->prev;
    free(hold);
}

/* The lock passes to a task that waited for it: the record stays, its content changes. */
static void hold_pass(struct co_hold *hold, struct co_task *task)
{
    hold->task = task;
    hold->taken_at = task->waits_at;
}

void co__holds_orphan(const struct co_task *task)
{
    for (struct co_hold *hold = co__loop->held; hold; hold = hold->next)
        if (hold->task == task) {
            hold->task = NULL;
            hold->last_id = task->id;
            hold->last_name = co__origin(task)->name;
        }
}

void co__holds_free(struct loop *loop)
{
    while (loop->held)
        hold_end(loop, loop->held);
}

static __attribute__((noinline)) int acquire_watched(struct co_lock *lock, const void *pc)
{
    int rc;
    struct co_task *self = co__enter(pc, &rc);
    if (!self)
        return rc;
    if (!lock->hold)
        return (lock->hold = hold_begin(co__loop, self)) ? 0 : -ENOMEM;
    if (lock->hold->task == self)
        return -EDEADLK;
    return co__suspend_in(self, WAIT_LOCK, lock, &lock->waiters);
}

static __attribute__((noinline)) int acquire_free(struct co_lock *lock, struct co_task *self)
{
    return (lock->hold = hold_begin(co__loop, self)) ? 0 : -ENOMEM;
}

static inline int acquire(struct co_lock *lock, const void *pc)
{
    struct co_task *self = co__enter_quick(pc);
    if (__builtin_expect(!self, 0))
        return acquire_watched(lock, pc);
    if (!lock->hold)
        return acquire_free(lock, self);
    if (lock->hold->task == self)
        return -EDEADLK;
    return co__suspend_quick(self, WAIT_LOCK, lock, &lock->waiters);
}

int co_lock_acquire(struct co_lock *lock)
{
    return acquire(lock, CALLER);
}

int co_lock_try_acquire(struct co_lock *lock)
{
    struct co_task *self = co_current();
    if (!self)
        return -EPERM;
    if (lock->hold)
        return lock->hold->task == self ? -EDEADLK : -EAGAIN;
    self->waits_at = CALLER;
    return (lock->hold = hold_begin(co__loop, self)) ? 0 : -ENOMEM;
}

bool co_lock_locked(const struct co_lock *lock)
{
    return lock->hold != NULL;
}

static inline bool is_mine(const struct co_lock *lock)
{
    const struct co_task *self = co__loop ? co__loop->current : NULL;
    return self && lock->hold && lock->hold->task == self;
}

bool co__lock_is_mine(const struct co_lock *lock)
{
    return is_mine(lock);
}

void co__lock_take_again(struct co_lock *lock, struct co_task *self)
{
    if (lock->hold && co__loop->broken)
        return;                                     /* after a deadlock nobody may wait any more */
    if (lock->hold)
        co__suspend_always(self, WAIT_LOCK, lock, &lock->waiters);
    else
        lock->hold = hold_begin(co__loop, self);    /* memory for one was given back a moment ago */
}

static __attribute__((noinline)) int release_last(struct co_lock *lock)
{
    hold_end(co__loop, lock->hold);
    lock->hold = NULL;
    return 0;
}

int co_lock_release(struct co_lock *lock)
{
    if (!is_mine(lock))
        return -EPERM;
    struct co_task *next = lock->waiters.first;
    if (!next)
        return release_last(lock);
    hold_pass(lock->hold, next);
    co__wake_first(&lock->waiters, 0);
    return 0;
}

/* ---- CO_WITH_LOCK: a loop that runs once --------------------------------------------------- */

struct co_lock *co_with_lock_begin(struct co_lock *lock)
{
    return acquire(lock, CALLER) == 0 ? lock : NULL;
}

struct co_lock *co_with_lock_next(struct co_lock *lock)
{
    co_lock_release(lock);
    return NULL;
}

void co_with_lock_end(struct co_lock **lock)
{
    if (*lock)                      /* left by break, return or goto */
        co_lock_release(*lock);
}
