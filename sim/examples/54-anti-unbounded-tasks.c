/* 54 - Anti-pattern: a task for each of very many jobs, all at once. The server takes 8 connections, its kernel lets 13
 * more wait, and to whoever comes then nothing answers: their kernel asks again after 1, 2, 3, 4, 5, 7 s. Notice when
 * the last of a hundred is there without a bound, and with one of eight. asyncio: gather(*[...]) over ten thousand. */
#include "co.h"

#include <stdio.h>

enum { STAMPS = 100 };

struct collection {
    struct co_sem bound;
    int ok;
};

static int fetch_stamp(void *job)
{
    struct collection *collection = job;
    CO_RESPONSE(resp);
    int rc = co_sem_acquire(&collection->bound);
    if (rc < 0)
        return rc;
    rc = co_http_get("http://stamps.test/", &resp);
    co_sem_release(&collection->bound);
    collection->ok += rc == 0;
    return rc;
}

static int collect(void *job)
{
    struct collection *collection = job;
    int bound = collection->bound.value;
    CO_GROUP(requests);
    for (int i = 0; i < STAMPS; i++)
        co_spawn(&requests, fetch_stamp, collection);
    int rc = co_join(&requests);
    printf("at most %3d at once: %3d stamps, the last after %5lld ms\n", bound, collection->ok,
           (long long)(co_now() / CO_MS(1)));
    return rc;
}

int main(void)
{
    struct co_options options = {.world_file = "sim/examples/54-anti-unbounded-tasks.json"};
    struct collection greedy = {.bound = CO_SEM_INIT(STAMPS)}, modest = {.bound = CO_SEM_INIT(8)};
    int rc = co_run(collect, &greedy, &options);
    if (rc == 0)
        rc = co_run(collect, &modest, &options);
    return rc < 0;
}
