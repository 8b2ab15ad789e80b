/* 27 - A background loop with a switch: it survives a bad round, and can be stopped and started again with other
 * settings. Notice that the failed round is told and the next one comes on time, and that stop() returns only when the
 * loop has really ended. asyncio: while True with try/except inside a task; cancel() and await it to stop. */
#include "co.h"

#include <stdio.h>

struct watch {
    struct co_group *group;
    co_task *task;                              /* NULL while it is off */
    int64_t interval;
    int rounds;
};

static int measure_tide(struct watch *watch)
{
    int rc = co_sleep(CO_MS(10));
    if (rc < 0)
        return rc;
    return ++watch->rounds == 2 ? -EIO : 250 + watch->rounds;
}

static int watch_tide(void *job)
{
    struct watch *watch = job;
    int rc = 0;
    while (rc != -ECANCELED) {
        rc = measure_tide(watch);
        if (rc >= 0)
            printf("%4lld ms    tide at %d cm\n", (long long)(co_now() / CO_MS(1)), rc);
        else if (rc != -ECANCELED)
            printf("%4lld ms    round failed: %s\n", (long long)(co_now() / CO_MS(1)), co_strerror(rc));
        if (rc != -ECANCELED)
            rc = co_sleep(watch->interval);
    }
    return rc;
}

static int watch_start(struct watch *watch, int64_t interval)
{
    watch->interval = interval;
    watch->task = co_spawn(watch->group, watch_tide, watch);
    return watch->task ? 0 : -ENOMEM;
}

static int watch_stop(struct watch *watch)
{
    co_cancel(watch->task);
    int rc = co_await(watch->task, NULL);       /* until it has let go of everything */
    watch->task = NULL;
    printf("%4lld ms  stopped\n", (long long)(co_now() / CO_MS(1)));
    return rc;
}

static int lighthouse(void *job)
{
    static const int64_t intervals[] = {CO_MS(400), CO_MS(190)};    /* in good weather, in a storm */
    CO_GROUP(background);
    struct watch watch = {.group = &background};
    int rc = 0;
    for (int i = 0; i < 2 && rc == 0; i++) {
        rc = watch_start(&watch, intervals[i]);
        if (rc < 0)
            return rc;
        rc = co_sleep(CO_SEC(1));
        int stop_rc = watch_stop(&watch);       /* on every path: it would never end by itself */
        if (rc == 0)
            rc = stop_rc;
    }
    return rc;
}

int main(void)
{
    return co_run(lighthouse, NULL, NULL) < 0;
}
