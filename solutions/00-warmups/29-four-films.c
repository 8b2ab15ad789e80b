/* 29 - Waiting overlaps by itself, computing does not: four tasks that compute take turns on one thread, 4 · 20 s.
 * On workers (the world has 4 CPUs) they really run at the same time: concurrency becomes parallelism. */
#include "warmup.h"

struct film {
    int seconds, frames;
};

static int render(void *job)
{
    struct film *film = job;
    co_cpu(CO_SEC(film->seconds));
    film->frames = 24 * film->seconds;
    return 0;
}

static int make(void *job)
{
    return co_to_thread(render, job);
}

int warmup(void)
{
    struct film films[4] = {{20, 0}, {20, 0}, {20, 0}, {given("n", 20), 0}};
    int rc = co_gather(make, films, 4, sizeof films[0], NULL);
    for (int i = 0; i < 4; i++)
        printf("film %d: %d frames\n", i + 1, films[i].frames);
    printf("%d ms: the premiere\n", now_ms());
    return rc;
}
