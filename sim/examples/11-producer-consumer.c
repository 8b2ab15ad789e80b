/* 11 - One task makes, others use, and a queue between them means that neither has to know the other. Notice that two
 * bakers share the orders without being told which, and that both end by themselves once the waiter shuts the queue
 * down. asyncio: Queue, Queue.shutdown(). */
#include "co.h"

#include <stdio.h>

struct baker {
    const char *name;
    struct co_queue *orders;
    int64_t speed;
};

static int bake(void *job)
{
    const struct baker *baker = job;
    void *order;
    int rc;
    while ((rc = co_queue_get(baker->orders, &order)) == 0) {
        rc = co_sleep(baker->speed);
        if (rc < 0)
            return rc;
        printf("%4lld ms  %s: %s\n", (long long)(co_now() / CO_MS(1)), baker->name, (const char *)order);
    }
    return rc == -ESHUTDOWN ? 0 : rc;           /* no more orders: a good end */
}

static int take_orders(struct co_queue *orders)
{
    static char *const wanted[] = {"rye", "rolls", "wheat", "cake", "pretzel", "pie"};
    for (int i = 0; i < 6; i++) {
        int rc = co_sleep(CO_MS(100));
        if (rc == 0)
            rc = co_queue_put(orders, wanted[i]);
        if (rc < 0)
            return rc;
    }
    printf("%4lld ms  closed: no more orders\n", (long long)(co_now() / CO_MS(1)));
    return 0;
}

static int bakery(void *job)
{
    CO_QUEUE(orders, 0);
    struct baker fast = {"Finn", &orders, CO_MS(250)}, slow = {"Sora", &orders, CO_MS(600)};
    CO_GROUP(bakers);
    co_spawn(&bakers, bake, &fast);
    co_spawn(&bakers, bake, &slow);
    int rc = take_orders(&orders);
    co_queue_shutdown(&orders, rc < 0);         /* what is in it is still baked; after an error it is not */
    return rc < 0 ? rc : co_join(&bakers);
}

int main(void)
{
    return co_run(bakery, NULL, NULL) < 0;
}
