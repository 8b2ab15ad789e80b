/* 07 - Tasks share one thread, and nobody is interrupted: who never waits never lets others run. co_yield is the
 * smallest wait there is. See red and blue take turns, and that the clock still says 0 ms. */
#include "warmup.h"

static int count(void *job)
{
    const char *colour = job;
    int n = given("n", 3);
    for (int i = 1; i <= n; i++) {
        printf("%s %d\n", colour, i);
        /* TODO: let the other one have a turn; the clock must not move */
    }
    return 0;
}

int warmup(void)
{
    CO_GROUP(game);
    co_spawn(&game, count, "red");
    co_spawn(&game, count, "blue");
    int rc = co_join(&game);
    printf("%d ms: over\n", now_ms());
    return rc;
}
