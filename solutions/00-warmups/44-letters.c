/* 44 - A letter that cannot be delivered goes back into the queue, behind the others, and is tried again later;
 * after the third try it is put aside. No failing letter holds up those that can be delivered. */
#include "warmup.h"

struct letter {
    const char *to;
    int tries, home_at;     /* at which try somebody is at home */
};

int warmup(void)
{
    struct letter letters[] = {{"Ada", 0, 1}, {"Bob", 0, 9}, {"Cleo", 0, given("n", 2)}};
    int dead = 0, rc = 0;
    CO_QUEUE(office, 0);
    for (int i = 0; i < 3 && rc == 0; i++)
        rc = co_queue_put(&office, &letters[i]);
    for (void *next; rc == 0 && co_queue_try_get(&office, &next) == 0;) {
        struct letter *letter = next;
        rc = co_sleep(CO_SEC(60));
        bool there = ++letter->tries >= letter->home_at;
        printf("%d ms: %s, try %d: %s\n", now_ms(), letter->to, letter->tries, there ? "delivered" : "nobody");
        if (there)
            continue;
        if (letter->tries == 3)
            dead++;
        else rc = co_queue_put(&office, letter);
    }
    printf("%d ms: %d dead letters\n", now_ms(), dead);
    return rc;
}
