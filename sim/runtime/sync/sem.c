/* sem.c - the semaphore. A release hands the place to the task that has waited longest. */
#include "runtime/state/loop.h"
#include "runtime/state/task.h"
#include "runtime/tasks/enter.h"
#include "runtime/tasks/ready.h"

static __attribute__((noinline)) int acquire_watched(struct co_sem *sem, const void *pc)
{
    int rc;
    struct co_task *self = co__enter(pc, &rc);
    explore_touch(TOUCH_WRITE, sem, sizeof *sem);
    if (!self)
        return rc;
    if (sem->value > 0) {
        sem->value--;
        return 0;
    }
    return co__suspend_in(self, WAIT_SEM, sem, &sem->waiters);
}

static inline int acquire(struct co_sem *sem, const void *pc)
{
    struct co_task *self = co__enter_quick(pc);
    if (__builtin_expect(!self, 0))
        return acquire_watched(sem, pc);
    if (sem->value > 0) {
        sem->value--;
        return 0;
    }
    return co__suspend_quick(self, WAIT_SEM, sem, &sem->waiters);
}

int co_sem_acquire(struct co_sem *sem)
{
    return acquire(sem, CALLER);
}

int co_sem_try_acquire(struct co_sem *sem)
{
    if (co__in_job())
        return -EPERM;
    explore_touch(TOUCH_WRITE, sem, sizeof *sem);
    if (sem->value <= 0)
        return -EAGAIN;
    sem->value--;
    return 0;
}

int co_sem_release(struct co_sem *sem)
{
    if (co__in_job())
        return -EPERM;
    explore_touch(TOUCH_WRITE, sem, sizeof *sem);
    if (sem->waiters.first)
        co__wake_first(&sem->waiters, 0);
    else if (sem->bound && sem->value >= sem->bound)
        return -EOVERFLOW;
    else
        sem->value++;
    return 0;
}

bool co_sem_locked(const struct co_sem *sem)
{
    explore_touch(TOUCH_READ, sem, sizeof *sem);
    return sem->value <= 0;
}

/* ---- CO_WITH_SEM: a loop that runs once ---------------------------------------------------- */

struct co_sem *co_with_sem_begin(struct co_sem *sem)
{
    return acquire(sem, CALLER) == 0 ? sem : NULL;
}

struct co_sem *co_with_sem_next(struct co_sem *sem)
{
    co_sem_release(sem);
    return NULL;
}

void co_with_sem_end(struct co_sem **sem)
{
    if (*sem)                       /* left by break, return or goto */
        co_sem_release(*sem);
}
