/* 15 - A cancelled task is not killed: its waits return -ECANCELED from then on, and it is the task that must
 * leave. One that looks away races through all that is left, in no time. See the guard stop in the middle of a
 * round. */
#include "warmup.h"

static int guard(void *job)
{
    int rounds = given("n", 10);
    for (int round = 1; round <= rounds; round++) {
        int rc = co_sleep(CO_SEC(60));
        if (rc < 0)
            return rc;
        printf("%d ms: round %d\n", now_ms(), round);
    }
    printf("%d ms: the night is over\n", now_ms());
    return 0;
}

int warmup(void)
{
    int end = 0;
    CO_GROUP(museum);
    co_task *task = co_spawn(&museum, guard, NULL);
    int rc = co_sleep(CO_SEC(150));
    co_cancel(task);
    rc = rc < 0 ? rc : co_await(task, &end);
    printf("%d ms: the guard %s\n", now_ms(), end == -ECANCELED ? "was sent home" : "was through");
    return rc;
}
