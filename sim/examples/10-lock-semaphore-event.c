/* 10 - Three ways to wait for each other. Event: all wait for one sign. Semaphore: so many at a time. Lock: one at a
 * time. Notice that without the lock both clerks would sell the last seat, as each waits between looking and selling.
 * asyncio: Event, Semaphore, Lock. */
#include "co.h"

#include <stdio.h>

struct hall {
    struct co_event doors;
    struct co_sem desks;
    struct co_lock book;
    int seats;
};

static long long now_ms(void)
{
    return co_now() / CO_MS(1);
}

static int sell(struct hall *hall)
{
    int seen = hall->seats;
    int rc = co_sleep(CO_MS(100));              /* writing takes time: others run, and may change `seats` */
    if (rc < 0)
        return rc;
    hall->seats = seen - 1;
    return seen;
}

static int buy(void *job)
{
    struct hall *hall = job;
    unsigned id = co_id(co_current());
    int rc = co_event_wait(&hall->doors);
    if (rc == 0)
        rc = co_sem_acquire(&hall->desks);
    if (rc < 0)
        return rc;
    printf("%3lld ms  visitor %u at a desk\n", now_ms(), id);
    rc = -ECANCELED;                            /* stays so if the lock is never got: the block is skipped then */
    CO_WITH_LOCK(&hall->book)
        rc = hall->seats > 0 ? sell(hall) : 0;
    if (rc >= 0)
        printf("%3lld ms  visitor %u %s\n", now_ms(), id, rc > 0 ? "has a seat" : "is too late");
    co_sem_release(&hall->desks);
    return rc;
}

static int evening(void *job)
{
    struct hall hall = {CO_EVENT_INIT, CO_SEM_INIT(2), CO_LOCK_INIT, .seats = 2};
    CO_GROUP(visitors);
    for (int i = 0; i < 3; i++)
        co_spawn(&visitors, buy, &hall);
    int rc = co_sleep(CO_MS(500));
    co_event_set(&hall.doors);                  /* on every path, or they would wait for ever */
    return rc < 0 ? rc : co_join(&visitors);
}

int main(void)
{
    return co_run(evening, NULL, NULL) < 0;
}
