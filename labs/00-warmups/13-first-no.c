/* 13 - All three shops must say yes. As soon as one says no, the other calls are a waste: co_join cancels them and
 * returns the error of the first that failed. See who is hung up on, and that 30 s never come. */
#include "warmup.h"

struct shop {
    const char *name;
    int seconds;
};

static int call(void *job)
{
    const struct shop *shop = job;
    int rc = co_sleep(CO_SEC(shop->seconds));
    rc = rc < 0 ? rc : shop->seconds == 12 ? -ENOENT : 0;
    printf("%d ms: %s: %s\n", now_ms(), shop->name, rc == 0 ? "yes" : rc == -ENOENT ? "no" : "hung up on");
    return rc;
}

int warmup(void)
{
    struct shop shops[] = {{"east", 5}, {"west", given("n", 12)}, {"north", 30}};
    int rc = 0;
    CO_GROUP(calls);
    for (int i = 0; i < 3; i++)
        co_spawn(&calls, call, &shops[i]);
    /* TODO: wait for all calls, but no longer than until the first no; its error goes into rc */
    printf("%d ms: %s\n", now_ms(), rc < 0 ? "somebody said no" : "all said yes");
    return 0;
}
