/* 37 - What failed goes into a second queue and comes back later, so that no worker stands still for it; what fails
 * three times is put aside for a human. Notice that the parcels behind the stubborn ones are not held up. asyncio: two
 * Queues, and a list of dead letters. */
#include "co.h"

#include <stdio.h>

enum { PARCELS = 4, ATTEMPTS = 3 };

struct parcel {
    const char *to;
    int nobody_home;                            /* so many times */
    int attempts;
    int64_t not_before;
};

struct depot {
    struct co_queue *today, *again;
    int open;                                   /* neither delivered nor put aside */
};

static void tell(const struct parcel *parcel, const char *what)
{
    printf("%4lld ms  %s: %s\n", (long long)(co_now() / CO_MS(1)), parcel->to, what);
}

static int deliver(struct depot *depot, struct parcel *parcel)
{
    int rc = co_sleep(CO_MS(100));
    if (rc < 0)
        return rc;
    if (++parcel->attempts <= parcel->nobody_home && parcel->attempts < ATTEMPTS) {
        tell(parcel, "nobody home, again later");
        parcel->not_before = co_now() + CO_MS(250) * parcel->attempts;
        return co_queue_put(depot->again, parcel);
    }
    tell(parcel, parcel->attempts <= parcel->nobody_home ? "put aside" : "delivered");
    if (--depot->open == 0) {
        co_queue_shutdown(depot->today, false);
        co_queue_shutdown(depot->again, false);
    }
    return 0;
}

static int drive(void *job)
{
    struct depot *depot = job;
    void *parcel;
    int rc;
    while ((rc = co_queue_get(depot->today, &parcel)) == 0)
        if ((rc = deliver(depot, parcel)) < 0)
            return rc;
    return rc == -ESHUTDOWN ? 0 : rc;
}

static int bring_back(void *job)
{
    struct depot *depot = job;
    void *parcel;
    int rc;
    while ((rc = co_queue_get(depot->again, &parcel)) == 0) {
        rc = co_sleep(((struct parcel *)parcel)->not_before - co_now());
        if (rc == 0)
            rc = co_queue_put(depot->today, parcel);
        if (rc < 0)
            return rc;
    }
    return rc == -ESHUTDOWN ? 0 : rc;
}

static int day(void *job)
{
    struct parcel parcels[PARCELS] = {{.to = "Ames", .nobody_home = 1}, {.to = "Bo", .nobody_home = 9},
                                      {.to = "Cruz"}, {.to = "Dahl"}};
    CO_QUEUE(today, 0);
    CO_QUEUE(again, 0);
    struct depot depot = {&today, &again, PARCELS};
    CO_GROUP(staff);
    for (int i = 0; i < PARCELS; i++) {
        int rc = co_queue_put(&today, &parcels[i]);
        if (rc < 0)
            return rc;
    }
    co_spawn(&staff, drive, &depot);
    co_spawn(&staff, bring_back, &depot);
    return co_join(&staff);
}

int main(void)
{
    return co_run(day, NULL, NULL) < 0;
}
