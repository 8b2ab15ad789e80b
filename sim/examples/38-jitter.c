/* 38 - Those who failed together and wait equally long fail together again: a random pause (jitter) spreads them.
 * Notice the calls that eight guests need to get one line, and that whoever has the wrong number does not call twice
 * (fail fast). asyncio: sleep(random.uniform(0, pause)). */
#include "co.h"

#include <stdio.h>

struct hotel {
    bool jitter, engaged;
    int calls, got_through, given_up;
    uint32_t random;
};

static int64_t random_up_to(struct hotel *hotel, int64_t ns)
{
    hotel->random = hotel->random * 1664525u + 1013904223u;
    return (int64_t)((hotel->random >> 8) / (double)(1 << 24) * (double)ns);
}

static int call(struct hotel *hotel, uint32_t guest)
{
    hotel->calls++;
    if (guest == 9)
        return -EINVAL;                         /* the wrong number */
    if (hotel->engaged)
        return -EBUSY;
    hotel->engaged = true;
    int rc = co_sleep(CO_MS(20));
    hotel->engaged = false;
    return rc;
}

static int guest(void *job)
{
    struct hotel *hotel = job;
    int rc = -EBUSY;
    for (int64_t pause = CO_MS(100); pause <= CO_MS(6400); pause *= 2) {
        rc = call(hotel, co_id(co_current()));
        if (rc != -EBUSY)
            break;                              /* it worked, or would never work: ask no more */
        rc = co_sleep(hotel->jitter ? random_up_to(hotel, pause) : pause);
        if (rc < 0)
            return rc;
    }
    hotel->got_through += rc == 0;
    hotel->given_up += rc != 0;
    return rc == -ECANCELED ? rc : 0;
}

static int evening(void *job)
{
    struct hotel *hotel = job;
    CO_GROUP(guests);
    for (int i = 0; i < 8; i++)
        co_spawn(&guests, guest, hotel);
    int rc = co_join(&guests);
    printf("%-14s  %2d calls, %d got through, %d gave up, over after %lld ms\n",
           hotel->jitter ? "with jitter" : "without jitter", hotel->calls, hotel->got_through,
           hotel->given_up, (long long)(co_now() / CO_MS(1)));
    return rc;
}

int main(void)
{
    struct hotel plain = {.jitter = false}, spread = {.jitter = true, .random = 7};
    int rc = co_run(evening, &plain, NULL);
    if (rc == 0)
        rc = co_run(evening, &spread, NULL);
    return rc < 0;
}
