/* 25 - The baker needs 1 s for a loaf, the seller 5 s. On a shelf without end loaves pile up; on one with two
 * places the baker must wait: that is back-pressure, and all it takes is a bound on the queue. See his loaves slow
 * down. */
#include "warmup.h"

static int sell(void *job)
{
    void *loaf;
    int rc;
    while ((rc = co_queue_get(job, &loaf)) == 0 && loaf)
        if ((rc = co_sleep(CO_SEC(5))) < 0)
            break;
    return rc;
}

int warmup(void)
{
    int rc = 0;
    /* TODO: a shelf with given("limit", 2) places */
    CO_QUEUE(shelf, 0);
    CO_GROUP(shop);
    co_spawn(&shop, sell, &shelf);
    for (int i = 1; i <= 6 && rc == 0; i++) {
        rc = co_sleep(CO_SEC(1));
        rc = rc < 0 ? rc : co_queue_put(&shelf, "loaf");
        printf("%d ms: loaf %d is on the shelf\n", now_ms(), i);
    }
    rc = rc < 0 ? rc : co_queue_put(&shelf, NULL);
    return rc < 0 ? rc : co_join(&shop);
}
