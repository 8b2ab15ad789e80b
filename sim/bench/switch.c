/* switch.c - calling, yielding, spawning: what the rest is made of. */
#include "bench.h"

/* ---- The yardstick: no coroutine at all ------------------------------------------------------ */

static int add(void *job)
{
    ++*(long *)job;
    return 0;
}

/* Counted: one call of a function through a pointer that the compiler knows nothing about. */
int bench_call(void *arg)
{
    struct bench *bench = arg;
    co_fn volatile hidden = add;
    long sum = 0;
    bench_start(bench);
    for (long i = 0; i < bench->count; i++)
        hidden(&sum);
    bench_stop(bench);
    bench_need(sum == bench->count, "call");
    return 0;
}

/* ---- Yield ----------------------------------------------------------------------------------- */

static int yield_often(void *arg)
{
    const struct bench *bench = arg;
    for (long i = 0; i < bench->count / 2; i++)
        co_yield();
    return 0;
}

/* Yields at another line than yield_often does. */
static int yield_elsewhere(void *arg)
{
    const struct bench *bench = arg;
    for (long i = bench->count / 2; i > 0; i--)
        co_yield();
    return 0;
}

static int yield_both(struct bench *bench, co_fn one, co_fn other)
{
    CO_GROUP(group);
    co_spawn(&group, one, bench);
    co_spawn(&group, other, bench);
    bench_start(bench);
    int rc = co_join(&group);
    bench_stop(bench);
    return rc;
}

/* Counted: one co_yield, which is one switch to the other task. Two tasks take turns, both at the same line, as tasks
 * mostly do: the CPU then predicts right where the switch returns to. */
int bench_yield(void *bench)
{
    return yield_both(bench, yield_often, yield_often);
}

/* The same with two tasks that yield at two lines: each switch takes the CPU by surprise. Not in the JSON. */
int bench_yield_apart(void *bench)
{
    return yield_both(bench, yield_often, yield_elsewhere);
}

/* ---- Spawn ----------------------------------------------------------------------------------- */

static int nothing(void *job)
{
    (void)job;
    return 0;
}

/* Counted: one task that is spawned, runs, ends, and is joined. A hundred share a group. */
int bench_spawn(void *arg)
{
    struct bench *bench = arg;
    bench_start(bench);
    for (bench->done = 0; bench->done < bench->count; bench->done += CROWD) {
        CO_GROUP(group);
        for (int i = 0; i < CROWD; i++)
            co_spawn(&group, nothing, NULL);
        bench_need(co_join(&group) == 0, "join");
    }
    bench_stop(bench);
    return 0;
}
