/* 31 - A cache whose entries grow old: what was asked lately comes at once, what is older than 2 s is asked for again.
 * Notice which look-ups cost 300 ms and which none; the age counts from the answer, not from the question.
 * asyncio: the same, with loop.time(); functools.cache would keep the coroutine instead of its result. */
#include "co.h"

#include <stdio.h>
#include <string.h>

enum { PLACES = 4, TTL_S = 2 };

struct entry {
    const char *station;                        /* NULL: unused */
    int degrees;
    int64_t expires;
};

static int ask_station(const char *station, int *degrees)
{
    static int asked;
    int rc = co_sleep(CO_MS(300));
    if (rc == 0)
        *degrees = 10 + asked++;                /* it is getting warmer */
    return rc;
}

static struct entry *find(struct entry cache[], const char *station)
{
    for (int i = 0; i < PLACES; i++)
        if (!cache[i].station || strcmp(cache[i].station, station) == 0)
            return &cache[i];
    return &cache[0];                           /* full: the first one has to go */
}

static int temperature(struct entry cache[], const char *station, int *degrees)
{
    struct entry *entry = find(cache, station);
    if (!entry->station || strcmp(entry->station, station) != 0 || co_now() >= entry->expires) {
        int fresh = 0;
        int rc = ask_station(station, &fresh);
        if (rc < 0)
            return rc;
        *entry = (struct entry){station, fresh, co_now() + CO_SEC(TTL_S)};
    }
    *degrees = entry->degrees;
    return 0;
}

static int walk(void *job)
{
    static const char *const asked[] = {"lake", "lake", "peak", "lake", "lake", "peak"};
    struct entry cache[PLACES] = {0};
    for (int i = 0; i < 6; i++) {
        int64_t start = co_now();
        int degrees;
        int rc = temperature(cache, asked[i], &degrees);
        if (rc < 0)
            return rc;
        printf("%4lld ms  %s %d degrees, after %3lld ms\n", (long long)(start / CO_MS(1)), asked[i], degrees,
               (long long)((co_now() - start) / CO_MS(1)));
        rc = co_sleep(CO_MS(700));
        if (rc < 0)
            return rc;
    }
    return 0;
}

int main(void)
{
    return co_run(walk, NULL, NULL) < 0;
}
