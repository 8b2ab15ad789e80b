/* 43 - A supervisor starts a child, and again when it dies, but not for ever: a child that dies again and again
 * has a fault that no restart mends. After so many restarts the error goes up to whoever is in charge. */
#include "warmup.h"

static int swim(void *job)
{
    int lap = ++*(int *)job, rc = co_sleep(CO_SEC(10 * lap));
    return rc < 0 ? rc : lap < given("fails", 9) ? -EIO : 0;
}

static int supervise(void *job)
{
    for (int restarts = 0;; restarts++) {
        CO_GROUP(pool);
        co_spawn(&pool, swim, job);
        int rc = co_join(&pool);
        printf("%d ms: %s\n", now_ms(), rc < 0 ? "went under" : "is out of the water");
        /* TODO: leave with rc when it went well, or when three restarts have not helped */
        if (restarts == 0)
            return rc;
    }
}

int warmup(void)
{
    int laps = 0, rc = supervise(&laps);
    printf("%d ms: %s after %d laps\n", now_ms(), rc < 0 ? "alarm" : "all is well", laps);
    return 0;
}
