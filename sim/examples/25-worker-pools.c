/* 25 - Computing belongs into workers: as many jobs run at once as there are workers, and the loop stays free
 * meanwhile. Notice that four frames of one second take two seconds in a pool of two, and that the clock beside them
 * never misses its turn. asyncio: run_in_executor() with a ProcessPoolExecutor; C has no GIL, threads do. */
#include "co.h"

#include <stdio.h>

struct frame {
    int number;
    struct co_pool *pool;
};

static int render(void *job)                    /* in a worker: no waiting, no printing, just work */
{
    co_cpu(CO_SEC(1));
    return 0;
}

static int make_frame(void *job)
{
    struct frame *frame = job;
    int rc = co_pool_run(frame->pool, render, frame);
    if (rc == 0)
        printf("%4lld ms  frame %d\n", (long long)(co_now() / CO_MS(1)), frame->number);
    return rc;
}

static int show_clock(void *job)
{
    int rc;
    while ((rc = co_sleep(CO_MS(400))) == 0)
        printf("%4lld ms    tick\n", (long long)(co_now() / CO_MS(1)));
    return rc;
}

static int film(void *job)
{
    CO_POOL(pool, 2);
    struct frame frames[4];
    for (int i = 0; i < 4; i++)
        frames[i] = (struct frame){i + 1, &pool};

    CO_GROUP(background);
    co_spawn(&background, show_clock, NULL);
    int rc = co_gather(make_frame, frames, 4, sizeof frames[0], NULL);
    co_group_cancel(&background);               /* on every path: it would never end by itself */
    return rc < 0 ? rc : co_join(&background);
}

int main(void)
{
    return co_run(film, NULL, NULL) < 0;
}
