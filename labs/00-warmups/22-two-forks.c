/* 22 - Philosophers at a round table, a fork between any two, and each needs both. If all take their left fork
 * first, each waits for ever for the other's. One rule for all breaks the ring: always the smaller number first. */
#include "warmup.h"

static struct co_lock forks[5];
static int n;

static int eat(void *job)
{
    int left = *(int *)job, right = (left + 1) % n;
    /* TODO: choose the order so that no ring can close: first and second are left and right, or the other
     * way round */
    int first = left, second = right;
    int rc = co_lock_acquire(&forks[first]);
    rc = rc < 0 ? rc : co_sleep(CO_MS(10));
    rc = rc < 0 ? rc : co_lock_acquire(&forks[second]);
    rc = rc < 0 ? rc : co_sleep(CO_SEC(60));
    printf("%d ms: %d has eaten\n", now_ms(), left);
    co_lock_release(&forks[second]);
    co_lock_release(&forks[first]);
    return rc;
}

int warmup(void)
{
    int seats[] = {0, 1, 2, 3, 4};
    CO_GROUP(table);
    n = given("n", 2);
    for (int i = 0; i < n; i++)
        co_spawn(&table, eat, &seats[i]);
    return co_join(&table);
}
