/* 20 - Three queues with the same calls: the oldest first, the newest first, the smallest first. Notice the three
 * orders in which the same four patients are seen, and that the door is closed only when the last one is done (join),
 * not when the queue is empty. asyncio: Queue, LifoQueue, PriorityQueue, task_done(), join(). */
#include "co.h"

#include <stdio.h>

struct patient {
    const char *name;
    int urgency;                                /* 1 = at once */
};

static int more_urgent(const void *a, const void *b)
{
    return ((const struct patient *)a)->urgency - ((const struct patient *)b)->urgency;
}

static int treat(void *job)
{
    struct co_queue *room = job;
    void *item;
    int rc;
    while ((rc = co_queue_get(room, &item)) == 0 && (rc = co_sleep(CO_MS(300))) == 0) {
        const struct patient *patient = item;
        printf(" %s", patient->name);
        co_queue_task_done(room);
    }
    return rc;                                  /* cancelled: nobody will come any more */
}

static int morning(const char *name, struct co_queue *room)
{
    static struct patient patients[] = {{"cough", 4}, {"fracture", 2}, {"cut", 3}, {"heart", 1}};
    int64_t start = co_now();
    CO_GROUP(doctors);
    printf("%-9s", name);
    for (int i = 0; i < 4; i++) {
        int rc = co_queue_put(room, &patients[i]);
        if (rc < 0)
            return rc;
    }
    co_spawn(&doctors, treat, room);
    int rc = co_queue_join(room);
    if (rc < 0)
        return rc;
    printf("  door closed after %lld ms\n", (long long)((co_now() - start) / CO_MS(1)));
    co_group_cancel(&doctors);
    return co_join(&doctors);
}

static int three_days(void *job)
{
    CO_QUEUE(fifo, 0);
    CO_LIFO_QUEUE(lifo, 0);
    CO_PRIORITY_QUEUE(priority, 0, more_urgent);
    int rc = morning("fifo", &fifo);
    if (rc == 0)
        rc = morning("lifo", &lifo);
    return rc < 0 ? rc : morning("priority", &priority);
}

int main(void)
{
    return co_run(three_days, NULL, NULL) < 0;
}
