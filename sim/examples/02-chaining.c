/* 02 - A function that waits may call others that wait: it is an ordinary call, with an ordinary result. Notice that
 * one traveller's steps follow each other (each needs the result before it), while the two travellers overlap.
 * asyncio: await of one coroutine inside another. */
#include "co.h"

#include <stdio.h>
#include <string.h>

struct traveller {
    const char *name, *town;
    int platform;
};

static int find_station(const char *town, int *station)
{
    int rc = co_sleep(CO_MS(200));
    if (rc < 0)
        return rc;
    *station = (int)strlen(town);               /* as good a number as any */
    return 0;
}

static int find_platform(int station, int *platform)
{
    int rc = co_sleep(CO_MS(300));
    if (rc < 0)
        return rc;
    *platform = 2 * station + 1;
    return 0;
}

static int look_up(void *job)
{
    struct traveller *who = job;
    int station;
    int rc = find_station(who->town, &station);
    if (rc == 0)
        rc = find_platform(station, &who->platform);
    if (rc < 0)
        return rc;
    printf("%3lld ms  %s to %s: platform %d\n", (long long)(co_now() / CO_MS(1)), who->name, who->town, who->platform);
    return 0;
}

static int travel(void *job)
{
    struct traveller ann = {"Ann", "Bern", 0}, ben = {"Ben", "Lausanne", 0};
    CO_GROUP(both);
    co_spawn(&both, look_up, &ann);
    co_spawn(&both, look_up, &ben);
    return co_join(&both);                      /* 500 ms: one chain's length, not two */
}

int main(void)
{
    return co_run(travel, NULL, NULL) < 0;
}
