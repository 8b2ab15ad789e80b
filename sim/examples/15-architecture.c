/* 15 - The parts together: orders come through a bounded queue, three packers work, each order has its limit, a report
 * runs beside them, and closing time drains what is left. Notice who knows whom: only `warehouse` knows all the parts,
 * and starts and ends them in one place. asyncio: Queue, TaskGroup, timeout(), and the same shape. */
#include "co.h"

#include <stdio.h>

struct warehouse {
    struct co_queue *orders;
    int packed, given_up;
};

static const int64_t packing_time[] = {CO_MS(200), CO_MS(500), CO_MS(300), CO_SEC(9),
                                       CO_MS(100), CO_MS(400), CO_MS(200)};
enum { ORDERS = sizeof packing_time / sizeof packing_time[0] };

static int receive(struct co_queue *orders)
{
    for (int i = 0; i < ORDERS; i++) {
        int rc = co_queue_put(orders, (void *)&packing_time[i]);    /* waits while the queue is full */
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int pack(struct warehouse *house, int64_t takes)
{
    struct co_timeout limit;
    co_timeout_begin(&limit, CO_SEC(1));
    int rc = co_timeout_end(&limit, co_sleep(takes));
    if (rc == 0)
        house->packed++;
    else if (rc == -ETIMEDOUT)
        house->given_up++;                      /* one bad order stops no packer */
    else
        return rc;
    return 0;
}

static int packer(void *job)
{
    struct warehouse *house = job;
    void *order;
    int rc;
    while ((rc = co_queue_get(house->orders, &order)) == 0)
        if ((rc = pack(house, *(int64_t *)order)) < 0)
            return rc;
    return rc == -ESHUTDOWN ? 0 : rc;
}

static int report(void *job)
{
    const struct warehouse *house = job;
    int rc = 0;
    while (rc == 0) {
        printf("%4lld ms  %zu in the queue, %d packed, %d given up\n", (long long)(co_now() / CO_MS(1)),
               co_queue_size(house->orders), house->packed, house->given_up);
        rc = co_sleep(CO_MS(300));
    }
    return rc;
}

static int warehouse(void *job)
{
    CO_QUEUE(orders, 2);
    struct warehouse house = {.orders = &orders};
    CO_GROUP(packers);
    CO_GROUP(background);
    for (int i = 0; i < 3; i++)
        co_spawn(&packers, packer, &house);
    co_spawn(&background, report, &house);
    int rc = receive(&orders);
    co_queue_shutdown(&orders, rc < 0);         /* no more; after an error, not even what is in it */
    if (rc == 0)
        rc = co_join(&packers);
    co_group_cancel(&background);               /* on every path: it would never end by itself */
    if (rc == 0)
        rc = co_join(&background);
    printf("%4lld ms  closed: %d packed, %d given up\n", (long long)(co_now() / CO_MS(1)), house.packed,
           house.given_up);
    return rc;
}

int main(void)
{
    return co_run(warehouse, NULL, NULL) < 0;
}
