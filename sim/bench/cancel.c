/* cancel.c - cancelling, and timeouts that do not strike. */
#include "bench.h"

enum { BATCH = 1000 };

static int wait_for_ever(void *arg)
{
    return co_event_wait(arg);
}

/* Counted: one waiting task that is cancelled, ends with -ECANCELED, and is joined. Spawning is not counted: a batch of a
 * thousand has begun to wait before the watch is started. */
int bench_cancel(void *arg)
{
    struct bench *bench = arg;
    struct co_event never = CO_EVENT_INIT;
    static co_task *tasks[BATCH];
    for (bench->done = 0; bench->done < bench->count; bench->done += BATCH) {
        CO_GROUP(group);
        for (int i = 0; i < BATCH; i++)
            tasks[i] = co_spawn(&group, wait_for_ever, &never);
        co_yield();
        bench_start(bench);
        for (int i = 0; i < BATCH; i++)
            co_cancel(tasks[i]);
        int rc = co_join(&group);
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
