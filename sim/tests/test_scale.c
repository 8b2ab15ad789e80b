/* test_scale.c - many tasks, deep chains, full stacks. */
#include "check.h"

/* Sanitizers and valgrind make each task cost more: fewer of them there. LOOPLAB_SHORT=1: a tenth (test_sim.py). */
static int many(int n)
{
    if (getenv("LOOPLAB_SHORT"))
        n /= 10;
    if (UNDER_TSAN)
        return n / 400;                     /* each task is a thread to it */
    return UNDER_ASAN || UNDER_VALGRIND ? n / 20 : n;
}

static long resident_kib(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%*d %ld", &pages) != 1)
        pages = 0;
    if (file)
        fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* ---- 100,000 asleep ------------------------------------------------------------------------------------------- */

static int64_t last_wake;
static int last_number, woken;

static int sleeps_its_number(void *job)
{
    int number = (int)(intptr_t)job;
    int64_t ns = CO_US(1 + (number * 7919) % 1000);     /* many share each instant */
    if (co_sleep(ns) < 0)
        return -1;
    expect(co_now() == ns);
    expect(co_now() > last_wake || (co_now() == last_wake && number > last_number));
    last_wake = co_now();
    last_number = number;
    woken++;
    return 0;
}

static int many_sleep(void *job)
{
    int n = (int)(intptr_t)job;
    long before = resident_kib();
    last_wake = 0;
    woken = 0;
    CO_GROUP(group);
    for (int i = 0; i < n; i++)
        expect(co_spawn(&group, sleeps_its_number, (void *)(intptr_t)i) != NULL);
    co_yield();
    print_message("%d tasks asleep: %.2f KiB each\n", n, (double)(resident_kib() - before) / n);
    expect_is(co_join(&group), 0);
    expect_is(woken, n);
    return 0;
}

static void a_hundred_thousand_tasks_asleep_wake_in_order(void **state)
{
    (void)state;
    assert_int_equal(run(many_sleep, (void *)(intptr_t)many(100000)), 0);
}

/* ---- A chain of nested groups ------------------------------------------------------------------------------------ */

static int nests(void *job)
{
    int depth = (int)(intptr_t)job;
    if (depth == 0)
        return co_sleep(CO_MS(1));
    CO_GROUP(group);
    co_spawn(&group, nests, (void *)(intptr_t)(depth - 1));
    return co_join(&group);
}

static void a_chain_of_ten_thousand_nested_groups_ends(void **state)
{
    (void)state;
    assert_int_equal(run(nests, (void *)(intptr_t)many(10000)), 0);
}

static int fails_at_the_bottom(void *job)
{
    int depth = (int)(intptr_t)job;
    if (depth == 0)
        return co_sleep(CO_MS(1)) < 0 ? -1 : -EIO;
    CO_GROUP(group);
    co_spawn(&group, fails_at_the_bottom, (void *)(intptr_t)(depth - 1));
    return co_join(&group);
}

static void a_failure_comes_up_through_all_of_them(void **state)
{
    (void)state;
    assert_int_equal(run(fails_at_the_bottom, (void *)(intptr_t)many(10000)), -EIO);
}

static int cancels_the_top(void *job)
{
    int rc;
    CO_GROUP(group);
    co_task *top = co_spawn(&group, nests, job);
    expect_is(co_sleep(CO_US(500)), 0);
    co_cancel(top);
    expect_is(co_await(top, &rc), 0);
    expect_is(rc, -ECANCELED);
    expect_is(co_now(), CO_US(500));
    return co_join(&group);
}

static void a_cancel_goes_down_through_all_of_them(void **state)
{
    (void)state;
    assert_int_equal(run(cancels_the_top, (void *)(intptr_t)many(10000)), 0);
}

/* ---- 10,000 groups on one stack ---------------------------------------------------------------------------------- */

static int nothing(void *job)
{
    (void)job;
    return 0;
}

static int nests_on_one_stack(int depth)
{
    CO_GROUP(group);
    co_spawn(&group, nothing, NULL);
    int rc = depth == 0 ? 0 : nests_on_one_stack(depth - 1);
    return rc < 0 ? rc : co_join(&group);
}

static int nests_itself(void *job)
{
    return nests_on_one_stack((int)(intptr_t)job);
}

static void ten_thousand_groups_on_one_stack_are_an_overflow_report(void **state)
{
    (void)state;
    assert_int_equal(run(nests_itself, (void *)(intptr_t)100), 0);
    /* TSan: its handler waits for ever after so deep a recursion in a forked child */
    if (UNDER_VALGRIND || UNDER_TSAN)
        skip();
    struct child *child = forked(nests_itself, (void *)(intptr_t)10000);
    assert_int_equal(child->exit_code, 70);
    assert_has(child->err, "stack overflow");
    assert_has(child->err, "in task 1 nests_itself");
    if (UNDER_ASAN || UNDER_TSAN)
        /* Their shadow of 10,000 such stacks is too large for a small machine. */
        return;
    struct co_options large = {.stack_size = 16 << 20};
    assert_int_equal(run_in(NULL, nests_itself, (void *)(intptr_t)10000, large, "nests_itself"), 0);
}

/* ---- Timeouts of many tasks at one instant ----------------------------------------------------------------------- */

static int sleeps_too_long(void *job)
{
    (void)job;
    struct co_timeout limit;
    co_timeout_begin(&limit, CO_MS(1));
    int rc = co_sleep(CO_MS(2));
    return co_timeout_end(&limit, rc) == -ETIMEDOUT ? 0 : -1;
}

static int many_time_out(void *job)
{
    CO_GROUP(group);
    for (int i = 0; i < (int)(intptr_t)job; i++)
        co_spawn(&group, sleeps_too_long, NULL);
    expect_is(co_join(&group), 0);
    expect_is(co_now(), CO_MS(1));
    return 0;
}

static void a_hundred_thousand_timeouts_strike_at_one_instant(void **state)
{
    (void)state;
    assert_int_equal(run(many_time_out, (void *)(intptr_t)many(100000)), 0);
}

/* ---- A deadlock of many ------------------------------------------------------------------------------------------ */

static struct co_event never;
static int waits(void *job)
{
    (void)job;
    return co_event_wait(&never);
}

static int many_deadlock(void *job)
{
    never = (struct co_event)CO_EVENT_INIT;
    CO_GROUP(group);
    for (int i = 0; i < (int)(intptr_t)job; i++)
        co_spawn(&group, waits, NULL);
    return co_join(&group);
}

static void a_deadlock_of_very_many_is_reported_in_time(void **state)
{
    (void)state;
    assert_int_equal(forked(many_deadlock, (void *)(intptr_t)many(100000))->rc, -EDEADLK);
}

/* ---- Many of each ------------------------------------------------------------------------------------------------ */

static int counts_up(void *job)
{
    int64_t *sum = job;
    co_yield();
    ++*sum;
    return 0;
}

static int spawns_in_waves(void *job)
{
    int64_t sum = 0;
    int n = (int)(intptr_t)job;
    for (int wave = 0; wave < 100; wave++) {
        CO_GROUP(group);
        for (int i = 0; i < n / 100; i++)
            co_spawn(&group, counts_up, &sum);
        expect_is(co_join(&group), 0);
        expect_is(co_sleep(1), 0);
    }
    expect_is(sum, n / 100 * 100);
    return 0;
}

static void records_and_stacks_are_used_again(void **state)
{
    (void)state;
    long before = resident_kib();
    assert_int_equal(run(spawns_in_waves, (void *)(intptr_t)many(200000)), 0);
    if (!UNDER_ASAN && !UNDER_TSAN && !UNDER_VALGRIND)
        assert_true(resident_kib() - before < 64 * 1024);
}

int main(void)
{
    /* What grows with the square of the number computes for longer. (A child has as much again.) */
    setrlimit(RLIMIT_CPU, &(struct rlimit){120, 130});
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hundred_thousand_tasks_asleep_wake_in_order),
        cmocka_unit_test(a_chain_of_ten_thousand_nested_groups_ends),
        cmocka_unit_test(a_failure_comes_up_through_all_of_them),
        cmocka_unit_test(a_cancel_goes_down_through_all_of_them),
        cmocka_unit_test(ten_thousand_groups_on_one_stack_are_an_overflow_report),
        cmocka_unit_test(a_hundred_thousand_timeouts_strike_at_one_instant),
        cmocka_unit_test(a_deadlock_of_very_many_is_reported_in_time),
        cmocka_unit_test(records_and_stacks_are_used_again),
    };
    return cmocka_run_group_tests_name("scale", tests, NULL, NULL);
}
