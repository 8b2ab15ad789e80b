/* 03 - A task is a function that runs beside others. Spawn two into one group, then join the group: both fry at
 * once, and it takes as long as one. Notice the order of the lines: a spawned task begins only when its parent
 * next waits. */
#include "warmup.h"

static int fry(void *job)
{
    const char *what = job;
    printf("%d ms: %s goes in\n", now_ms(), what);
    int rc = co_sleep(CO_SEC(given("n", 3)));
    printf("%d ms: %s is done\n", now_ms(), what);
    return rc;
}

int warmup(void)
{
    int rc = 0;
    CO_GROUP(stove);
    /* TODO: fry an egg and bacon at the same time (in this order), and put into rc what waiting for both
     * returns */
    (void)fry;
    printf("%d ms: served\n", now_ms());
    return rc;
}
