/* 06 - A limit on the time that something may take: on one call, or on a block of any length.
 * Notice that 5 s of work in a limit of 2 s end at 2 s, and that one who gets on may be given more time.
 * asyncio: wait_for(), timeout(), Timeout.reschedule(). */
#include "co.h"

#include <stdio.h>

static long long now_ms(void)
{
    return co_now() / CO_MS(1);
}

static int dig(void *job)
{
    int *metres = job;
    for (int i = 0; i < 5; i++) {
        int rc = co_sleep(CO_SEC(1));
        if (rc < 0)
            return rc;                          /* the time was up: here it looks like a cancellation */
        ++*metres;
    }
    return 0;
}

static int dig_with_patience(int *metres)
{
    struct co_timeout limit;
    co_timeout_begin(&limit, CO_SEC(2));
    int rc = co_sleep(CO_MS(500));              /* the block may hold whatever it likes: fetch a spade, ... */
    if (rc == 0)
        rc = co_timeout_reschedule(&limit, CO_SEC(10));
    if (rc == 0)
        rc = dig(metres);
    return co_timeout_end(&limit, rc);          /* on every path */
}

static int work(void *job)
{
    int metres = 0;
    int rc = co_wait_for(dig, &metres, CO_SEC(2));
    if (rc < 0 && rc != -ETIMEDOUT)
        return rc;
    printf("%4lld ms  2 s for 5 m: %s, at %d m\n", now_ms(), co_strerror(rc), metres);

    metres = 0;
    rc = dig_with_patience(&metres);
    printf("%4lld ms  2 s, then 10 more: %s, at %d m\n", now_ms(), co_strerror(rc), metres);
    return rc;
}

int main(void)
{
    return co_run(work, NULL, NULL) < 0;
}
