/* 17 - A group owns its tasks: its block ends only when they have, and the first failure cancels the rest of the
 * group. Notice that the failure of one climber ends the north camp and nobody else: the camp's leader handles it, and
 * the south camp's group never hears of it. asyncio: TaskGroup, nested. */
#include "co.h"

#include <stdio.h>

struct climber {
    const char *name;
    int64_t climbs_for;
    int ends_with;
};

struct camp {
    const char *name;
    struct climber climbers[2];
};

static int climb(void *job)
{
    const struct climber *climber = job;
    int rc = co_sleep(climber->climbs_for);
    if (rc == 0)
        rc = climber->ends_with;
    printf("%4lld ms    %s: %s\n", (long long)(co_now() / CO_MS(1)), climber->name, co_strerror(rc));
    return rc;
}

static int lead(void *job)
{
    struct camp *camp = job;
    CO_GROUP(rope);
    for (int i = 0; i < 2; i++)
        co_spawn(&rope, climb, &camp->climbers[i]);
    int rc = co_join(&rope);
    printf("%4lld ms  %s camp: %s\n", (long long)(co_now() / CO_MS(1)), camp->name, co_strerror(rc));
    return rc == -EIO ? 0 : rc;                 /* a broken rope is dealt with here; a cancellation goes on up */
}

static int expedition(void *job)
{
    struct camp camps[] = {{"north", {{"Noor", CO_SEC(3), 0}, {"Nils", CO_SEC(1), -EIO}}},
                           {"south", {{"Suri", CO_SEC(2), 0}, {"Sten", CO_SEC(2), 0}}}};
    return co_gather(lead, camps, 2, sizeof camps[0], NULL);
}

int main(void)
{
    return co_run(expedition, NULL, NULL) < 0;
}
