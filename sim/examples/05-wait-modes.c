/* 05 - Three ways to wait for several tasks: until the first is done, until the first has failed, until all are done;
 * each with a timeout, if one likes. Notice that waiting cancels nobody: the tasks go on, and one may wait for them
 * again. asyncio: wait(return_when=FIRST_COMPLETED | FIRST_EXCEPTION | ALL_COMPLETED, timeout=...). */
#include "co.h"

#include <stdio.h>

struct courier {
    const char *name;
    int64_t takes;
    int ends_with;
};

static int deliver(void *job)
{
    const struct courier *courier = job;
    int rc = co_sleep(courier->takes);
    return rc < 0 ? rc : courier->ends_with;
}

static int dispatch(void *job)
{
    struct courier couriers[] = {{"bike", CO_SEC(1), 0}, {"van", CO_SEC(2), -EIO}, {"ship", CO_SEC(4), 0}};
    static const struct {
        const char *name;
        enum co_wait_when when;
        int64_t timeout;
    } waits[] = {
        {"first completed", CO_FIRST_COMPLETED, CO_FOREVER},
        {"first exception", CO_FIRST_EXCEPTION, CO_FOREVER},
        {"all, at most 1 s", CO_ALL_COMPLETED, CO_SEC(1)},
        {"all completed", CO_ALL_COMPLETED, CO_FOREVER},
    };
    co_task *tasks[3];
    CO_GROUP(group);
    for (int i = 0; i < 3; i++)
        if (!(tasks[i] = co_spawn(&group, deliver, &couriers[i])))
            return -ENOMEM;
    for (int i = 0; i < 4; i++) {
        int done = co_wait(tasks, 3, waits[i].when, waits[i].timeout);
        if (done < 0)
            return done;
        printf("%4lld ms  %-17s %d of 3 done\n", (long long)(co_now() / CO_MS(1)), waits[i].name, done);
    }
    for (int i = 0; i < 3; i++)
        printf("%s: %s\n", couriers[i].name, co_strerror(co_result(tasks[i])));
    return 0;
}

int main(void)
{
    return co_run(dispatch, NULL, NULL) < 0;
}
