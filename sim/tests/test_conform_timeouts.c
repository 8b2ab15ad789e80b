/* test_conform_timeouts.c - timeouts as a stretch of code, as CPython's test_timeouts asks them. */
#include "conform.h"

static int sleeps(void *ms) { return co_sleep(CO_MS((intptr_t)ms)); }

/* ---- One timeout ------------------------------------------------------------------------------------------------- */

CONFORM(a_block_that_takes_too_long_times_out)
{
    struct co_timeout limit;
    co_timeout_begin(&limit, CO_MS(10));
    expect_is(co_timeout_end(&limit, co_sleep(CO_SEC(10))), -ETIMEDOUT);
    expect(co_timeout_expired(&limit));
    expect_is(co_now(), CO_MS(10));
    return 0;
}

CONFORM(a_timeout_tells_when_it_is_up)
{
    struct co_timeout limit;
    expect_is(co_sleep(CO_MS(5)), 0);
    co_timeout_begin(&limit, CO_MS(10));
    expect_is(co_timeout_when(&limit), CO_MS(15));
    int rc = co_sleep(CO_SEC(10));
    expect_is(co_timeout_when(&limit), CO_MS(15));
    expect_is(co_timeout_end(&limit, rc), -ETIMEDOUT);
    expect(co_timeout_expired(&limit));
    return 0;
}

CONFORM(the_call_that_waits_is_told)
{
    struct co_timeout limit;
    co_timeout_begin(&limit, CO_MS(10));
    int rc = co_sleep(CO_SEC(10));
    expect_is(rc, -ECANCELED);                      /* inside, being out of time is like being cancelled */
    expect_is(co_timeout_end(&limit, rc), -ETIMEDOUT);
    return 0;
}

CONFORM(a_timeout_that_is_not_used_up_changes_nothing)
{
    struct co_timeout limit;
    co_timeout_begin(&limit, CO_SEC(10));
    int rc = co_sleep(CO_MS(10));
    expect(!co_timeout_expired(&limit));
    expect(co_timeout_when(&limit) > co_now());
    expect_is(co_timeout_end(&limit, rc), 0);
    expect(!co_timeout_expired(&limit));
    expect_is(co_now(), CO_MS(10));
    return 0;
}

CONFORM(a_timeout_of_for_ever_is_none)
{
    struct co_timeout limit;
    co_timeout_begin(&limit, CO_FOREVER);
    expect_is(co_timeout_when(&limit), CO_FOREVER);
    expect_is(co_timeout_end(&limit, co_sleep(CO_MS(10))), 0);
    expect(!co_timeout_expired(&limit));
    return 0;
}

CONFORM(a_timeout_of_nothing_is_up_at_once)
{
    struct co_timeout limit;
    expect_is(co_sleep(CO_MS(3)), 0);
    co_timeout_begin(&limit, 0);
    expect_is(co_timeout_when(&limit), CO_MS(3));
    expect_is(co_timeout_end(&limit, co_sleep(CO_SEC(10))), -ETIMEDOUT);
    expect(co_timeout_expired(&limit));
    expect_is(co_now(), CO_MS(3));
    return 0;
}

CONFORM(a_timeout_of_nothing_ends_a_sleep_of_nothing)
{
    struct co_timeout limit;
    co_timeout_begin(&limit, 0);
    expect_is(co_timeout_end(&limit, co_sleep(0)), -ETIMEDOUT);
    return 0;
}

CONFORM(a_timeout_in_the_past_is_up_at_once)
{
    struct co_timeout limit;
    expect_is(co_sleep(CO_MS(3)), 0);
    co_timeout_begin(&limit, CO_SEC(-11));
    expect(co_timeout_when(&limit) <= co_now());
    expect_is(co_timeout_end(&limit, co_sleep(0)), -ETIMEDOUT);
    expect_is(co_now(), CO_MS(3));
    return 0;
}

CONFORM(an_error_of_the_block_passes_through)
{
    struct co_timeout limit;
    co_timeout_begin(&limit, CO_MS(10));
    expect_is(co_timeout_end(&limit, -EDOM), -EDOM);
    expect(!co_timeout_expired(&limit));
    return 0;
}

CONFORM(an_error_while_timing_out_passes_through)
{
    struct co_timeout limit;
    co_timeout_begin(&limit, CO_MS(10));
    int rc = co_sleep(CO_SEC(1)) < 0 ? -EDOM : 0;
    expect_is(co_timeout_end(&limit, rc), -EDOM);
    expect(co_timeout_expired(&limit));             /* which still tells */
    return 0;
}

static int cancels_itself_in_a_timeout(void *job)
{
    (void)job;
    struct co_timeout limit;
    co_timeout_begin(&limit, CO_SEC(10));
    co_cancel(co_current());
    int rc = co_timeout_end(&limit, co_sleep(CO_SEC(10)));
    expect(!co_timeout_expired(&limit));
    return rc;
}

CONFORM(a_cancel_in_a_timeout_is_not_its_own)
{
    int rc;
    CO_GROUP(group);
    expect_is(co_await(co_spawn(&group, cancels_itself_in_a_timeout, NULL), &rc), 0);
    expect_is(rc, -ECANCELED);
    expect_is(co_now(), 0);
    return 0;
}

static int times_out(void *job)
{
    (void)job;
    struct co_timeout limit;
    co_timeout_begin(&limit, CO_MS(1));
    expect_is(co_timeout_end(&limit, co_sleep(CO_SEC(10))), -ETIMEDOUT);
    return 0;
}

CONFORM(a_task_is_not_cancelled_by_its_timeout)
{
    int rc;
    CO_GROUP(group);
    expect_is(co_await(co_spawn(&group, times_out, NULL), &rc), 0);
    expect_is(rc, 0);
    return 0;
}

static int times_out_then_goes_on(void *job)
{
    expect_is(times_out(job), 0);
    return co_sleep(CO_MS(5));                      /* outside the block nothing is left of it */
}

CONFORM(code_after_a_timeout_is_not_touched_by_it)
{
    expect_is(times_out_then_goes_on(NULL), 0);
    expect_is(co_now(), CO_MS(6));
    return 0;
}

CONFORM(a_timeout_can_be_begun_again_after_its_end)
{
    struct co_timeout limit;
    for (int i = 1; i <= 2; i++) {
        co_timeout_begin(&limit, CO_MS(10));
        expect(!co_timeout_expired(&limit));
        expect_is(co_timeout_end(&limit, co_sleep(CO_SEC(1))), -ETIMEDOUT);
        expect_is(co_now(), i * CO_MS(10));
    }
    return 0;
}

static void outside_a_task_a_timeout_limits_nothing(void **state)
{
    (void)state;
    struct co_timeout limit;
    co_timeout_begin(&limit, CO_MS(10));
    assert_int_equal(co_timeout_reschedule(&limit, CO_MS(20)), -EINVAL);
    assert_int_equal(co_timeout_end(&limit, -EDOM), -EDOM);
}

/* ---- Rescheduling ------------------------------------------------------------------------------------------------ */

static int waits_with(void *limit)
{
    co_timeout_begin(limit, CO_SEC(10));
    return co_timeout_end(limit, co_sleep(CO_SEC(50)));
}

CONFORM(another_task_may_move_the_end_of_a_timeout)
{
    struct co_timeout limit;
    int rc;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, waits_with, &limit);
    co_yield();
    expect_is(co_timeout_when(&limit), CO_SEC(10));
    expect_is(co_timeout_reschedule(&limit, CO_SEC(30)), 0);
    expect_is(co_timeout_when(&limit), CO_SEC(30));
    expect_is(co_timeout_reschedule(&limit, CO_FOREVER), 0);
    expect_is(co_timeout_when(&limit), CO_FOREVER);
    co_cancel(task);
    expect_is(co_await(task, &rc), 0);
    expect_is(rc, -ECANCELED);
    expect(!co_timeout_expired(&limit));
    return 0;
}

CONFORM(a_moved_timeout_is_up_at_its_new_end)
{
    struct co_timeout limit;
    co_timeout_begin(&limit, CO_MS(10));
    expect_is(co_sleep(CO_MS(5)), 0);
    expect_is(co_timeout_reschedule(&limit, CO_MS(100)), 0);        /* from now */
    expect_is(co_timeout_end(&limit, co_sleep(CO_SEC(1))), -ETIMEDOUT);
    expect_is(co_now(), CO_MS(105));
    return 0;
}

CONFORM(a_timeout_that_has_ended_cannot_be_moved)
{
    struct co_timeout limit;
    co_timeout_begin(&limit, CO_MS(10));
    expect_is(co_timeout_end(&limit, 0), 0);
    expect_is(co_timeout_reschedule(&limit, CO_MS(20)), -EINVAL);
    return 0;
}

CONFORM(a_timeout_that_was_up_cannot_be_moved)
{
    struct co_timeout limit;
    co_timeout_begin(&limit, CO_MS(10));
    int rc = co_sleep(CO_SEC(1));
    expect_is(co_timeout_reschedule(&limit, CO_MS(20)), -EINVAL);   /* before its end... */
    expect_is(co_timeout_end(&limit, rc), -ETIMEDOUT);
    expect_is(co_timeout_reschedule(&limit, CO_MS(20)), -EINVAL);   /* ...and after it */
    return 0;
}

CONFORM(a_timeout_that_was_never_begun_cannot_be_moved)
{
    struct co_timeout limit = {0};
    expect_is(co_timeout_reschedule(&limit, CO_MS(20)), -EINVAL);
    return 0;
}

/* ---- Several timeouts -------------------------------------------------------------------------------------------- */

CONFORM(of_two_timeouts_of_one_instant_the_outer_one_reports)
{
    struct co_timeout outer, inner;
    co_timeout_begin(&outer, CO_MS(10));
    co_timeout_begin(&inner, CO_MS(10));
    int rc = co_timeout_end(&inner, co_sleep(CO_SEC(10)));
    expect_is(rc, -ECANCELED);
    expect_is(co_timeout_end(&outer, rc), -ETIMEDOUT);
    expect(co_timeout_expired(&outer));
    expect(co_timeout_expired(&inner));
    return 0;
}

CONFORM(the_outer_timeout_ends_the_inner_block_too)
{
    struct co_timeout outer, inner;
    co_timeout_begin(&outer, CO_MS(2));
    co_timeout_begin(&inner, CO_MS(100));
    co_cpu(CO_MS(10));                              /* the outer one's time runs out meanwhile */
    int rc = co_timeout_end(&inner, co_sleep(CO_SEC(1)));
    expect_is(rc, -ECANCELED);
    expect_is(co_timeout_end(&outer, rc), -ETIMEDOUT);
    expect(!co_timeout_expired(&inner));
    expect_is(co_now(), CO_MS(10));
    return 0;
}

CONFORM(the_outer_timeout_goes_on_after_the_inner_one)
{
    struct co_timeout outer, inner;
    co_timeout_begin(&outer, CO_MS(100));
    co_timeout_begin(&inner, CO_MS(10));
    co_cpu(CO_MS(90));                              /* busy for longer than the inner one allows */
    expect_is(co_timeout_end(&inner, co_sleep(CO_SEC(1))), -ETIMEDOUT);
    expect_is(co_timeout_end(&outer, co_sleep(CO_SEC(10))), -ETIMEDOUT);
    expect_is(co_now(), CO_MS(100));
    return 0;
}

/* Clean-up with a time limit of its own: once out of time, a task waits only under a shield. */
CONFORM(clean_up_after_a_timeout_may_have_one_of_its_own)
{
    struct co_timeout outer, inner;
    struct co_shield shield;
    co_timeout_begin(&outer, CO_MS(10));
    int rc = co_sleep(CO_SEC(1));

    co_timeout_begin(&inner, CO_MS(10));
    expect_is(co_timeout_end(&inner, co_sleep(CO_SEC(10))), -ECANCELED);
    expect_is(co_now(), CO_MS(10));                 /* at once: level-triggered */

    co_shield_begin(&shield);
    co_timeout_begin(&inner, CO_MS(10));
    expect_is(co_timeout_end(&inner, co_sleep(CO_SEC(10))), -ETIMEDOUT);
    co_shield_end(&shield);
    expect_is(co_now(), CO_MS(20));
    expect_is(co_timeout_end(&outer, rc), -ETIMEDOUT);
    return 0;
}

/* ---- Cancelled before -------------------------------------------------------------------------------------------- */

static int cleans_up_within(void *job)
{
    struct co_timeout limit;
    struct co_shield shield;
    co_cancel(co_current());
    int rc = co_sleep(CO_SEC(1));
    expect_is(rc, -ECANCELED);

    co_timeout_begin(&limit, CO_SEC(1));
    expect_is(co_timeout_end(&limit, co_sleep(CO_SEC(2))), -ECANCELED);     /* still cancelled, not out of time */

    co_shield_begin(&shield);
    co_timeout_begin(&limit, CO_MS((intptr_t)job));
    expect_is(co_timeout_end(&limit, co_sleep(CO_SEC(1))), -ETIMEDOUT);
    co_shield_end(&shield);
    return rc;
}

CONFORM(a_cancelled_task_cleans_up_within_a_timeout_under_a_shield)
{
    int rc;
    CO_GROUP(group);
    expect_is(co_await(co_spawn(&group, cleans_up_within, MSEC(0)), &rc), 0);
    expect_is(rc, -ECANCELED);
    expect_is(co_now(), 0);
    expect_is(co_await(co_spawn(&group, cleans_up_within, MSEC(20)), &rc), 0);
    expect_is(co_now(), CO_MS(20));
    return 0;
}

static int cancelled_again_within(void *job)
{
    (void)job;
    struct co_timeout limit;
    struct co_shield shield;
    co_cancel(co_current());
    expect_is(co_sleep(CO_SEC(1)), -ECANCELED);
    co_shield_begin(&shield);
    co_timeout_begin(&limit, CO_SEC(1));
    co_cancel(co_current());                        /* a second time: deferred by the shield, like the first */
    expect_is(co_timeout_end(&limit, co_sleep(CO_SEC(2))), -ETIMEDOUT);
    co_shield_end(&shield);
    return co_sleep(0);
}

CONFORM(a_second_cancel_adds_nothing_to_the_first)
{
    int rc;
    CO_GROUP(group);
    expect_is(co_await(co_spawn(&group, cancelled_again_within, NULL), &rc), 0);
    expect_is(rc, -ECANCELED);
    expect_is(co_now(), CO_SEC(1));
    return 0;
}

/* ---- Round a group ----------------------------------------------------------------------------------------------- */

static int fails_when_told(void *job)
{
    return sleeps(job) < 0 ? -EDOM : 0;
}

CONFORM(a_timeout_round_a_group_is_about_its_owner)
{
    struct co_timeout limit;
    CO_GROUP(group);
    co_timeout_begin(&limit, CO_MS(10));
    co_task *task = co_spawn(&group, fails_when_told, MSEC(2000));
    expect_is(co_timeout_end(&limit, co_join(&group)), -ETIMEDOUT);
    expect_is(co_result(task), -EDOM);              /* what went wrong below is with the task */
    expect_is(co_now(), CO_MS(10));
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_that_takes_too_long_times_out),
        cmocka_unit_test(a_timeout_tells_when_it_is_up),
        cmocka_unit_test(the_call_that_waits_is_told),
        cmocka_unit_test(a_timeout_that_is_not_used_up_changes_nothing),
        cmocka_unit_test(a_timeout_of_for_ever_is_none),
        cmocka_unit_test(a_timeout_of_nothing_is_up_at_once),
        cmocka_unit_test(a_timeout_of_nothing_ends_a_sleep_of_nothing),
        cmocka_unit_test(a_timeout_in_the_past_is_up_at_once),
        cmocka_unit_test(an_error_of_the_block_passes_through),
        cmocka_unit_test(an_error_while_timing_out_passes_through),
        cmocka_unit_test(a_cancel_in_a_timeout_is_not_its_own),
        cmocka_unit_test(a_task_is_not_cancelled_by_its_timeout),
        cmocka_unit_test(code_after_a_timeout_is_not_touched_by_it),
        cmocka_unit_test(a_timeout_can_be_begun_again_after_its_end),
        cmocka_unit_test(outside_a_task_a_timeout_limits_nothing),
        cmocka_unit_test(another_task_may_move_the_end_of_a_timeout),
        cmocka_unit_test(a_moved_timeout_is_up_at_its_new_end),
        cmocka_unit_test(a_timeout_that_has_ended_cannot_be_moved),
        cmocka_unit_test(a_timeout_that_was_up_cannot_be_moved),
        cmocka_unit_test(a_timeout_that_was_never_begun_cannot_be_moved),
        cmocka_unit_test(of_two_timeouts_of_one_instant_the_outer_one_reports),
        cmocka_unit_test(the_outer_timeout_ends_the_inner_block_too),
        cmocka_unit_test(the_outer_timeout_goes_on_after_the_inner_one),
        cmocka_unit_test(clean_up_after_a_timeout_may_have_one_of_its_own),
        cmocka_unit_test(a_cancelled_task_cleans_up_within_a_timeout_under_a_shield),
        cmocka_unit_test(a_second_cancel_adds_nothing_to_the_first),
        cmocka_unit_test(a_timeout_round_a_group_is_about_its_owner),
    };
    return cmocka_run_group_tests_name("conform timeouts", tests, NULL, NULL);
}
