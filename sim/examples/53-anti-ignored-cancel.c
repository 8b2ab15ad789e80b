/* 53 - Anti-pattern: to ignore a cancellation. It does not go away: each further wait fails at once, so the stubborn
 * runner rushes through the rest of its laps in no time, and what it reports is wrong. Notice how debug mode names the
 * line, and that the obedient runner stops in lap 3. asyncio: except CancelledError: pass, or a bare except. */
#include "co.h"

#include <stdio.h>

static int lap(void)
{
    return co_sleep(CO_MS(400));
}

static int stubborn(void *job)
{
    int laps = 0;
    while (laps < 6) {
        if (lap() < 0)
            printf("%4lld ms  stubborn: something went wrong, never mind\n", (long long)(co_now() / CO_MS(1)));
        laps++;
    }
    printf("%4lld ms  stubborn: %d laps, it says\n", (long long)(co_now() / CO_MS(1)), laps);
    return 0;
}

static int obedient(void *job)
{
    int laps = 0;
    int rc;
    while ((rc = lap()) == 0)
        laps++;
    printf("%4lld ms  obedient: %d laps, then %s\n", (long long)(co_now() / CO_MS(1)), laps, co_strerror(rc));
    return rc;
}

static int stadium(void *job)
{
    CO_GROUP(runners);
    co_spawn(&runners, obedient, NULL);
    co_spawn(&runners, stubborn, NULL);
    int rc = co_sleep(CO_SEC(1));
    co_group_cancel(&runners);                  /* rain */
    return rc < 0 ? rc : co_join(&runners);
}

int main(void)
{
    struct co_options options = {.program = "53-anti-ignored-cancel", .debug = true};
    return co_run(stadium, NULL, &options) < 0;
}
