/* 37 - A thousand clients that failed together come back together, and it fails again. So each waits a little less
 * or more, by chance: jitter. And no wait grows beyond a cap. (Here chance is a formula, so that it can be
 * graded.) */
#include "warmup.h"

static int chance;

/* "By chance" a time from 0 to most ns. */
static int64_t draw(int64_t most)
{
    chance = (chance * 31 + 17) % 101;
    return most * chance / 100;
}

static int64_t pause_before(int attempt)
{
    int64_t delay = CO_MS(100) << attempt, most = CO_MS(1000);
    /* TODO: at most `most`; of that half for sure, and by chance up to the other half */
    return (void)draw, (void)most, delay;
}

int warmup(void)
{
    int rc = 0;
    chance = given("key", 5);
    for (int attempt = 0; attempt < 6 && rc == 0; attempt++) {
        rc = co_sleep(pause_before(attempt));
        printf("%d ms: attempt %d\n", now_ms(), attempt + 1);
    }
    return rc;
}
