/* 42 - A background loop has to survive its own failures: what breaks is started again after a second. Only one
 * thing ends it, and that is no failure: being cancelled. Whoever restarts then as well never ends. */
#include "warmup.h"

static int play(void)
{
    int rc = co_sleep(CO_SEC(given("n", 7)));
    return rc < 0 ? rc : -EIO;
}

static int radio(void *job)
{
    while (true) {
        int rc = play();
        if (rc == -ECANCELED)
            return rc;
        printf("%d ms: noise, on again\n", now_ms());
        (void)!co_sleep(CO_SEC(1));
    }
}

int warmup(void)
{
    CO_GROUP(home);
    co_task *task = co_spawn(&home, radio, NULL);
    int end = 0, rc = co_sleep(CO_SEC(20));
    co_cancel(task);
    rc = rc < 0 ? rc : co_await(task, &end);
    printf("%d ms: off, %s\n", now_ms(), co_strerror(end));
    return rc;
}
