/* 47 - Tasks that are started here and there, but belong to one group, which can be shut down: those that end within a
 * second may do so, the rest are cancelled. Notice that each one's end is told by a callback, which also counts, and
 * that nothing runs on after the shutdown. asyncio: a set of tasks, add_done_callback(), wait(timeout=1). */
#include "co.h"

#include <stdio.h>

struct post_office {
    struct co_group *group;
    int under_way;
};

struct letter {
    const char *to;
    int64_t takes;
};

static int send_letter(void *job)
{
    const struct letter *letter = job;
    return co_sleep(letter->takes);
}

static void letter_ended(co_task *task, void *arg)
{
    struct post_office *office = arg;
    const struct letter *letter = co_job(task);
    office->under_way--;
    printf("%4lld ms  to %s: %s, %d under way\n", (long long)(co_now() / CO_MS(1)), letter->to,
           co_strerror(co_result(task)), office->under_way);
}

static int post(struct post_office *office, struct letter *letter)
{
    co_task *task = co_spawn(office->group, send_letter, letter);
    if (!task)
        return -ENOMEM;
    office->under_way++;
    return co_on_done(task, letter_ended, office);
}

/* Waits for the letters under way, but at most a second; then cancels the rest. */
static int shut_down(struct post_office *office)
{
    struct co_timeout limit;
    printf("%4lld ms  closing, %d under way\n", (long long)(co_now() / CO_MS(1)), office->under_way);
    co_timeout_begin(&limit, CO_SEC(1));
    int rc = co_timeout_end(&limit, co_join(office->group));
    printf("%4lld ms  closed: %s\n", (long long)(co_now() / CO_MS(1)), co_strerror(rc));
    return rc == -ETIMEDOUT ? 0 : rc;
}

static int day(void *job)
{
    struct letter letters[] = {{"Rome", CO_MS(600)}, {"Oslo", CO_MS(1200)}, {"Moon", CO_SEC(99)}};
    CO_GROUP(group);
    struct post_office office = {.group = &group};
    for (int i = 0; i < 3; i++) {
        int rc = post(&office, &letters[i]);
        if (rc == 0)
            rc = co_sleep(CO_MS(200));
        if (rc < 0)
            return rc;
    }
    return shut_down(&office);
}

int main(void)
{
    return co_run(day, NULL, NULL) < 0;
}
