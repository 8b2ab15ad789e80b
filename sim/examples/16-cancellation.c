/* 16 - Cancelling in depth: it reaches a task where it waits; from then on every wait fails, so it cleans up and
 * leaves. Notice that a cancelled chef's helpers end with her, that her clean-up cannot wait again, and that a task
 * cancelled before its first step still runs, up to its first wait. asyncio: task.cancel(), CancelledError. */
#include "co.h"

#include <stdio.h>

static void say(const char *who, const char *what)
{
    printf("%3lld ms  %-7s %s\n", (long long)(co_now() / CO_MS(1)), who, what);
}

static int stir(void *job)
{
    int rc = co_sleep(CO_SEC(10));
    say(job, co_strerror(rc));
    return rc;
}

static int cook(void *job)
{
    CO_GROUP(helpers);
    say(job, "starts");
    co_spawn(&helpers, stir, "helper1");
    co_spawn(&helpers, stir, "helper2");
    int rc = co_join(&helpers);                 /* cancelled here; it hands that on, and waits for the helpers */
    say(job, co_strerror(rc));
    say(job, co_sleep(CO_SEC(1)) == -ECANCELED ? "may not wait any more" : "slept");
    say(job, "turns the gas off");
    return rc;
}

static int kitchen(void *job)
{
    int first_rc, second_rc;
    CO_GROUP(chefs);
    co_task *first = co_spawn(&chefs, cook, "chef");
    int rc = co_sleep(CO_MS(300));
    co_task *second = co_spawn(&chefs, stir, "late");
    if (rc < 0)
        return rc;
    co_cancel(first);
    co_cancel(first);                           /* twice is once */
    co_cancel(second);                          /* before its first step */
    rc = co_await(first, &first_rc);
    if (rc == 0)
        rc = co_await(second, &second_rc);
    if (rc < 0)
        return rc;
    printf("they returned: %s, %s\n", co_strerror(first_rc), co_strerror(second_rc));
    return 0;
}

int main(void)
{
    return co_run(kitchen, NULL, NULL) < 0;
}
