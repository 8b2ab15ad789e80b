/* 10 - Results are wanted as they come, not in the order in which the tasks were started. co_next_done hands out
 * each task of a group when it ends. See the places rise with the time. */
#include "warmup.h"

struct runner {
    const char *name;
    int seconds;
};

static int run(void *job)
{
    return co_sleep(CO_SEC(((struct runner *)job)->seconds));
}

int warmup(void)
{
    struct runner runners[] = {{"Ines", 52}, {"Jon", 47}, {"Kim", given("n", 60)}};
    co_task *task, *tasks[3];
    int rc, place = 0;
    CO_GROUP(race);
    for (int i = 0; i < 3; i++)
        tasks[i] = co_spawn(&race, run, &runners[i]);
    while (true) {
        /* TODO: wait for the next runner to arrive: 1 and the task, or 0 when all are there */
        rc = 0, task = tasks[0];
        if (rc <= 0)
            return rc;
        printf("%d ms: place %d, %s\n", now_ms(), ++place, ((struct runner *)co_job(task))->name);
    }
}
