/* lock.c - the lock. A release hands it to the task that has waited longest, before anybody else can ask. */
#include "runtime/state/hold.h"
#include "runtime/state/loop.h"
#include "runtime/state/task.h"
#include "runtime/sync/lock.h"
#include "runtime/tasks/enter.h"
#include "runtime/tasks/ready.h"
#include "runtime/tasks/ring.h"

#include <stdlib.h>

/* The holder waits, too: for whom? */
static __attribute__((noinline)) int wait_for_waiting(struct co_lock *lock, struct co_task *self)
{
    co__ring_wait(self, WAIT_LOCK, lock);
    co__ring_look(self);
    return co__suspend_in(self, WAIT_LOCK, lock, &lock->waiters);
}

static inline bool holder_waits(const struct co_lock *lock)
{
    const struct co_task *holder = lock->hold->task;
    return holder && holder->state == TASK_WAITING;
}

static __attribute__((noinline)) int acquire_watched(struct co_lock *lock, const void *pc)
{
    int rc;
    struct co_task *self = co__enter(pc, &rc);
    explore_touch(TOUCH_WRITE, lock, sizeof *lock);
    if (!self)
        return rc;
    if (!lock->hold)
        return (lock->hold = co__hold_begin(co__loop, self)) ? 0 : -ENOMEM;
    if (lock->hold->task == self)
        return -EDEADLK;
    if (holder_waits(lock))
        return wait_for_waiting(lock, self);
    return co__suspend_in(self, WAIT_LOCK, lock, &lock->waiters);
}

static __attribute__((noinline)) int acquire_free(struct co_lock *lock, struct co_task *self)
{
    return (lock->hold = co__hold_begin(co__loop, self)) ? 0 : -ENOMEM;
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
    if (__builtin_expect(holder_waits(lock), 0))
        return wait_for_waiting(lock, self);
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
    explore_touch(TOUCH_WRITE, lock, sizeof *lock);
    if (lock->hold)
        return lock->hold->task == self ? -EDEADLK : -EAGAIN;
    self->waits_at = CALLER;
    return (lock->hold = co__hold_begin(co__loop, self)) ? 0 : -ENOMEM;
}

bool co_lock_locked(const struct co_lock *lock)
{
    explore_touch(TOUCH_READ, lock, sizeof *lock);
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
    explore_touch(TOUCH_WRITE, lock, sizeof *lock);
    if (lock->hold && co__loop->broken)
        return;                                     /* after a deadlock nobody may wait any more */
    if (!lock->hold) {
        lock->hold = co__hold_begin(co__loop, self);    /* memory for one was given back a moment ago */
        return;
    }
    self->deaf = true;
    if (holder_waits(lock))
        wait_for_waiting(lock, self);
    else
        co__suspend_in(self, WAIT_LOCK, lock, &lock->waiters);
    self->deaf = false;
}

static __attribute__((noinline)) int release_last(struct co_lock *lock)
{
    co__hold_end(co__loop, lock->hold);
    lock->hold = NULL;
    return 0;
}

int co_lock_release(struct co_lock *lock)
{
    explore_touch(TOUCH_WRITE, lock, sizeof *lock);
    if (!is_mine(lock))
        return -EPERM;
    struct co_task *next = lock->waiters.first;
    if (!next)
        return release_last(lock);
    co__hold_pass(lock->hold, next);
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
