/* 44 - What beginners get wrong. Notice how each shows: a task that is never awaited is named when its group ends;
 * where each task is awaited before the next one is started, the times add up; one job for all tasks holds the last
 * value when they run. asyncio: "coroutine was never awaited", await in a loop, late binding of a loop variable. */
#include "co.h"

#include <stdio.h>

static int water(void *job)
{
    int rc = co_sleep(CO_MS(100));
    printf("  %lld ms  bed %d watered\n", (long long)(co_now() / CO_MS(1)), *(int *)job);
    return rc;
}

static int never_awaited(void *job)
{
    int bed = 1;
    CO_GROUP(hose);
    co_spawn(&hose, water, &bed);
    return 0;                                   /* right: return co_join(&hose); */
}

static int awaited_too_early(void *job)
{
    int beds[] = {1, 2, 3};
    CO_GROUP(hose);
    for (int i = 0; i < 3; i++) {
        co_task *task = co_spawn(&hose, water, &beds[i]);
        int rc = co_await(task, NULL);
        if (rc < 0)
            return rc;
    }
    return co_join(&hose);                      /* right: only here */
}

static int one_job_for_all(void *job)
{
    int bed;
    CO_GROUP(hose);
    for (bed = 1; bed <= 3; bed++)
        co_spawn(&hose, water, &bed);           /* right: &beds[i], one job for each task */
    return co_join(&hose);
}

int main(void)
{
    struct co_options options = {.program = "44-mistakes"};
    printf("never awaited\n");
    int rc = co_run(never_awaited, NULL, &options);
    printf("awaited too early\n");
    if (rc == 0)
        rc = co_run(awaited_too_early, NULL, &options);
    printf("one job for all\n");
    if (rc == 0)
        rc = co_run(one_job_for_all, NULL, &options);
    return rc < 0;
}
