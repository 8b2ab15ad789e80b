/* 54 - How does one see from outside that somebody stops the loop? Sleep 100 ms again and again, and look how much
 * later you really wake. On a healthy loop that is 0; here somebody computes. See how long. */
#include "warmup.h"

static int64_t worst;

static int feel(void *job)
{
    int rc = 0;
    for (int i = 0; i < 10 && rc == 0; i++) {
        int64_t asleep_since = co_now();
        rc = co_sleep(CO_MS(100));
        /* TODO: how much later than asked for did it wake? */
        int64_t late = asleep_since * 0;
        worst = late > worst ? late : worst;
    }
    return rc;
}

static int crunch(void *job)
{
    int rc = co_sleep(CO_MS(350));
    co_cpu(CO_MS(given("ms", 170)));
    return rc;
}

int warmup(void)
{
    CO_GROUP(patient);
    co_spawn(&patient, feel, NULL);
    co_spawn(&patient, crunch, NULL);
    int rc = co_join(&patient);
    printf("%d ms: up to %lld ms late\n", now_ms(), (long long)(worst / CO_MS(1)));
    return rc;
}
