/* 22 - Nobody interrupts a task: who computes without waiting holds everybody up. Notice that the drummer misses four
 * beats while the picture is drawn in one go, and none when the drawing pauses after each 50 ms; debug mode names the
 * task and the line. asyncio: sleep(0) inside long loops; PYTHONASYNCIODEBUG=1, slow_callback_duration. */
#include "co.h"

#include <stdio.h>

static int drum(void *job)
{
    for (int beat = 1; beat <= 6; beat++) {
        printf("%4lld ms  beat %d\n", (long long)(co_now() / CO_MS(1)), beat);
        int rc = co_sleep(CO_MS(100));
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int draw(void *job)
{
    const int64_t *slice = job;
    for (int64_t drawn = 0; drawn < CO_MS(500); drawn += *slice) {
        co_cpu(*slice);
        int rc = co_sleep(0);                   /* whoever is ready may go first */
        if (rc < 0)
            return rc;
    }
    printf("%4lld ms  drawn\n", (long long)(co_now() / CO_MS(1)));
    return 0;
}

static int show(void *job)
{
    CO_GROUP(group);
    co_spawn(&group, drum, NULL);
    co_spawn(&group, draw, job);
    return co_join(&group);
}

int main(void)
{
    struct co_options options = {.program = "22-cooperative-multitasking", .debug = true};
    int64_t in_one_go = CO_MS(500), in_slices = CO_MS(50);

    printf("in one go\n");
    int rc = co_run(show, &in_one_go, &options);
    if (rc == 0) {
        printf("in slices\n");
        rc = co_run(show, &in_slices, &options);
    }
    return rc < 0;
}
