/* 53 - A whole small system: one picks, three press, a queue between them, and an orderly end. Everything is as
 * you know it; what is missing is the end. Each worker stops at a NULL, and a queue hands each item to one of them
 * only. */
#include "warmup.h"

struct press {
    struct co_queue *crates;
    int pressed;
};

static int press(void *job)
{
    struct press *press = job;
    void *crate;
    int rc;
    while ((rc = co_queue_get(press->crates, &crate)) == 0 && crate) {
        if ((rc = co_sleep(CO_SEC(40))) < 0)
            return rc;
        press->pressed++;
    }
    return rc;
}

int warmup(void)
{
    int n = given("n", 7), workers = given("limit", 3), rc = 0;
    struct press presses[4];
    CO_QUEUE(crates, 2);
    CO_GROUP(mill);
    for (int i = 0; i < workers; i++) {
        presses[i] = (struct press){&crates, 0};
        co_spawn(&mill, press, &presses[i]);
    }
    for (int i = 0; i < n && rc == 0; i++)
        rc = co_queue_put(&crates, "apples");
    for (int i = 0; i < workers && rc == 0; i++)
        rc = co_queue_put(&crates, NULL);
    rc = rc < 0 ? rc : co_join(&mill);
    for (int i = 0; i < workers; i++)
        printf("%d ms: press %d: %d crates\n", now_ms(), i, presses[i].pressed);
    return rc;
}
