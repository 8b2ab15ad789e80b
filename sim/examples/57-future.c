/* 57 - An awaitable of one's own: a value that is not there yet, and a function that waits for it. Notice that an
 * event and a place for the value are all it needs, that both cooks go on at the instant at which the boat is in, and
 * that who asks later does not wait at all. asyncio: loop.create_future(), set_result(), await. */
#include "co.h"

#include <stdio.h>

struct fish {                                   /* the future */
    struct co_event landed;
    int kilos;
};

static int fish_wait(struct fish *fish, int *kilos)
{
    int rc = co_event_wait(&fish->landed);
    if (rc == 0)
        *kilos = fish->kilos;
    return rc;                                  /* -ECANCELED goes up unchanged */
}

static void fish_set(struct fish *fish, int kilos)
{
    fish->kilos = kilos;                        /* first the value, */
    co_event_set(&fish->landed);                /* then all who wait go on */
}

static int cook(void *job)
{
    int kilos;
    int64_t start = co_now();
    int rc = fish_wait(job, &kilos);
    if (rc == 0)
        printf("%3lld ms  cook %u waited %3lld ms for %d kg\n", (long long)(co_now() / CO_MS(1)), co_id(co_current()),
               (long long)((co_now() - start) / CO_MS(1)), kilos);
    return rc;
}

static int harbour(void *job)
{
    struct fish fish = {CO_EVENT_INIT, 0};
    CO_GROUP(cooks);
    co_spawn(&cooks, cook, &fish);
    co_spawn(&cooks, cook, &fish);
    int rc = co_sleep(CO_MS(400));              /* the boat is at sea */
    fish_set(&fish, 12);                        /* on every path, or the cooks would wait for ever */
    if (rc == 0)
        rc = co_sleep(CO_MS(200));
    co_spawn(&cooks, cook, &fish);
    return rc < 0 ? rc : co_join(&cooks);
}

int main(void)
{
    return co_run(harbour, NULL, NULL) < 0;
}
