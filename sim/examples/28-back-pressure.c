/* 28 - Back-pressure: a bounded queue makes the fast producer wait for the slow consumer, and so memory never grows.
 * Notice the speed of the producer: as fast as it can until the queue of five is full, then one box each 300 ms, for
 * that is what the consumer manages. asyncio: Queue(maxsize=5). */
#include "co.h"

#include <stdint.h>
#include <stdio.h>

static long long now_ms(void)
{
    return co_now() / CO_MS(1);
}

static int fold_boxes(struct co_queue *belt)
{
    for (intptr_t box = 1; box <= 10; box++) {
        int rc = co_sleep(CO_MS(20));
        int64_t ready = co_now();
        if (rc == 0)
            rc = co_queue_put(belt, (void *)box);
        if (rc < 0)
            return rc;
        printf("%4lld ms  box %2d on the belt, waited %3lld ms, %zu there\n", now_ms(), (int)box,
               (long long)((co_now() - ready) / CO_MS(1)), co_queue_size(belt));
    }
    return 0;
}

static int fill_boxes(void *job)
{
    struct co_queue *belt = job;
    void *box;
    int rc;
    while ((rc = co_queue_get(belt, &box)) == 0)
        if ((rc = co_sleep(CO_MS(300))) < 0)
            return rc;
    return rc == -ESHUTDOWN ? 0 : rc;
}

static int factory(void *job)
{
    CO_QUEUE(belt, 5);
    CO_GROUP(hall);
    co_spawn(&hall, fill_boxes, &belt);
    int rc = fold_boxes(&belt);
    co_queue_shutdown(&belt, rc < 0);           /* no more boxes; on every path, or the other one waits for ever */
    if (rc == 0)
        rc = co_join(&hall);
    printf("%4lld ms  all filled\n", now_ms());
    return rc;
}

int main(void)
{
    return co_run(factory, NULL, NULL) < 0;
}
