/* 30 - The workshop owns two presses, whatever number of CPUs the machine has. A pool of workers of its own keeps
 * the number of jobs at a time down: seven books of 5 s on two presses take 20 s. The loop beside them stays free. */
#include "warmup.h"

static struct co_pool presses;

static int press(void *job)
{
    co_cpu(CO_SEC(5));
    return 0;
}

static int bind(void *job)
{
    int rc = 0;
    rc = co_pool_run(&presses, press, job);
    printf("%d ms: book %d\n", now_ms(), *(int *)job);
    return rc;
}

int warmup(void)
{
    int books[] = {1, 2, 3, 4, 5, 6, 7};
    CO_POOL(pool, given("limit", 2));
    presses = pool;
    return co_gather(bind, books, 7, sizeof books[0], NULL);
}
