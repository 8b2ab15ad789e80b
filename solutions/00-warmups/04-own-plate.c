/* 04 - A task gets one pointer, its job, and reads it when it first runs: later than the spawn. So each task needs
 * a place of its own that still holds the same thing then. See each guest's dish named once. */
#include "warmup.h"

struct guest {
    const char *dish;
    int minutes;
};

static int cook(void *job)
{
    const struct guest *guest = job;
    int rc = co_sleep(CO_SEC(60 * guest->minutes));
    printf("%d ms: %s\n", now_ms(), guest->dish);
    return rc;
}

int warmup(void)
{
    struct guest guests[] = {{"soup", 12}, {"rice", given("n", 20)}, {"salad", 5}}, guest;
    CO_GROUP(kitchen);
    for (size_t i = 0; i < sizeof guests / sizeof guests[0]; i++) {
        guest = guests[i];
        co_spawn(&kitchen, cook, &guests[i]);
        (void)guest;
    }
    return co_join(&kitchen);
}
