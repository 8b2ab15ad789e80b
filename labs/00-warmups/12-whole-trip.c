/* 12 - Five hops of 700 ms each, and 2 s for the whole trip: no single hop is too slow, but all together are. A
 * timeout block limits everything between its begin and its end, however many waits are in there. */
#include "warmup.h"

static int travel(int *hops)
{
    int rc = 0;
    while (rc == 0 && *hops < 5) {
        rc = co_sleep(CO_MS(given("ms", 700)));
        *hops += rc == 0;
    }
    return rc;
}

int warmup(void)
{
    struct co_timeout limit;
    int hops = 0, rc = 0;
    /* TODO: travel for at most 2 s in all, and store what comes of it in rc */
    (void)travel, (void)limit;
    printf("%d ms: %d hops, %s\n", now_ms(), hops, rc < 0 ? co_strerror(rc) : "there");
    return 0;
}
