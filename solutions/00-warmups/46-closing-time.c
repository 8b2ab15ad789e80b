/* 46 - Shutting down well: nothing new is begun, what is under way has a few seconds to finish, and what is not
 * done by then is ended. Ending all at once loses work; waiting for all may never end. */
#include "warmup.h"

struct guest {
    const char *dish;
    int seconds;
};

static int eat(void *job)
{
    const struct guest *guest = job;
    int rc = co_sleep(CO_SEC(guest->seconds));
    printf("%d ms: %s %s\n", now_ms(), guest->dish, rc < 0 ? "is taken away" : "is eaten up");
    return rc;
}

int warmup(void)
{
    struct guest guests[] = {{"soup", 4}, {"steak", 600}, {"salad", given("n", 12)}};
    co_task *tasks[3];
    CO_GROUP(tables);
    for (int i = 0; i < 3; i++)
        tasks[i] = co_spawn(&tables, eat, &guests[i]);
    int rc = co_sleep(CO_SEC(10));
    printf("%d ms: last orders\n", now_ms());
    rc = co_wait(tasks, 3, CO_ALL_COMPLETED, CO_SEC(5));
    co_group_cancel(&tables);
    return rc < 0 ? rc : 0;
}
