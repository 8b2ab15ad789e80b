/* sync.c - lock, semaphore, event. */
#include "bench.h"

#include <stdbool.h>

/* ---- Lock ------------------------------------------------------------------------------------ */

struct contest {
    struct co_lock lock;
    struct co_sem sem;
    long rounds;
};

/* Whoever releases asks again at once, and waits, as the other one has the lock now. */
static int lock_often(void *arg)
{
    struct contest *contest = arg;
    int rc = co_lock_acquire(&contest->lock);
    for (long i = 0; i < contest->rounds && rc == 0; i++) {
        rc = co_lock_release(&contest->lock);
        if (rc == 0)
            rc = co_lock_acquire(&contest->lock);
    }
    return rc < 0 ? rc : co_lock_release(&contest->lock);
}

/* Counted: one hand-over: a release, which gives the lock to the task that waits; an acquire, which has to wait; and
 * one switch, to that task, whose own acquire returns. Nothing is allocated. (The peers do the same: one unlock, one
 * lock that waits, one switch.) */
int bench_lock(void *arg)
{
    struct bench *bench = arg;
    struct contest contest = {.lock = CO_LOCK_INIT, .rounds = bench->count / 2};
    CO_GROUP(group);
    bench_need(co_lock_acquire(&contest.lock) == 0, "lock");
    co_spawn(&group, lock_often, &contest);
    co_spawn(&group, lock_often, &contest);
    co_yield();                             /* both wait for the lock now */
    bench_start(bench);
    int rc = co_lock_release(&contest.lock);
    if (rc == 0)
        rc = co_join(&group);
    bench_stop(bench);
    return rc;
}

/* ---- Semaphore ------------------------------------------------------------------------------- */

static int pass_often(void *arg)
{
    struct contest *contest = arg;
    int rc = co_sem_acquire(&contest->sem);
    for (long i = 0; i < contest->rounds && rc == 0; i++) {
        co_sem_release(&contest->sem);
        rc = co_sem_acquire(&contest->sem);
    }
    if (rc == 0)
        co_sem_release(&contest->sem);
    return rc;
}

/* Counted: one hand-over of the only place, as with the lock. */
int bench_sem(void *arg)
{
    struct bench *bench = arg;
    struct contest contest = {.sem = CO_SEM_INIT(0), .rounds = bench->count / 2};
    CO_GROUP(group);
    co_spawn(&group, pass_often, &contest);
    co_spawn(&group, pass_often, &contest);
    co_yield();
    bench_start(bench);
    co_sem_release(&contest.sem);
    int rc = co_join(&group);
    bench_stop(bench);
    return rc;
}

/* ---- Event ----------------------------------------------------------------------------------- */

struct broadcast {
    struct co_event event;
    bool over;
};

static int listen(void *arg)
{
    struct broadcast *broadcast = arg;
    int rc = 0;
    while (!broadcast->over && rc == 0)
        rc = co_event_wait(&broadcast->event);
    return rc;
}

/* Counted: one task that waits for an event, is woken, and waits again. A hundred wait. */
int bench_event(void *arg)
{
    struct bench *bench = arg;
    struct broadcast broadcast = {.event = CO_EVENT_INIT};
    CO_GROUP(group);
    for (int i = 0; i < CROWD; i++)
        co_spawn(&group, listen, &broadcast);
    co_yield();                             /* all wait */
    bench_start(bench);
    for (bench->done = 0; bench->done < bench->count; bench->done += CROWD) {
        co_event_set(&broadcast.event);
        co_event_clear(&broadcast.event);
        co_yield();
    }
    bench_stop(bench);
    broadcast.over = true;
    co_event_set(&broadcast.event);
    return co_join(&group);
}
