/* 24 - Many jobs, few at a time: a semaphore in front of the work. Notice 4000 ms for ten requests of one second, three
 * at a time (3 + 3 + 3 + 1), although all ten tasks were started at once. Without it they would take 1 s, and the
 * server would have ten at its door. asyncio: async with Semaphore(3). */
#include "co.h"

#include <stdio.h>

struct gallery {
    struct co_sem door;
    int inside, most_inside, pictures;
};

static int fetch_picture(void *job)
{
    struct gallery *gallery = job;
    CO_RESPONSE(resp);                          /* freed at the end, on every path */
    int rc = co_sem_acquire(&gallery->door);
    if (rc < 0)
        return rc;
    if (++gallery->inside > gallery->most_inside)
        gallery->most_inside = gallery->inside;
    rc = co_http_get("http://gallery.test/picture", &resp);
    if (rc == 0 && resp.status == 200)
        printf("%4lld ms  picture %d\n", (long long)(co_now() / CO_MS(1)), ++gallery->pictures);
    gallery->inside--;
    co_sem_release(&gallery->door);
    return rc;
}

static int visit(void *job)
{
    struct gallery gallery = {.door = CO_SEM_INIT(3)};
    CO_GROUP(requests);
    for (int i = 0; i < 10; i++)
        co_spawn(&requests, fetch_picture, &gallery);
    int rc = co_join(&requests);
    printf("%4lld ms  done, at most %d at a time\n", (long long)(co_now() / CO_MS(1)), gallery.most_inside);
    return rc;
}

int main(void)
{
    struct co_options options = {.world_file = "sim/examples/24-bounded-parallelism.json"};
    return co_run(visit, NULL, &options) < 0;
}
