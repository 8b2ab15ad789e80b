/* 28 - A generator may draw from another one: river, then sieve, then you. Each value passes all stages before the
 * next one starts, so nothing piles up, and nothing is done that nobody asks for. */
#include "warmup.h"

static int river(struct co_gen *gen, void *job)
{
    int rc = 0;
    for (intptr_t i = 1; i <= 8 && rc == 0; i++) {
        rc = co_sleep(CO_SEC(10));
        rc = rc < 0 ? rc : co_gen_yield(gen, (void *)(i * 37 % 50));
    }
    return rc;
}

static int sieve(struct co_gen *gen, void *job)
{
    int rc, least = given("n", 30);
    void *grain;
    CO_GEN(grains, river, NULL);
    while ((rc = co_gen_next(&grains, &grain)) > 0) {
        /* TODO: hand on the grain if it weighs `least` mg or more */
        (void)gen, (void)least;
        if (rc < 0)
            return rc;
    }
    return rc;
}

int warmup(void)
{
    int rc;
    void *grain;
    CO_GEN(nuggets, sieve, NULL);
    while ((rc = co_gen_next(&nuggets, &grain)) > 0)
        printf("%d ms: a nugget of %d mg\n", now_ms(), (int)(intptr_t)grain);
    return rc;
}
