/* cancel.c - cancelling, and timeouts that do not strike. */
#include "bench.h"

enum { BATCH = 1000 };

static int wait_for_ever(void *arg)
{
    return co_event_wait(arg);
}

/* A batch of tasks that wait, and then are cancelled. Only what comes after the spawning is counted. */
static int cancel_batch(struct bench *bench, struct co_event *never)
{
    static co_task *tasks[BATCH];
    CO_GROUP(group);
    for (int i = 0; i < BATCH; i++)
        tasks[i] = co_spawn(&group, wait_for_ever, never);
    co_yield();
    bench_start(bench);
    for (int i = 0; i < BATCH; i++)
        co_cancel(tasks[i]);
    return co_join(&group);
}

/* Counted: one waiting task that is cancelled, wakes up (a switch), ends with -ECANCELED, is joined, and leaves
 * nothing: its stack and, at the end of the group's block, its record are given back. Spawning is not counted: a batch
 * of a thousand has begun to wait before the watch is started. */
int bench_cancel(void *arg)
{
    struct bench *bench = arg;
    struct co_event never = CO_EVENT_INIT;
    for (bench->done = 0; bench->done < bench->count; bench->done += BATCH) {
        int rc = cancel_batch(bench, &never);
        bench_stop(bench);
        bench_need(rc == 0, "join");        /* a task that was told to end is no failure */
    }
    return 0;
}

/* Counted: one timeout of a second, armed and disarmed again. */
int bench_timeout(void *arg)
{
    struct bench *bench = arg;
    int rc = 0;
    bench_start(bench);
    for (long i = 0; i < bench->count; i++) {
        struct co_timeout limit;
        co_timeout_begin(&limit, CO_SEC(1));
        rc |= co_timeout_end(&limit, 0);
    }
    bench_stop(bench);
    return rc;
}
