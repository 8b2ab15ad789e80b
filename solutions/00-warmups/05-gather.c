/* 05 - co_gather is the loop of spawns and the join in one call: a task for each element of an array. Ten lamps
 * are tested in the time of the slowest one. The results stand in the array, in its order, whoever was done first. */
#include "warmup.h"

struct lamp {
    int seconds, hours;
};

static int test_lamp(void *job)
{
    struct lamp *lamp = job;
    int rc = co_sleep(CO_SEC(lamp->seconds));
    lamp->hours = 1000 - 10 * lamp->seconds;
    return rc;
}

int warmup(void)
{
    struct lamp lamps[10] = {{0}};
    int n = given("n", 10), rc = 0, hours = 0;
    for (int i = 0; i < 10; i++)
        lamps[i].seconds = 3 + 7 * i % 10;
    rc = co_gather(test_lamp, lamps, n, sizeof lamps[0], NULL);
    for (int i = 0; i < n; i++)
        hours += lamps[i].hours;
    printf("%d ms: %d lamps, %d hours\n", now_ms(), n, hours);
    return rc;
}
