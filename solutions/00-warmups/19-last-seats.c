/* 19 - Each buyer looks whether a seat is left, pays, and takes it. While one pays, the others look at the same
 * seat: a race, although there is but one thread. A lock makes look, pay and take one piece. See the sums come out
 * right. */
#include "warmup.h"

static struct co_lock desk = CO_LOCK_INIT;
static int seats;

static int buy(void *job)
{
    int rc = 0;
    CO_WITH_LOCK(&desk)
    {
        if (seats > 0) {
            rc = co_sleep(CO_MS(50));
            seats--;
            printf("%d ms: %s has a seat, %d left\n", now_ms(), (const char *)job, seats);
        }
    }
    return rc;
}

int warmup(void)
{
    static char *buyers[] = {"Ada", "Bob", "Cleo", "Dan", "Eve"};
    CO_GROUP(queue);
    seats = given("n", 3);
    for (int i = 0; i < 5; i++)
        co_spawn(&queue, buy, buyers[i]);
    return co_join(&queue);
}
