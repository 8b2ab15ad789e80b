/* sem.c - the semaphore. A release hands the place to the task that has waited longest. */
#include "runtime.h"

int co_sem_acquire(struct co_sem *sem)
{
    int rc;
    struct co_task *self = co__enter(CALLER, &rc);
    if (!self)
        return rc;
    if (sem->value > 0) {
        sem->value--;
        return 0;
    }
    return co__suspend_in(self, WAIT_SEM, sem, &sem->waiters);
}

void co_sem_release(struct co_sem *sem)
{
    if (sem->waiters.first)
        co__wake(sem->waiters.first, 0);
    else
        sem->value++;
}
