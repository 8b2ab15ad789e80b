/* 11 - Nobody waits for ever. co_wait_for gives a call a limit: when time is up, what it waits for is given up,
 * and the result is -ETIMEDOUT. Work that is done in time is not touched. See it end at exactly 2 s. */
#include "warmup.h"

static int search(void *job)
{
    int rc = co_sleep(CO_SEC(given("n", 5)));
    if (rc == 0)
        printf("%d ms: found\n", now_ms());
    return rc;
}

int warmup(void)
{
    int rc = 0;
    rc = co_wait_for(search, NULL, CO_SEC(2));
    printf("%d ms: %s\n", now_ms(), rc == -ETIMEDOUT ? "gave up" : rc < 0 ? "failed" : "good");
    return 0;
}
