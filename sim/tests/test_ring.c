/* test_ring.c - tasks that wait for each other in a ring while others live, and what may still break it; and programs
 * that would sleep and wake for ever. */
#include "check.h"

static struct co_lock a, b;

static int crosses(struct co_lock *first, struct co_lock *second)
{
    int rc = co_lock_acquire(first);
    if (rc == 0)
        rc = co_sleep(CO_MS(1));
    if (rc == 0) {
        rc = co_lock_acquire(second);
        if (rc == 0)
            co_lock_release(second);
    }
    co_lock_release(first);
    return rc;
}

static int one(void *job)
{
    (void)job;
    int rc = crosses(&a, &b);
    note("one:%d", rc == -ECANCELED);
    return rc;
}

static int two(void *job)
{
    (void)job;
    int rc = crosses(&b, &a);
    note("two:%d", rc == -ECANCELED);
    return rc;
}

static int beats(void *job)
{
    (void)job;
    for (;;) {
        int rc = co_sleep(CO_SEC(1));
        if (rc < 0)
            return rc;
    }
}

static int crossed_behind_a_heartbeat(void *job)
{
    (void)job;
    a = b = (struct co_lock)CO_LOCK_INIT;
    CO_GROUP(group);
    co_spawn(&group, beats, NULL);
    co_spawn(&group, one, NULL);
    co_spawn(&group, two, NULL);
    return co_join(&group);
}

static void a_ring_of_locks_is_named_whoever_else_lives(void **state)
{
    (void)state;
    char path[64];
    write_temp(path, "");
    struct co_options options = {.program = "prog", .trace_file = path};
    struct child *child = forked_with(options, crossed_behind_a_heartbeat, NULL);
    assert_int_equal(child->rc, -EDEADLK);
    assert_has(child->err, "prog: since 1 ms 2 tasks wait for each other in a ring, and only a cancel can end that: "
               "task 3 -> task 4 -> task 3\n");
    assert_has(child->err, "prog: deadlock at 1 ms: 2 tasks wait for each other in a ring, and until 61000 ms nobody "
               "has cancelled one: task 3 -> task 4 -> task 3\n");
    char *trace = take_file(path);
    assert_has(trace, "\"ev\":\"deadlock\",\"task\":3,\"on\":\"lock\"");
    assert_has(trace, "\"since\":1000000,\"holder\":4,\"others\":2}");
    assert_has(trace, "\"since\":1000000,\"holder\":3,\"others\":2}");
    assert_int_equal(count_of(trace, "\"ev\":\"deadlock\""), 2);
    free(trace);
}

/* ---- What may break it -------------------------------------------------------------------------------------- */

static int one_with_a_limit(void *job)
{
    return co_wait_for(one, job, CO_SEC(100));
}

static int a_limit_on_one(void *job)
{
    (void)job;
    a = b = (struct co_lock)CO_LOCK_INIT;
    CO_GROUP(group);
    co_task *beat = co_spawn(&group, beats, NULL), *other = co_spawn(&group, two, NULL);
    int rc, other_rc;
    expect_is(co_await(co_spawn(&group, one_with_a_limit, NULL), &rc), 0);
    expect_is(rc, -ETIMEDOUT);
    expect_is(co_await(other, &other_rc), 0);
    expect_is(other_rc, 0);
    co_cancel(beat);
    return 0;
}

static int a_limit_on_all(void *job)
{
    expect_is(co_wait_for(crossed_behind_a_heartbeat, job, CO_SEC(100)), -ETIMEDOUT);
    return 0;
}

static void a_timeout_may_break_a_ring(void **state)
{
    (void)state;
    struct child *child = forked(a_limit_on_one, NULL);
    assert_int_equal(child->rc, 0);
    assert_string_equal(child->err, "");
    assert_string_equal(board->text, "one:1@100000 two:0@100000 ");
    child = forked(a_limit_on_all, NULL);
    assert_int_equal(child->rc, 0);
    assert_string_equal(child->err, "");
}

static int cancelled_in_time(void *job)
{
    a = b = (struct co_lock)CO_LOCK_INIT;
    CO_GROUP(group);
    co_task *first = co_spawn(&group, one, NULL);
    co_spawn(&group, two, NULL);
    expect_is(co_sleep(CO_SEC((intptr_t)job)), 0);
    co_cancel(first);
    return co_join(&group);
}

static void a_cancel_may_break_a_ring_within_a_minute(void **state)
{
    (void)state;
    struct child *child = forked(cancelled_in_time, (void *)59);
    assert_int_equal(child->rc, 0);
    assert_has(child->err, "since 1 ms 2 tasks wait for each other in a ring");
    assert_has_not(child->err, "deadlock");
    assert_string_equal(board->text, "one:1@59000 two:0@59000 ");
    child = forked(cancelled_in_time, (void *)62);
    assert_int_equal(child->rc, -EDEADLK);
}

/* ---- Rings through joins and awaits ------------------------------------------------------------------------- */

static int wants_a(void *job)
{
    (void)job;
    int rc = co_lock_acquire(&a);
    return rc < 0 ? rc : co_lock_release(&a);
}

static int joins_with_the_lock_held(void *early)
{
    CO_GROUP(group);
    expect_is(co_lock_acquire(&a), 0);
    co_spawn(&group, wants_a, NULL);
    if (early)
        co_yield();                 /* then it is the join that closes the ring, else the lock */
    int rc = co_join(&group);
    co_lock_release(&a);
    return rc;
}

static int a_join_behind_a_heartbeat(void *early)
{
    a = (struct co_lock)CO_LOCK_INIT;
    CO_GROUP(group);
    co_spawn(&group, beats, NULL);
    co_spawn(&group, joins_with_the_lock_held, early);
    return co_join(&group);
}

static void a_ring_may_lead_through_a_join(void **state)
{
    (void)state;
    for (int early = 0; early < 2; early++) {
        struct child *child = forked(a_join_behind_a_heartbeat, early ? "early" : NULL);
        assert_int_equal(child->rc, -EDEADLK);
        assert_has(child->err, "deadlock at 0 ms: 2 tasks wait for each other in a ring");
    }
}

static int holds_and_sleeps(void *job)
{
    (void)job;
    expect_is(co_lock_acquire(&b), 0);
    int rc = co_sleep(CO_SEC(200));
    co_lock_release(&b);
    return rc;
}

static int wants_b_with_a(void *job)
{
    (void)job;
    expect_is(co_lock_acquire(&a), 0);
    int rc = co_lock_acquire(&b);
    if (rc == 0)
        co_lock_release(&b);
    co_lock_release(&a);
    return rc;
}

static int a_long_chain(void *job)
{
    (void)job;
    a = b = (struct co_lock)CO_LOCK_INIT;
    CO_GROUP(group);
    co_spawn(&group, holds_and_sleeps, NULL);
    co_spawn(&group, wants_b_with_a, NULL);
    co_spawn(&group, wants_a, NULL);
    return co_join(&group);
}

static void a_chain_is_no_ring(void **state)
{
    (void)state;
    struct child *child = forked(a_long_chain, NULL);
    assert_int_equal(child->rc, 0);
    assert_string_equal(child->err, "");
}

/* ---- For ever ----------------------------------------------------------------------------------------------- */

static void who_sleeps_and_wakes_for_ever_is_ended(void **state)
{
    (void)state;
    struct co_options options = {.program = "prog", .max_steps = 20000};
    struct child *child = forked_with(options, beats, NULL);
    assert_int_equal(child->exit_code, 70);
    assert_has(child->err, "prog: endless at 200000000 ms: the clock has moved 200000 times, for timers only");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ring_of_locks_is_named_whoever_else_lives),
        cmocka_unit_test(a_timeout_may_break_a_ring),
        cmocka_unit_test(a_cancel_may_break_a_ring_within_a_minute),
        cmocka_unit_test(a_ring_may_lead_through_a_join),
        cmocka_unit_test(a_chain_is_no_ring),
        cmocka_unit_test(who_sleeps_and_wakes_for_ever_is_ended),
    };
    return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
