/* 46 - Two limits at once: so many at the same time (a semaphore), and so many a second (four places, each free again
 * after 1,050 ms: what leaves 1,000 apart may arrive 999 apart). Notice that the server, which allows four a second,
 * answers all ten, and without the limiter turns six away. asyncio: Semaphore, and aiolimiter's AsyncLimiter. */
#include "co.h"

#include <stdio.h>

enum { AT_ONCE = 2, PER_SECOND = 4, HELD_MS = 1050 };

struct limiter {
    struct co_sem at_once;
    int64_t next[PER_SECOND];                   /* when each place is free again, in turn */
    int taken;
};

struct album {
    struct limiter *limiter;                    /* NULL: no limit */
    int ok, turned_away;
};

/* Waits for a place; limiter_leave gives it back. */
static int limiter_enter(struct limiter *limiter)
{
    int rc = co_sem_acquire(&limiter->at_once);
    if (rc < 0)
        return rc;
    int64_t *place = &limiter->next[limiter->taken++ % PER_SECOND];
    int64_t start = *place > co_now() ? *place : co_now();
    *place = start + CO_MS(HELD_MS);            /* taken before the wait, so that nobody else takes it */
    rc = co_sleep(start - co_now());
    if (rc < 0)
        co_sem_release(&limiter->at_once);
    return rc;
}

static void limiter_leave(struct limiter *limiter)
{
    co_sem_release(&limiter->at_once);
}

static int fetch_photo(void *job)
{
    struct album *album = job;
    CO_RESPONSE(resp);
    int rc = album->limiter ? limiter_enter(album->limiter) : 0;
    if (rc < 0)
        return rc;
    rc = co_http_get("http://photos.test/cat", &resp);
    if (album->limiter)
        limiter_leave(album->limiter);
    album->ok += resp.status == 200;
    album->turned_away += resp.status == 429;
    return rc;
}

static int download(void *job)
{
    struct album *album = job;
    CO_GROUP(photos);
    for (int i = 0; i < 10; i++)
        co_spawn(&photos, fetch_photo, album);
    int rc = co_join(&photos);
    printf("%-17s  %2d photos, %d turned away, %4lld ms\n", album->limiter ? "with a limiter" : "without a limiter",
           album->ok, album->turned_away, (long long)(co_now() / CO_MS(1)));
    return rc < 0 ? rc : co_sleep(CO_MS(HELD_MS));      /* a real server has not forgotten these when the next ask */
}

int main(void)
{
    struct co_options options = {.world_file = "sim/examples/46-rate-limiter.json"};
    struct limiter limiter = {.at_once = CO_SEM_INIT(AT_ONCE)};
    struct album hasty = {0}, patient = {.limiter = &limiter};
    int rc = co_run(download, &hasty, &options);
    if (rc == 0)
        rc = co_run(download, &patient, &options);
    return rc < 0;
}
