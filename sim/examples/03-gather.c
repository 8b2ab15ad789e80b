/* 03 - Ask several at the same time and wait for all: it takes as long as the slowest, and the results keep their
 * order. Notice 1500 ms for waits of 1000, 1500 and 500 ms, and that the cellar's failure stops nobody, as `rcs`
 * collects it. asyncio: gather(..., return_exceptions=True). */
#include "co.h"

#include <stdio.h>

struct room {
    const char *name;
    int64_t answers_after;
    bool broken;
    int degrees;                                /* the result */
};

static int measure(void *job)
{
    struct room *room = job;
    int rc = co_sleep(room->answers_after);
    if (rc < 0)
        return rc;
    if (room->broken)
        return -EIO;
    room->degrees = 19;
    return 0;
}

static int measure_all(void *job)
{
    struct room rooms[] = {{"kitchen", CO_MS(1000), false, 0},
                           {"attic", CO_MS(1500), false, 0},
                           {"cellar", CO_MS(500), true, 0}};
    enum { N = sizeof rooms / sizeof rooms[0] };
    int rcs[N];

    int rc = co_gather(measure, rooms, N, sizeof rooms[0], rcs);
    if (rc < 0)
        return rc;
    printf("all answered after %lld ms\n", (long long)(co_now() / CO_MS(1)));
    for (int i = 0; i < N; i++) {
        if (rcs[i] == 0)
            printf("  %-7s  %d degrees\n", rooms[i].name, rooms[i].degrees);
        else
            printf("  %-7s  %s\n", rooms[i].name, co_strerror(rcs[i]));
    }
    return 0;
}

int main(void)
{
    return co_run(measure_all, NULL, NULL) < 0;
}
