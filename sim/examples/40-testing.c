/* 40 - Tests of code that waits: each runs in a loop of its own, whose clock starts at 0; what it would ask over the
 * network is a fake with a script. Notice that times are compared with ==, that 40 s of waiting cost nothing, and that
 * the last test cancels its subject at a chosen instant. asyncio: IsolatedAsyncioTestCase, AsyncMock. */
#include "co.h"

#include <stdio.h>

/* ---- What is tested: asks up to three times, a second apart. */

typedef int ask_fn(void *context);

static int ask_thrice(ask_fn *ask, void *context)
{
    int rc = ask(context);
    for (int i = 1; i < 3 && rc == -EIO; i++) {
        rc = co_sleep(CO_SEC(1));
        if (rc == 0)
            rc = ask(context);
    }
    return rc;
}

/* ---- The fake: fails so many times, takes so long, counts. */

struct fake {
    int failures, asked;
    int64_t takes;
};

static int fake_ask(void *context)
{
    struct fake *fake = context;
    int rc = co_sleep(fake->takes);
    if (rc < 0)
        return rc;
    return fake->asked++ < fake->failures ? -EIO : 0;
}

/* ---- The tests: 1 = as it should be. */

static int asks_again_after_failures(void *job)
{
    struct fake fake = {.failures = 2, .takes = CO_MS(10)};
    return ask_thrice(fake_ask, &fake) == 0 && fake.asked == 3 && co_now() == CO_MS(2030);
}

static int gives_up_after_three(void *job)
{
    struct fake fake = {.failures = 9, .takes = CO_SEC(40)};
    return ask_thrice(fake_ask, &fake) == -EIO && fake.asked == 3;
}

static int subject(void *job)
{
    return ask_thrice(fake_ask, job);
}

static int stops_when_cancelled_in_the_pause(void *job)
{
    struct fake fake = {.failures = 9, .takes = CO_MS(10)};
    return co_wait_for(subject, &fake, CO_MS(500)) == -ETIMEDOUT && fake.asked == 1 && co_now() == CO_MS(500);
}

int main(void)
{
    static const struct {
        const char *name;
        co_fn fn;
    } tests[] = {{"asks again after failures", asks_again_after_failures},
                 {"gives up after three", gives_up_after_three},
                 {"stops when cancelled in the pause", stops_when_cancelled_in_the_pause}};
    int failed = 0;
    for (int i = 0; i < 3; i++) {
        bool ok = co_run(tests[i].fn, NULL, NULL) == 1;
        printf("%s - %s\n", ok ? "ok" : "not ok", tests[i].name);
        failed += !ok;
    }
    return failed > 0;
}
