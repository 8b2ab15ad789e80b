/* 27 - The other side: the function that hands out. co_gen_yield gives one value away and sleeps until somebody
 * asks again. When the listener leaves early it returns -ECANCELED, and the generator can put things away. */
#include "warmup.h"

static int rocket(struct co_gen *gen, void *job)
{
    int rc = 0;
    for (intptr_t left = *(int *)job; left > 0 && rc == 0; left--) {
        rc = co_sleep(CO_SEC(1));
        if (rc < 0)
            break;
        /* TODO: hand out left, and keep in rc whether more is wanted */
        (void)gen;
    }
    printf("%d ms: %s\n", now_ms(), rc < 0 ? "aborted, the valves are shut" : "lift-off");
    return rc;
}

int warmup(void)
{
    int from = 5, stop_at = given("n", 0), rc;
    void *left;
    CO_GEN(countdown, rocket, &from);
    while ((rc = co_gen_next(&countdown, &left)) > 0) {
        printf("%d ms: %d\n", now_ms(), (int)(intptr_t)left);
        if ((intptr_t)left == stop_at)
            break;
    }
    return rc < 0 ? rc : 0;
}
