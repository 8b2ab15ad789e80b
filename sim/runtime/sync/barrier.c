/* barrier.c - the barrier: a number of tasks wait for each other. */
#include "runtime/state/loop.h"
#include "runtime/state/task.h"
#include "runtime/tasks/enter.h"
#include "runtime/tasks/ready.h"

/* Wakes all who wait: the first that came gets rc, the next rc + step, ... */
static void wake_all(struct co_barrier *barrier, int rc, int step)
{
    explore_touch(TOUCH_WRITE, barrier, sizeof *barrier);
    barrier->waiting = 0;
    for (; barrier->waiters.first; rc += step)
        co__wake(barrier->waiters.first, rc);
}

int co_barrier_wait(struct co_barrier *barrier)
{
    int rc;
    struct co_task *self = co__enter(CALLER, &rc);
    explore_touch(TOUCH_WRITE, barrier, sizeof *barrier);
    if (!self)
        return rc;
    if (barrier->broken)
        return -CO_EBROKEN;
    if (barrier->waiting + 1 >= barrier->parties) {     /* the last one: it need not wait */
        int number = barrier->waiting;
        wake_all(barrier, 0, 1);
        return number;
    }
    barrier->waiting++;
    return co__suspend_in(self, WAIT_BARRIER, barrier, &barrier->waiters);
}

void co_barrier_abort(struct co_barrier *barrier)
{
    if (co__in_job())
        return;
    barrier->broken = true;
    wake_all(barrier, -CO_EBROKEN, 0);
}

void co_barrier_reset(struct co_barrier *barrier)
{
    if (co__in_job())
        return;
    barrier->broken = false;
    wake_all(barrier, -CO_EBROKEN, 0);
}
