/* 50 - Fan out: one question to many. Fan in: their answers, each as soon as it is there, the fastest first.
 * Notice that the first answer is used at 500 ms, while gather would hand out all three at 1500 ms, and that the best
 * offer so far is known at any time. asyncio: as_completed(). */
#include "co.h"

#include <stdio.h>

struct joiner {
    const char *name;
    int64_t thinks_for;
    int price;
};

static int make_offer(void *job)
{
    const struct joiner *joiner = job;
    int rc = co_sleep(joiner->thinks_for);
    return rc < 0 ? rc : joiner->price;         /* 0 or more: a result */
}

static int ask_for_a_table(void *job)
{
    struct joiner joiners[] = {{"Alma", CO_MS(1000), 430}, {"Bela", CO_MS(1500), 470}, {"Cora", CO_MS(500), 450}};
    const co_task *best = NULL;
    co_task *done;
    int rc;

    CO_GROUP(offers);
    for (int i = 0; i < 3; i++)                 /* out */
        co_spawn(&offers, make_offer, &joiners[i]);
    while ((rc = co_next_done(&offers, &done)) > 0) {       /* in */
        if (co_result(done) < 0)
            continue;
        if (!best || co_result(done) < co_result(best))
            best = done;
        printf("%4lld ms  %s: %d; the best so far: %s\n", (long long)(co_now() / CO_MS(1)),
               ((struct joiner *)co_job(done))->name, co_result(done), ((struct joiner *)co_job(best))->name);
    }
    return rc;
}

int main(void)
{
    return co_run(ask_for_a_table, NULL, NULL) < 0;
}
