/* bench.c - what a yield, a spawn and a sleep cost: prints ns each. Natively and in WebAssembly, the same file. */
#include "co.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TASKS = 100, YIELDS = 1000, SPAWNS = 50000, SLEEPS = 500 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int yields(void *job)
{
    (void)job;
    for (int i = 0; i < YIELDS; i++)
        if (co_yield() < 0)
            return -ECANCELED;
    return 0;
}

static int nothing(void *job)
{
    (void)job;
    return 0;
}

static int sleeps(void *job)
{
    (void)job;
    for (int i = 0; i < SLEEPS; i++)
        if (co_sleep(CO_MS(1)) < 0)
            return -ECANCELED;
    return 0;
}

static int many(co_fn fn)
{
    CO_GROUP(group);
    for (int i = 0; i < TASKS; i++)
        co_spawn(&group, fn, NULL);
    return co_join(&group);
}

static int run(void *job)
{
    (void)job;
    double t0 = now();
    int rc = many(yields);
    double t1 = now();
    for (int i = 0; rc == 0 && i < SPAWNS / TASKS; i++)
        rc = many(nothing);
    double t2 = now();
    rc = rc ? rc : many(sleeps);
    double t3 = now();
    printf("{\"yield\": %.1f, \"spawn\": %.1f, \"sleep\": %.1f}\n", (t1 - t0) / (TASKS * YIELDS), (t2 - t1) / SPAWNS,
           (t3 - t2) / (TASKS * SLEEPS));
    return rc;
}

int main(void)
{
    return co_run(run, NULL, NULL) < 0;
}
