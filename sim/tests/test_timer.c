/* test_timer.c - the heap of timers on its own, held against a plain list; then sleeping in a loop. */
#include "check.h"

#include "runtime/state/timer.h"

/* ---- The heap --------------------------------------------------------------------------------------- */

static char owners[100000];

static void an_empty_heap_has_nothing(void **state)
{
    (void)state;
    struct timers timers = {0};
    int64_t t;
    uint64_t seq;
    assert_int_equal(timer_next(&timers), INT64_MAX);
    assert_null(timer_take(&timers, INT64_MAX, &t, &seq));
    assert_false(timer_peek(&timers, &t, &seq));
    timers_free(&timers);
}

static void equal_times_come_in_the_order_of_their_numbers(void **state)
{
    (void)state;
    struct timers timers = {0};
    int64_t t;
    uint64_t seq;
    for (uint64_t i = 1; i <= 1000; i++)
        assert_true(timer_arm(&timers, i % 2 ? 5 : 7, i, &owners[i]) > 0);
    for (uint64_t i = 1; i <= 1000; i += 2) {
        assert_ptr_equal(timer_take(&timers, 6, &t, &seq), &owners[i]);
        assert_int_equal(t, 5);
        assert_int_equal(seq, i);
    }
    assert_null(timer_take(&timers, 6, &t, &seq));
    assert_int_equal(timer_next(&timers), 7);
    for (uint64_t i = 2; i <= 1000; i += 2)
        assert_ptr_equal(timer_take(&timers, 7, &t, &seq), &owners[i]);
    assert_null(timer_take(&timers, 7, &t, &seq));
    timers_free(&timers);
}

static uint64_t random_state = 88172645463325252u;
static uint64_t random_number(uint64_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % below;
}

/* Arms, disarms and takes at random; a plain array says what must come. */
static void the_heap_agrees_with_a_plain_list(void **state)
{
    (void)state;
    enum { N = 3000 };
    struct entry { int64_t t; uint64_t seq; uint32_t slot; int alive; };
    static struct entry list[N];
    for (int disarm_share = 0; disarm_share <= 95; disarm_share += 19) {
        struct timers timers = {0};
        int64_t now = 0;
        size_t n = 0;
        while (n < N) {
            assert_true(timers.dead <= timers.count);
            assert_true(timers.count + timers.free_count == timers.capacity);
            uint64_t what = random_number(100);
            if (what < 45) {
                list[n] = (struct entry){now + (int64_t)random_number(50), n + 1, 0, 1};
                list[n].slot = timer_arm(&timers, list[n].t, list[n].seq, &owners[n]);
                assert_true(list[n].slot > 0);
                n++;
            } else if (n && what < 45u + (unsigned)disarm_share / 2) {
                size_t i = random_number(n);
                if (list[i].alive) {
                    timer_disarm(&timers, list[i].slot);
                    list[i].alive = 0;
                }
            } else {
                size_t first = N;
                for (size_t i = 0; i < n; i++)
                    if (list[i].alive && (first == N || list[i].t < list[first].t))
                        first = i;      /* equal times: the lower number is met first */
                int64_t t;
                uint64_t seq;
                assert_int_equal(timer_next(&timers), first == N ? INT64_MAX : list[first].t);
                now += (int64_t)random_number(3);
                void *owner = timer_take(&timers, now, &t, &seq);
                if (first == N || list[first].t > now) {
                    assert_null(owner);
                } else {
                    assert_ptr_equal(owner, &owners[first]);
                    assert_int_equal(t, list[first].t);
                    assert_int_equal(seq, list[first].seq);
                    list[first].alive = 0;
                }
            }
        }
        timers_free(&timers);
    }
}

static void disarmed_timers_do_not_pile_up(void **state)
{
    (void)state;
    struct timers timers = {0};
    uint32_t keep = timer_arm(&timers, 1, 1, &owners[0]);
    for (uint64_t i = 2; i < 200000; i += 2) {
        /* Two at a time, the older one disarmed first: it is not the last in the heap. */
        uint32_t a = timer_arm(&timers, (int64_t)i, i, &owners[1]),
            b = timer_arm(&timers, (int64_t)i, i + 1, &owners[2]);
        timer_disarm(&timers, a);
        timer_disarm(&timers, b);
        assert_true(timers.dead < timers.count);        /* the first one is alive */
    }
    assert_true(timers.capacity <= 1024);
    timer_disarm(&timers, keep);
    assert_int_equal(timer_next(&timers), INT64_MAX);
    timers_free(&timers);
}

/* ---- Sleeping ------------------------------------------------------------------------------------------ */

static int several_sleep(void *job)
{
    (void)job;
    static const int times[] = {30, 10, 20, 10, 30, 20, 10};
    CO_GROUP(group);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        co_spawn(&group, sleeper, MSEC(times[i]));
    return co_join(&group);
}

static void sleepers_wake_in_the_order_of_time(void **state)
{
    (void)state;
    check_notes(several_sleep, "10@10 10@10 10@10 20@20 20@20 30@30 30@30 ");
}

static int late_then_early(void *job)
{
    int64_t first = (intptr_t)job;
    expect_is(co_sleep(CO_MS(first)), 0);
    expect_is(co_sleep(CO_MS(100 - first)), 0);
    note("%d", (int)first);
    return 0;
}

/* All are due at 100 ms; who slept first the longest asked last for it. */
static int asked_in_reverse(void *job)
{
    (void)job;
    CO_GROUP(group);
    for (intptr_t i = 50; i > 0; i -= 10)
        co_spawn(&group, late_then_early, MSEC(i));
    return co_join(&group);
}

static void due_in_order_asked_for(void **state)
{
    (void)state;
    check_notes(asked_in_reverse, "10@100 20@100 30@100 40@100 50@100 ");
}

static int time_stands_still(void *job)
{
    (void)job;
    expect_is(co_now(), 0);
    for (int i = 0; i < 1000; i++)
        expect_is(co_sleep(0), 0);
    expect_is(co_sleep(-5), 0);
    expect_is(co_sleep(INT64_MIN), 0);
    expect_is(co_yield(), 0);
    expect_is(co_now(), 0);
    expect_is(co_sleep(1), 0);
    expect_is(co_now(), 1);
    return 0;
}

static void nothing_takes_time_but_waiting(void **state)
{
    (void)state;
    assert_int_equal(run(time_stands_still, NULL), 0);
    assert_int_equal(co_now(), 0);              /* outside a loop */
}

static int yields_noting(void *job)
{
    for (int i = 0; i < 3; i++) {
        note("%s%d", (const char *)job, i);
        expect_is(i % 2 ? co_sleep(0) : co_yield(), 0);
    }
    return 0;
}

static int three_yield(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_spawn(&group, yields_noting, "a");
    co_spawn(&group, yields_noting, "b");
    co_spawn(&group, yields_noting, "c");
    note("main");
    return co_join(&group);
}

static void ready_queue_is_fifo(void **state)
{
    (void)state;
    check_notes(three_yield, "main@0 a0@0 b0@0 c0@0 a1@0 b1@0 c1@0 a2@0 b2@0 c2@0 ");
}

/* A sleep of 1 ns asked for while others yield: time stands still while any task is ready. */
static int spins_noting(void *job)
{
    (void)job;
    for (int i = 0; i < 100; i++) {
        expect_is(co_now(), 0);
        co_yield();
    }
    note("spun");
    return 0;
}

static int one_sleeps_one_spins(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_spawn(&group, spins_noting, NULL);
    expect_is(co_sleep(1), 0);
    note("slept");
    return co_join(&group);
}

static void time_stands_still_while_any_task_is_ready(void **state)
{
    (void)state;
    check_notes(one_sleeps_one_spins, "spun@0 slept@0 ");
}

static int sleeps_long(void *job)
{
    (void)job;
    expect_is(co_sleep(CO_SEC(1000000000)), 0);
    expect_is(co_now(), CO_SEC(1000000000));
    expect_is(co_sleep(CO_FOREVER - co_now() - 1), 0);
    expect_is(co_now(), CO_FOREVER - 1);
    return 0;
}

static void a_very_long_sleep_ends(void **state)
{
    (void)state;
    assert_int_equal(run(sleeps_long, NULL), 0);
}

static int sleeps_for_ever(void *job)
{
    (void)job;
    return co_sleep(CO_FOREVER);
}

static int sleeps_for_ever_later(void *job)
{
    (void)job;
    expect_is(co_sleep(CO_SEC(5)), 0);
    return co_sleep(CO_FOREVER - CO_SEC(1));
}

/* Nothing can wake it: that is a deadlock like any other, not a hang. */
static void a_sleep_without_end_is_reported(void **state)
{
    (void)state;
    struct child *child = forked(sleeps_for_ever, NULL);
    assert_int_equal(child->rc, -EDEADLK);
    assert_has(child->err, "deadlock at 0 ms: 1 task waits");
    child = forked(sleeps_for_ever_later, NULL);
    assert_int_equal(child->rc, -EDEADLK);
    assert_has(child->err, "deadlock at 5000 ms: 1 task waits");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_heap_has_nothing),
        cmocka_unit_test(equal_times_come_in_the_order_of_their_numbers),
        cmocka_unit_test(the_heap_agrees_with_a_plain_list),
        cmocka_unit_test(disarmed_timers_do_not_pile_up),
        cmocka_unit_test(sleepers_wake_in_the_order_of_time),
        cmocka_unit_test(due_in_order_asked_for),
        cmocka_unit_test(nothing_takes_time_but_waiting),
        cmocka_unit_test(ready_queue_is_fifo),
        cmocka_unit_test(time_stands_still_while_any_task_is_ready),
        cmocka_unit_test(a_very_long_sleep_ends),
        cmocka_unit_test(a_sleep_without_end_is_reported),
    };
    return cmocka_run_group_tests_name("timer", tests, NULL, NULL);
}
