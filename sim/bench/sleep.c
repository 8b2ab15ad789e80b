/* sleep.c - many tasks that sleep in virtual time. */
#include "bench.h"

#include <stdbool.h>

struct night {
    long slept;                 /* sleeps that have ended, of all tasks */
    bool over;
};


/* Up to 1 s, to the microsecond: nearly every sleep ends at an instant of its own. */
static int64_t next_delay(uint32_t *random)
{
    *random = *random * 1664525 + 1013904223;           /* Numerical Recipes' generator will do */
    return CO_US(1 + (*random >> 8) % 1000000);
}

static int sleep_often(void *arg)
{
    struct night *night = arg;
    uint32_t random = (uint32_t)(uintptr_t)&random;     /* each task's stack is elsewhere, in each run the same */
    random = (random >> 4) * 2654435761u;
    int rc = 0;
    while (!night->over && rc == 0) {
        rc = co_sleep(next_delay(&random));
        night->slept++;
    }
    return rc;
}

/* Counted: one co_sleep, from the call to its return. `tasks` tasks sleep again and again, 0.5 s on the average, each
 * for another time. The watch runs when all are under way, long enough for `count` sleeps. */
int bench_sleep(void *arg)
{
    struct bench *bench = arg;
    struct night night = {0};
    CO_GROUP(group);
    for (long i = 0; i < bench->tasks; i++)
        co_spawn(&group, sleep_often, &night);
    int rc = co_sleep(CO_SEC(1));                       /* by now each has slept at least once */
    long before = night.slept;
    int64_t span = (int64_t)((double)bench->count / (double)bench->tasks * 5e8);
    bench_start(bench);
    if (rc == 0)
        rc = co_sleep(span);
    bench_stop(bench);
    bench->done = night.slept - before;
    night.over = true;
    return rc < 0 ? rc : co_join(&group);
}
