/* 45 - A limit on how many at once is a semaphore; a limit on how many a second is about instants. Each visitor
 * takes the next free one and moves it on for those behind. Six come together: see 500 ms between any two. */
#include "warmup.h"

static int64_t next_free;

static int visitor(void *job)
{
    int64_t gap = CO_SEC(1) / given("limit", 2), mine = next_free;
    /* TODO: wait until the instant `mine`; the next free one is `gap` later */
    int rc = 0;
    (void)gap, (void)mine;
    printf("%d ms: visitor %d\n", now_ms(), *(int *)job);
    return rc;
}

int warmup(void)
{
    int visitors[] = {1, 2, 3, 4, 5, 6};
    next_free = CO_MS(100);
    return co_gather(visitor, visitors, 6, sizeof visitors[0], NULL);
}
