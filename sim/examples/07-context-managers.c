/* 07 - A block that cleans up after itself, however it is left: at its end, by return, or because the task was
 * cancelled. Notice that each gate is closed exactly once, and that closing may itself take time, even when cancelled:
 * the shield. asyncio: async with, __aenter__ and __aexit__. */
#include "co.h"

#include <stdio.h>
#include <string.h>

struct gate {
    const char *ship;
    int rc;                                     /* how opening went */
};

static void say(const char *what, const struct gate *gate)
{
    printf("%3lld ms  %s %s\n", (long long)(co_now() / CO_MS(1)), what, gate->ship);
}

static struct gate gate_open(const char *ship)
{
    struct gate gate = {.ship = ship, .rc = co_sleep(CO_MS(50))};
    if (gate.rc == 0)
        say("open for", &gate);
    return gate;
}

static void gate_close(struct gate *gate)
{
    struct co_shield shield;
    if (gate->rc < 0)
        return;                                 /* it was never open */
    co_shield_begin(&shield);
    if (co_sleep(CO_MS(50)) == 0)               /* the gate is slow, and must be shut even so */
        say("closed behind", gate);
    co_shield_end(&shield);
}

static int pass(void *job)
{
    const char *ship = job;
    CO_WITH(struct gate, gate, gate_open(ship), gate_close) {
        if (gate.rc < 0)
            return gate.rc;
        if (strcmp(ship, "Beagle") == 0)
            return 0;                           /* leaves in the middle: closed all the same */
        return co_sleep(CO_MS(300));
    }
    return 0;
}

static int canal(void *job)
{
    CO_GROUP(ships);
    co_spawn(&ships, pass, "Argo");
    co_spawn(&ships, pass, "Beagle");
    co_task *third = co_spawn(&ships, pass, "Calypso");
    int rc = co_sleep(CO_MS(200));
    if (rc < 0)
        return rc;
    co_cancel(third);
    return co_join(&ships);
}

int main(void)
{
    return co_run(canal, NULL, NULL) < 0;
}
