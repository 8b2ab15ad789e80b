/* cond.c - the condition: waiting, with a lock, for something to change.
 *
 * Who is notified first takes the lock again: it joins the lock's queue at its end, like everybody else.
 */
#include "runtime/state/loop.h"
#include "runtime/state/task.h"
#include "runtime/sync/lock.h"
#include "runtime/tasks/enter.h"
#include "runtime/tasks/ready.h"

static int wait(struct co_cond *cond, const void *pc)
{
    int rc;
    struct co_task *self = co__enter(pc, &rc);
    explore_touch(TOUCH_WRITE, cond, sizeof *cond);
    if (!self)
        return rc;
    if (!co__lock_is_mine(cond->lock))
        return -EPERM;
    co_lock_release(cond->lock);
    rc = co__suspend_in(self, WAIT_COND, cond, &cond->waiters);
    co__lock_take_again(cond->lock, self);
    return rc;
}

int co_cond_wait(struct co_cond *cond)
{
    return wait(cond, CALLER);
}

int co_cond_wait_for(struct co_cond *cond, bool (*test)(void *arg), void *arg)
{
    int rc;
    if (!co__enter(CALLER, &rc))
        return rc;
    if (!co__lock_is_mine(cond->lock))
        return -EPERM;
    rc = 0;
    while (rc == 0 && !test(arg))
        rc = wait(cond, CALLER);
    return rc;
}

int co_cond_notify(struct co_cond *cond, size_t n)
{
    if (!co__lock_is_mine(cond->lock))
        return -EPERM;
    explore_touch(TOUCH_WRITE, cond, sizeof *cond);
    for (; n > 0 && cond->waiters.first; n--)
        co__wake(cond->waiters.first, 0);
    return 0;
}

int co_cond_notify_all(struct co_cond *cond)
{
    return co_cond_notify(cond, SIZE_MAX);
}
