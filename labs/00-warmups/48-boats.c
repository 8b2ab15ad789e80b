/* 48 - A pool of things: two boats, kept in a queue. Who wants one gets it or waits; who is done puts it back,
 * also when the trip went wrong. A boat that is not put back once is missing for ever. */
#include "warmup.h"

static struct co_queue pier;

static int row(void *job)
{
    int trip = *(int *)job;
    void *boat;
    int rc = co_queue_get(&pier, &boat);
    if (rc < 0)
        return rc;
    rc = co_sleep(CO_SEC(600));
    rc = rc < 0 ? rc : trip % given("n", 2) == 0 ? -EIO : 0;
    printf("%d ms: trip %d in the %s: %s\n", now_ms(), trip, (char *)boat, rc < 0 ? "capsized" : "lovely");
    /* TODO: put the boat back, however the trip was */
    (void)boat;
    return rc;
}

int warmup(void)
{
    int trips[] = {1, 2, 3, 4, 5}, rcs[5];
    co_queue_init(&pier, 0);
    int rc = co_queue_put(&pier, "Swan");
    rc = rc < 0 ? rc : co_queue_put(&pier, "Duck");
    rc = rc < 0 ? rc : co_gather(row, trips, 5, sizeof trips[0], rcs);
    printf("%d ms: %zu boats at the pier\n", now_ms(), co_queue_size(&pier));
    co_queue_destroy(&pier);
    return rc;
}
