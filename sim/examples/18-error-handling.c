/* 18 - Four answers to a failure: fail fast (the first one ends all), fail safe (collect them), retry, and the circuit
 * breaker: after three failures in a row stop asking for a second. Notice what each costs in time, and that calls 4
 * and 5 fail at once, without troubling the pump. asyncio: gather() in both its error styles; the rest by hand, too. */
#include "co.h"

#include <stdio.h>

struct pump {
    int64_t answers_after;
    int failures;                               /* so many times it fails, then it works */
};

struct breaker {
    int failures;
    int64_t open_until;
};

static int check(void *job)
{
    struct pump *pump = job;
    int rc = co_sleep(pump->answers_after);
    if (rc < 0)
        return rc;
    return pump->failures-- > 0 ? -EIO : 0;
}

static int check_carefully(struct breaker *breaker, struct pump *pump)
{
    if (co_now() < breaker->open_until)
        return -EHOSTDOWN;
    int rc = check(pump);
    breaker->failures = rc == -EIO ? breaker->failures + 1 : 0;
    if (breaker->failures == 3)
        *breaker = (struct breaker){.failures = 0, .open_until = co_now() + CO_SEC(1)};
    return rc;
}

static void tell(const char *what, int rc)
{
    printf("%4lld ms  %s: %s\n", (long long)(co_now() / CO_MS(1)), what, co_strerror(rc));
}

static int plant(void *job)
{
    struct pump all[] = {{CO_MS(400), 0}, {CO_MS(100), 1}, {CO_MS(300), 0}};
    struct pump weak = {CO_MS(100), 2}, bad = {CO_MS(100), 3};
    struct breaker breaker = {0};
    int rcs[3];

    int rc = co_gather(check, all, 3, sizeof all[0], NULL);
    tell("fail fast: all", rc);
    all[1].failures = 1;
    rc = co_gather(check, all, 3, sizeof all[0], rcs);
    for (int i = 0; i < 3 && rc == 0; i++)
        tell("fail safe: one", rcs[i]);
    for (int attempt = 1; attempt <= 3; attempt++) {
        rc = check(&weak);
        tell("retry", rc);
        if (rc != -EIO)
            break;
    }
    for (int call = 1; call <= 7 && rc != -ECANCELED; call++) {
        tell("breaker", check_carefully(&breaker, &bad));
        rc = co_sleep(CO_MS(400));
    }
    return rc;
}

int main(void)
{
    return co_run(plant, NULL, NULL) < 0;
}
