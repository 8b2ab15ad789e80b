/* 08 - A heartbeat every 100 ms shows whether the loop is alive. A task beside it has to pause. If it pauses with
 * usleep or computes, all tasks stand still and beats come late; a pause of the loop's own holds up nobody. */
#include "warmup.h"

static int heartbeat(void *job)
{
    int rc = 0;
    for (int i = 0; i < 6 && rc == 0; i++) {
        rc = co_sleep(CO_MS(100));
        printf("%d ms: beat\n", now_ms());
    }
    return rc;
}

static int pause_and_work(void *job)
{
    int ms = given("ms", 350), rc = 0;
    rc = co_sleep(CO_MS(ms));
    printf("%d ms: work is done\n", now_ms());
    return rc;
}

int warmup(void)
{
    CO_GROUP(body);
    co_spawn(&body, heartbeat, NULL);
    co_spawn(&body, pause_and_work, NULL);
    return co_join(&body);
}
