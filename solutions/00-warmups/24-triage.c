/* 24 - A priority queue hands out the smallest item first, and you say what smaller means. Here the worst case has
 * the largest number, and comes first; among equals the one that waited longest. */
#include "warmup.h"

struct patient {
    const char *name;
    int badness;
};

static int compare(const void *a, const void *b)
{
    const struct patient *one = a, *other = b;
    return other->badness - one->badness;
}

int warmup(void)
{
    struct patient waiting[] = {{"cough", 2}, {"broken arm", 7}, {"check-up", 1}, {"nosebleed", given("n", 3)}};
    int rc = 0;
    CO_PRIORITY_QUEUE(room, 0, compare);
    for (int i = 0; i < 4 && rc == 0; i++)
        rc = co_queue_put(&room, &waiting[i]);
    for (void *next; rc == 0 && co_queue_try_get(&room, &next) == 0;) {
        rc = co_sleep(CO_SEC(600));
        printf("%d ms: %s is treated\n", now_ms(), ((struct patient *)next)->name);
    }
    return rc;
}
