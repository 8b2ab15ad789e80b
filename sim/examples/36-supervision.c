/* 36 - A supervisor starts its children, starts again those that crash, and gives up when one crashes too often.
 * Notice that the others go on while one is down, and that giving up ends them too: an error that cannot be mended here
 * goes on up. asyncio: a loop over wait(FIRST_COMPLETED) that makes new tasks; Erlang calls it one_for_one. */
#include "co.h"

#include <stdio.h>

enum { CHILDREN = 2, RESTARTS = 3 };

struct child {
    const char *name;
    int64_t lives_for;                          /* then it crashes */
    int starts;
};

static void tell(const struct child *child, const char *what)
{
    printf("%4lld ms  %s %s\n", (long long)(co_now() / CO_MS(1)), child->name, what);
}

static int run_child(void *job)
{
    struct child *child = job;
    int rc = child->starts == 0 ? 0 : co_sleep(CO_MS(100) * child->starts);    /* a pause before each new start */
    if (rc < 0)
        return rc;
    child->starts++;
    tell(child, "starts");
    rc = co_sleep(child->lives_for);
    if (rc < 0)
        tell(child, "is told to end");
    return rc < 0 ? rc : -EIO;
}

static int give_up(struct co_group *group, int why)
{
    co_group_cancel(group);
    int rc = co_join(group);
    return rc < 0 ? rc : why;
}

static int supervise(struct child children[])
{
    CO_GROUP(group);
    for (int i = 0; i < CHILDREN; i++)
        co_spawn(&group, run_child, &children[i]);
    co_task *ended;
    int rc;
    while ((rc = co_next_done(&group, &ended)) > 0) {
        struct child *child = co_job(ended);
        tell(child, co_strerror(co_result(ended)));
        if (child->starts > RESTARTS)
            return give_up(&group, co_result(ended));
        co_spawn(&group, run_child, child);
    }
    return rc;
}

static int plant(void *job)
{
    struct child children[CHILDREN] = {{.name = "pump", .lives_for = CO_SEC(1)},
                                       {.name = "valve", .lives_for = CO_MS(300)}};
    int rc = supervise(children);
    printf("%4lld ms  the supervisor gave up: %s\n", (long long)(co_now() / CO_MS(1)), co_strerror(rc));
    return rc == -EIO ? 0 : rc;
}

int main(void)
{
    return co_run(plant, NULL, NULL) < 0;
}
