/* 39 - Work in batches: four cars cross together, then the next four, then the rest. Batches are simple, and each
 * waits for its slowest; a semaphore would let the next one on as soon as there is room. Mind the last trip. */
#include "warmup.h"

static int cross(void *job)
{
    int car = *(int *)job, rc = co_sleep(CO_SEC(30 * car));
    printf("%d ms: car %d is over\n", now_ms(), car);
    return rc;
}

int warmup(void)
{
    int cars[16] = {1, 2, 1, 3, 1, 1, 2, 2, 3, 1, 9, 9, 9, 9, 9, 9};
    int n = given("n", 10), limit = given("limit", 4), rc = 0, trips = 0;
    for (int first = 0; first < n && rc == 0; first += limit, trips++) {
        /* TODO: how many cars are on this trip: `limit`, or what is left */
        int aboard = 0;
        rc = co_gather(cross, &cars[first], aboard, sizeof cars[0], NULL);
    }
    printf("%d ms: %d trips\n", now_ms(), trips);
    return rc;
}
