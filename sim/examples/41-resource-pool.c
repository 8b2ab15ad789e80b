/* 41 - A few costly things shared by many: take one from the pool, use it, give it back, on every path.
 * Notice that two boats serve five rowers, that one gives up after 500 ms, and that a boat with a leak goes back, too.
 * asyncio: a Queue of connections, or a pool's acquire() as a context manager. */
#include "co.h"

#include <stdio.h>

struct boat {
    const char *name;
    struct co_queue *jetty;                     /* where it belongs: the pool is a queue of what is free */
};

struct rower {
    const char *name;
    int64_t rows_for;
    int ends_with;
    struct co_queue *jetty;
};

static int take_boat(struct co_queue *jetty, struct boat **boat)
{
    struct co_timeout patience;
    void *item = NULL;
    co_timeout_begin(&patience, CO_MS(500));
    int rc = co_timeout_end(&patience, co_queue_get(jetty, &item));
    *boat = rc == 0 ? item : NULL;
    return rc;
}

static void give_boat_back(struct boat **boat)
{
    if (*boat && co_queue_try_put((*boat)->jetty, *boat) < 0)
        printf("%s is lost\n", (*boat)->name);  /* cannot be: there is a place for each boat */
}

static int row(void *job)
{
    const struct rower *rower = job;
    CO_DEFER(give_boat_back) struct boat *boat = NULL;
    int rc = take_boat(rower->jetty, &boat);
    printf("%3lld ms  %s: %s\n", (long long)(co_now() / CO_MS(1)), rower->name, rc == 0 ? boat->name : co_strerror(rc));
    if (rc < 0)
        return rc;
    rc = co_sleep(rower->rows_for);
    return rc < 0 ? rc : rower->ends_with;
}

static int lake(void *job)
{
    CO_QUEUE(jetty, 2);
    struct boat boats[] = {{"Swan", &jetty}, {"Duck", &jetty}};
    struct rower rowers[] = {{"Ada", CO_MS(300), 0, &jetty}, {"Bert", CO_MS(450), 0, &jetty},
                             {"Cleo", CO_MS(400), -EIO, &jetty},        /* her boat leaks */
                             {"Dora", CO_MS(100), 0, &jetty}, {"Emil", CO_MS(100), 0, &jetty}};
    int rcs[5];
    for (int i = 0; i < 2; i++) {
        int rc = co_queue_try_put(&jetty, &boats[i]);
        if (rc < 0)
            return rc;
    }
    int rc = co_gather(row, rowers, 5, sizeof rowers[0], rcs);
    if (rc < 0)
        return rc;
    for (int i = 0; i < 5; i++)
        printf("%s: %s\n", rowers[i].name, co_strerror(rcs[i]));
    printf("%zu boats at the jetty\n", co_queue_size(&jetty));
    return 0;
}

int main(void)
{
    return co_run(lake, NULL, NULL) < 0;
}
