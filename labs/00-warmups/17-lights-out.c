/* 17 - Three ways lead out of this function, and on each the light must go off. Do not write it three times:
 * CO_DEFER in front of a variable says what runs when its block is left, by return and break too. asyncio: async
 * with. */
#include "warmup.h"

static void switch_off(int *lamp)
{
    printf("%d ms: light off in room %d\n", now_ms(), *lamp);
}

static int look_around(int room)
{
    /* TODO: have the light switched off whenever this function is left */
    int lamp = room;
    (void)switch_off;
    printf("%d ms: light on in room %d\n", now_ms(), lamp);
    if (room == given("n", 2))
        return -ENOENT;
    int rc = co_sleep(CO_SEC(10));
    if (rc == 0)
        printf("%d ms: nothing in room %d\n", now_ms(), room);
    return rc;
}

int warmup(void)
{
    int rc = 0;
    for (int room = 1; room <= 3 && rc == 0; room++)
        rc = look_around(room);
    printf("%d ms: %s\n", now_ms(), rc < 0 ? "found it" : "it is gone");
    return 0;
}
