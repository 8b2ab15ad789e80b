/* 09 - A generator: a function that hands out one value, stops right there, and goes on when the next one is wanted.
 * Notice that it drills only as deep as the consumer asks for, and pulls the drill up when the consumer leaves early.
 * asyncio: async def with yield; aclose(). */
#include "co.h"

#include <stdio.h>

static int drill(struct co_gen *gen, void *job)
{
    static char *const layers[] = {"soil", "clay", "sandstone", "water", "granite"};
    int rc = 0;
    printf("  drill: start\n");
    for (int i = 0; i < 5 && rc == 0; i++) {
        rc = co_sleep(CO_SEC(1));
        if (rc == 0)
            rc = co_gen_yield(gen, layers[i]);  /* waits here until the next layer is wanted */
    }
    printf("  drill: pulled up\n");             /* the clean-up: at the end, after an error, when closed early */
    return rc;
}

static int look_for_water(void *job)
{
    int rc;
    {
        void *layer;
        CO_GEN(layers, drill, NULL);            /* closed at the end of this block */
        while ((rc = co_gen_next(&layers, &layer)) > 0) {
            printf("%lld ms  %s\n", (long long)(co_now() / CO_MS(1)), (const char *)layer);
            if (*(const char *)layer == 'w')
                break;
        }
    }
    printf("%lld ms  the hole is free\n", (long long)(co_now() / CO_MS(1)));
    return rc < 0 ? rc : 0;
}

int main(void)
{
    return co_run(look_for_water, NULL, NULL) < 0;
}
