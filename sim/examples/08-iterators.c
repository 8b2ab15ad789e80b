/* 08 - An iterator that waits: a struct that remembers where it is, and a function that fetches the next element.
 * Notice the one form of its result (1: here is one, 0: the end, < 0: an error), and the one loop that goes with it.
 * asyncio: async for over an object with __aiter__ and __anext__. */
#include "co.h"

#include <stdio.h>

/* The floors at which a lift stops on its way up. */
struct stops {
    const char *buttons;                        /* '1' where somebody gets out: "0101" */
    int floor;
};

/* Waits until the lift has stopped: 1 and the floor, 0 at the top, or -ECANCELED. */
static int next_stop(struct stops *stops, int *floor)
{
    while (stops->buttons[stops->floor] != '\0') {
        int rc = co_sleep(CO_MS(700));          /* one floor up */
        if (rc < 0)
            return rc;
        if (stops->buttons[stops->floor++] == '1') {
            *floor = stops->floor;
            return 1;
        }
    }
    return 0;
}

static int ride(void *job)
{
    struct stops stops = {.buttons = job};
    int rc, floor = 0;
    while ((rc = next_stop(&stops, &floor)) > 0)
        printf("%4lld ms  lift %s stops at floor %d\n", (long long)(co_now() / CO_MS(1)), stops.buttons, floor);
    return rc;
}

static int house(void *job)
{
    CO_GROUP(lifts);
    co_spawn(&lifts, ride, "00101");
    co_spawn(&lifts, ride, "1001");
    return co_join(&lifts);
}

int main(void)
{
    return co_run(house, NULL, NULL) < 0;
}
