/* 20 - All seven tasks start at once, but only three may bake at a time. A semaphore is a lock with several
 * places: who finds none waits its turn. 3 + 3 + 1 cakes of a minute each: see 180 s. */
#include "warmup.h"

static struct co_sem ovens;

static int bake(void *job)
{
    int rc = 0;
    CO_WITH_SEM(&ovens)
    {
        rc = co_sleep(CO_SEC(60));
        printf("%d ms: cake %d\n", now_ms(), *(int *)job);
    }
    return rc;
}

int warmup(void)
{
    int cakes[] = {1, 2, 3, 4, 5, 6, 7};
    CO_GROUP(bakery);
    ovens = (struct co_sem)CO_SEM_INIT(given("limit", 3));
    for (int i = 0; i < 7; i++)
        co_spawn(&bakery, bake, &cakes[i]);
    return co_join(&bakery);
}
