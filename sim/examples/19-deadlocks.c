/* 19 - A deadlock: each waits for what the other holds, for ever. It needs two orders: whoever takes the locks in one
 * fixed order cannot run into it. Notice that the report names both painters, both locks' lines and the circle, and
 * that a lock taken twice by one task is an error at once. asyncio: Lock; there both simply hang. */
#include "co.h"

#include <stdio.h>

static struct co_lock brush = CO_LOCK_INIT, paint = CO_LOCK_INIT;

static int take_both_and_work(struct co_lock *first, struct co_lock *second)
{
    int rc = co_lock_acquire(first);
    if (rc < 0)
        return rc;
    rc = co_sleep(CO_MS(10));                   /* now the other one has its turn */
    if (rc == 0)
        rc = co_lock_acquire(second);
    if (rc == 0) {
        printf("%lld ms  %s paints\n", (long long)(co_now() / CO_MS(1)), co_name(co_current()));
        co_lock_release(second);
    }
    co_lock_release(first);
    return rc;
}

static int brush_first(void *job)
{
    return take_both_and_work(&brush, &paint);
}

static int paint_first(void *job)
{
    return take_both_and_work(&paint, &brush);
}

static int two_orders(void *job)
{
    CO_GROUP(painters);
    co_spawn(&painters, brush_first, NULL);
    co_spawn(&painters, paint_first, NULL);
    return co_join(&painters);
}

static int one_order(void *job)
{
    CO_GROUP(painters);
    co_spawn(&painters, brush_first, NULL);
    co_spawn(&painters, brush_first, NULL);
    return co_join(&painters);
}

static int twice(void *job)
{
    int rc = co_lock_acquire(&brush);
    if (rc < 0)
        return rc;
    rc = co_lock_acquire(&brush);
    co_lock_release(&brush);
    return rc;
}

int main(void)
{
    struct co_options options = {.program = "19-deadlocks"};
    printf("two orders: %s\n", co_strerror(co_run(two_orders, NULL, &options)));
    printf("one order: %s\n", co_strerror(co_run(one_order, NULL, &options)));
    printf("twice: %s\n", co_strerror(co_run(twice, NULL, &options)));
    return 0;
}
