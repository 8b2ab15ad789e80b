/* 09 - Three couriers have set out, and one is enough. co_wait comes back when one is done, one has failed, or all
 * are done: you say which. It cancels nobody, so the others are sent home by hand. See the time of the fastest. */
#include "warmup.h"

struct courier {
    const char *name;
    int minutes;
};

static int ride(void *job)
{
    const struct courier *courier = job;
    return co_sleep(CO_SEC(60 * courier->minutes));
}

int warmup(void)
{
    struct courier couriers[] = {{"Ada", 30}, {"Bob", 12}, {"Cleo", given("n", 25)}};
    co_task *tasks[3];
    int done = 0;
    CO_GROUP(street);
    for (int i = 0; i < 3; i++)
        tasks[i] = co_spawn(&street, ride, &couriers[i]);
    /* TODO: wait until one of the three is done; store in done how many are */
    (void)tasks;
    for (int i = 0; i < 3; i++)
        if (co_done(tasks[i]))
            printf("%d ms: %s is here (%d of 3)\n", now_ms(), couriers[i].name, done);
    co_group_cancel(&street);
    return 0;
}
