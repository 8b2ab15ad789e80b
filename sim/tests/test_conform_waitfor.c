/* test_conform_waitfor.c - a limit on one call, and on waiting for a task, as CPython's test_waitfor asks it. */
#include "conform.h"

/* Notes how its sleep of (intptr_t)job ms ended. */
static int foo(void *job)
{
    int rc = co_sleep(CO_MS((intptr_t)job));
    note(rc < 0 ? "told" : "done");
    return rc < 0 ? rc : 42;
}

/* Takes no notice of a cancel for 200 ms. */
static int slow(void *job)
{
    bool *exited = job;
    struct co_shield shield;
    co_shield_begin(&shield);
    int rc = co_sleep(CO_MS(200));
    co_shield_end(&shield);
    *exited = true;
    return rc;
}

static int limits_slow(void *job) { return co_wait_for(slow, job, CO_MS(400)); }

CONFORM(a_cancelled_wait_for_ends_when_fn_has_ended)
{
    bool exited = false;
    int rc;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, limits_slow, &exited);
    co_yield();
    co_cancel(task);
    expect_is(co_await(task, &rc), 0);
    expect(exited);
    expect_is(rc, 0);                               /* fn took no notice, and succeeded */
    expect_is(co_now(), CO_MS(200));
    return 0;
}

CONFORM(a_wait_for_that_is_out_of_time_ends_when_fn_has_ended)
{
    bool exited = false;
    expect_is(co_wait_for(slow, &exited, CO_MS(100)), 0);
    expect(exited);
    expect_is(co_now(), CO_MS(200));
    return 0;
}

static int at_once(void *job)
{
    note("ran");
    return (int)(intptr_t)job;
}

/* asyncio does not even start a coroutine that has no time. A function runs, until it wants to wait. */
CONFORM(with_no_time_at_all_fn_runs_to_its_first_wait)
{
    for (int limit = 0; limit >= -1; limit--) {
        expect_is(co_wait_for(at_once, MSEC(42), limit), 42);
        NOTED("ran@0 ");
        expect_is(co_wait_for(foo, MSEC(10000), limit), -ETIMEDOUT);
        NOTED("told@0 ");
    }
    expect_is(co_now(), 0);
    return 0;
}

CONFORM(a_task_that_is_done_is_awaited_in_no_time)
{
    int rc;
    struct co_timeout limit;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, at_once, MSEC(42));
    settle();
    expect(co_done(task));
    expect_is(co_wait(&task, 1, CO_ALL_COMPLETED, 0), 1);
    /* out of time, a task waits for nothing, not even for what is there... */
    co_timeout_begin(&limit, 0);
    expect_is(co_timeout_end(&limit, co_await(task, &rc)), -ETIMEDOUT);
    expect_is(rc, 42);                              /* ...but is told what is known */
    return 0;
}

CONFORM(fn_is_told_when_time_is_up)
{
    expect_is(co_wait_for(foo, MSEC(10000), CO_MS(100)), -ETIMEDOUT);
    NOTED("told@100 ");
    return 0;
}

CONFORM(wait_for_without_a_limit_just_calls)
{
    expect_is(co_wait_for(foo, MSEC(50), CO_FOREVER), 42);
    NOTED("done@50 ");
    return 0;
}

CONFORM(a_result_in_time_is_returned)
{
    expect_is(co_wait_for(foo, MSEC(100), CO_MS(200)), 42);
    expect_is(co_now(), CO_MS(100));
    return 0;
}

CONFORM(a_result_at_the_last_instant_is_returned)
{
    expect_is(co_wait_for(foo, MSEC(100), CO_MS(100)), 42);
    return 0;
}

static int returns_one_when_told(void *job)
{
    (void)job;
    expect_is(co_sleep(CO_SEC(1)), -ECANCELED);
    return 1;
}

CONFORM(what_fn_returns_when_told_is_returned)
{
    expect_is(co_wait_for(returns_one_when_told, NULL, CO_MS(10)), 1);
    return 0;
}

static int cleans_up(void *job)
{
    bool *done = job;
    struct co_shield shield;
    int rc = co_sleep(CO_SEC(10));
    co_shield_begin(&shield);
    expect_is(co_sleep(CO_MS(1)), 0);
    co_shield_end(&shield);
    *done = true;
    return rc;
}

CONFORM(clean_up_is_waited_for)
{
    bool done = false;
    expect_is(co_wait_for(cleans_up, &done, CO_MS(1)), -ETIMEDOUT);
    expect(done);
    expect_is(co_now(), CO_MS(2));
    return 0;
}

CONFORM(clean_up_is_waited_for_though_there_was_no_time)
{
    bool done = false;
    expect_is(co_wait_for(cleans_up, &done, 0), -ETIMEDOUT);
    expect(done);
    expect_is(co_now(), CO_MS(1));
    return 0;
}

static int fails_when_told(void *job)
{
    (void)job;
    return co_sleep(CO_MS(200)) < 0 ? -EDOM : 0;
}

CONFORM(an_error_while_ending_is_returned)
{
    expect_is(co_wait_for(fails_when_told, NULL, CO_MS(1)), -EDOM);
    return 0;
}

static int goes_on_and_on(void *job)
{
    (void)job;
    struct co_shield shield;
    int told = co_sleep(CO_MS(300)) < 0;
    co_shield_begin(&shield);
    expect_is(co_sleep(CO_MS(300)), 0);
    co_shield_end(&shield);
    return told ? 42 : 0;
}

static int limits_one_that_goes_on(void *job)
{
    int rc = co_wait_for(goes_on_and_on, job, CO_MS(100));
    expect_is(rc, 42);
    return co_sleep(0);                             /* my own cancel has waited for this */
}

CONFORM(a_cancel_waits_until_fn_lets_go)
{
    int rc;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, limits_one_that_goes_on, NULL);
    expect_is(co_sleep(CO_MS(200)), 0);
    co_cancel(task);
    expect_is(co_await(task, &rc), 0);
    expect_is(rc, -ECANCELED);
    expect_is(co_now(), CO_MS(400));
    return 0;
}

static int waits_for_nothing(void *job)
{
    struct co_event *never = job;
    int rc = co_event_wait(never);
    note("inner %s", co_strerror(rc));
    return rc;
}
static int without_limit(void *job) { return co_wait_for(waits_for_nothing, job, CO_FOREVER); }
static int with_limit(void *job) { return co_wait_for(waits_for_nothing, job, CO_SEC(60)); }

static int cancelled_while_waiting(co_fn fn)
{
    int rc;
    struct co_event never = CO_EVENT_INIT;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, fn, &never);
    co_yield();
    co_cancel(task);
    expect_is(co_await(task, &rc), 0);
    expect_is(rc, -ECANCELED);                      /* cancelled, not out of time */
    NOTED("inner cancelled@0 ");
    return 0;
}

CONFORM(a_cancel_reaches_fn_without_a_limit)
{
    return cancelled_while_waiting(without_limit);
}

CONFORM(a_cancel_reaches_fn_with_a_limit)
{
    return cancelled_while_waiting(with_limit);
}

static bool reached_end;

static int limits_await(void *task)
{
    struct co_timeout limit;
    int task_rc;
    co_timeout_begin(&limit, CO_SEC(100));
    int rc = co_timeout_end(&limit, co_await(task, &task_rc));
    expect_is(rc, 0);                               /* the result was there first */
    expect_is(task_rc, 42);
    rc = co_sleep(CO_SEC(1));
    if (rc == 0)
        reached_end = true;
    return rc;
}

CONFORM(a_cancel_that_comes_with_the_result_is_not_lost)
{
    int rc;
    reached_end = false;
    CO_GROUP(group);
    co_task *inner = co_spawn(&group, at_once, MSEC(42)), *task = co_spawn(&group, limits_await, inner);
    co_yield();                                     /* inner has ended: the result is on its way */
    co_cancel(task);
    expect_is(co_await(task, &rc), 0);
    expect_is(rc, -ECANCELED);
    expect(!reached_end);
    return 0;
}

/* asyncio's wait_for cancels a task that it waits for, unless it is shielded. co_await never does. */
CONFORM(a_limit_on_an_await_leaves_the_task_running)
{
    for (int ms = 0; ms <= 10; ms += 10) {
        int rc;
        struct co_timeout limit;
        CO_GROUP(group);
        co_task *task = co_spawn(&group, foo, MSEC(100));
        co_timeout_begin(&limit, CO_MS(ms));
        expect_is(co_timeout_end(&limit, co_await(task, &rc)), -ETIMEDOUT);
        expect_is(rc, -EINPROGRESS);
        expect(!co_done(task));
        expect_is(co_await(task, &rc), 0);
        expect_is(rc, 42);
    }
    NOTED("done@100 done@200 ");
    return 0;
}

CONFORM(a_limit_of_for_ever_on_an_await_is_none)
{
    int rc;
    struct co_timeout limit;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, foo, MSEC(100));
    co_timeout_begin(&limit, CO_FOREVER);
    expect_is(co_timeout_end(&limit, co_await(task, &rc)), 0);
    expect_is(rc, 42);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cancelled_wait_for_ends_when_fn_has_ended),
        cmocka_unit_test(a_wait_for_that_is_out_of_time_ends_when_fn_has_ended),
        cmocka_unit_test(with_no_time_at_all_fn_runs_to_its_first_wait),
        cmocka_unit_test(a_task_that_is_done_is_awaited_in_no_time),
        cmocka_unit_test(fn_is_told_when_time_is_up),
        cmocka_unit_test(wait_for_without_a_limit_just_calls),
        cmocka_unit_test(a_result_in_time_is_returned),
        cmocka_unit_test(a_result_at_the_last_instant_is_returned),
        cmocka_unit_test(what_fn_returns_when_told_is_returned),
        cmocka_unit_test(clean_up_is_waited_for),
        cmocka_unit_test(clean_up_is_waited_for_though_there_was_no_time),
        cmocka_unit_test(an_error_while_ending_is_returned),
        cmocka_unit_test(a_cancel_waits_until_fn_lets_go),
        cmocka_unit_test(a_cancel_reaches_fn_without_a_limit),
        cmocka_unit_test(a_cancel_reaches_fn_with_a_limit),
        cmocka_unit_test(a_cancel_that_comes_with_the_result_is_not_lost),
        cmocka_unit_test(a_limit_on_an_await_leaves_the_task_running),
        cmocka_unit_test(a_limit_of_for_ever_on_an_await_is_none),
    };
    return cmocka_run_group_tests_name("conform waitfor", tests, NULL, NULL);
}
