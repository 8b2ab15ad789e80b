/* 01 - One thread, one loop, many tasks: a task runs until it waits, then the next one has its turn.
 * Notice that co_spawn runs nothing yet, and that 1500 ms pass in no time: the loop jumps from one timer to the next.
 * asyncio: run(), create_task(), sleep(). */
#include "co.h"

#include <stdio.h>

struct light {
    const char *colour;
    int64_t period;
};

static long long now_ms(void)
{
    return co_now() / CO_MS(1);
}

static int flash(void *job)
{
    const struct light *light = job;
    for (int i = 0; i < 3; i++) {
        printf("%4lld ms  %s\n", now_ms(), light->colour);
        int rc = co_sleep(light->period);       /* back to the loop, until the time has come */
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int harbour(void *job)
{
    struct light red = {"red", CO_MS(300)}, green = {"  green", CO_MS(500)};
    CO_GROUP(lights);
    co_spawn(&lights, flash, &red);
    co_spawn(&lights, flash, &green);
    printf("%4lld ms  two tasks, and neither has run: this one has not waited yet\n", now_ms());
    int rc = co_join(&lights);
    printf("%4lld ms  both have ended\n", now_ms());
    return rc;
}

int main(void)
{
    return co_run(harbour, NULL, NULL) < 0;
}
