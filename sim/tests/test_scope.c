/* test_scope.c - timeouts and shields, alone and inside one another. */
#include "check.h"

/* ---- Timeouts ---------------------------------------------------------------------------------------------- */

static int runs_out(void *job)
{
    (void)job;
    struct co_timeout limit;
    co_timeout_begin(&limit, CO_MS(20));
    int rc = co_sleep(CO_MS(50));
    expect_is(rc, -ECANCELED);
    expect_is(co_now(), CO_MS(20));
    expect_is(co_sleep(CO_MS(50)), -ECANCELED);         /* level-triggered like any cancel */
    rc = co_timeout_end(&limit, rc);
    expect_is(rc, -ETIMEDOUT);
    expect_is(co_sleep(CO_MS(5)), 0);                   /* it counted inside the block only */
    expect_is(co_now(), CO_MS(25));
    return 0;
}

static void a_timeout_ends_the_waits_of_its_block(void **state)
{
    (void)state;
    assert_int_equal(run(runs_out, NULL), 0);
}

static int in_time(void *job)
{
    (void)job;
    struct co_timeout limit;
    co_timeout_begin(&limit, CO_MS(20));
    int rc = co_sleep(CO_MS(19));
    expect_is(co_timeout_end(&limit, rc), 0);
    expect_is(co_sleep(CO_MS(50)), 0);                  /* the timer is gone */
    co_timeout_begin(&limit, CO_MS(20));
    expect_is(co_timeout_end(&limit, 44), 44);
    co_timeout_begin(&limit, CO_MS(20));
    expect_is(co_timeout_end(&limit, -EIO), -EIO);
    co_timeout_begin(&limit, CO_MS(20));
    expect_is(co_timeout_end(&limit, -ECANCELED), -ECANCELED);  /* not up: then it is not from here */
    return 0;
}

static void a_timeout_that_is_not_up_changes_nothing(void **state)
{
    (void)state;
    assert_int_equal(run(in_time, NULL), 0);
}

static int up_but_done(void *job)
{
    (void)job;
    struct co_timeout limit;
    co_timeout_begin(&limit, CO_MS(20));
    expect_is(co_sleep(CO_MS(50)), -ECANCELED);
    expect_is(co_timeout_end(&limit, 3), 3);            /* "any other rc it hands back as it is" */
    co_timeout_begin(&limit, CO_MS(20));
    expect_is(co_sleep(CO_MS(50)), -ECANCELED);
    expect_is(co_timeout_end(&limit, -EIO), -EIO);
    return 0;
}

static void another_result_survives_the_timeout(void **state)
{
    (void)state;
    assert_int_equal(run(up_but_done, NULL), 0);
}

static int exactly(void *job)
{
    (void)job;
    struct co_timeout limit;
    co_timeout_begin(&limit, CO_MS(20));
    int rc = co_sleep(CO_MS(20));
    expect_is(rc, 0);
    expect_is(co_sleep(0), 0);                          /* still this instant */
    expect_is(co_sleep(1), -ECANCELED);                 /* but now it is up */
    expect_is(co_now(), CO_MS(20));
    expect_is(co_timeout_end(&limit, rc), 0);
    return 0;
}

/* "What still happens at that very instant happens first: 2 s of work in a limit of 2 s succeed." */
static int two_steps(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_spawn(&group, sleeper, MSEC(20));
    co_spawn(&group, sleeper, MSEC(20));
    int rc = co_join(&group);
    co_yield();
    return rc < 0 ? rc : 6;
}

static int exactly_in_tasks(void *job)
{
    (void)job;
    expect_is(co_wait_for(two_steps, NULL, CO_MS(20)), 6);
    expect_is(co_sleep(CO_MS(5)), 0);
    expect_is(co_wait_for(two_steps, NULL, CO_MS(20) - 1), -ETIMEDOUT);
    return 0;
}

static void work_of_tasks_that_takes_exactly_the_limit_succeeds(void **state)
{
    (void)state;
    check_notes(exactly_in_tasks, "20@20 20@20 cancelled@44 cancelled@44 ");
}

static void a_result_at_the_very_instant_wins_over_the_timeout(void **state)
{
    (void)state;
    assert_int_equal(run(exactly, NULL), 0);
}

static int up_at_once(void *job)
{
    (void)job;
    struct co_timeout limit;
    const int64_t times[] = {0, -1, INT64_MIN};
    for (int i = 0; i < 3; i++) {
        co_timeout_begin(&limit, times[i]);
        int rc = co_sleep(CO_MS(1));
        expect_is(rc, -ECANCELED);
        expect_is(co_timeout_end(&limit, rc), -ETIMEDOUT);
    }
    expect_is(co_now(), 0);
    return 0;
}

static void a_timeout_of_0_or_less_is_up_at_once(void **state)
{
    (void)state;
    assert_int_equal(run(up_at_once, NULL), 0);
}

static int huge(void *job)
{
    (void)job;
    struct co_timeout limit;
    const int64_t times[] = {CO_FOREVER, CO_FOREVER - 1, CO_FOREVER - CO_SEC(1), CO_FOREVER / 2};
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 4; i++) {
            co_timeout_begin(&limit, times[i]);
            int rc = co_sleep(CO_SEC(10));
            expect_is(co_timeout_end(&limit, rc), 0);
        }
    expect_is(co_now(), CO_SEC(80));
    return 0;
}

static void a_huge_timeout_is_none(void **state)
{
    (void)state;
    assert_int_equal(run(huge, NULL), 0);
}

static int many_in_a_row(void *job)
{
    (void)job;
    for (int i = 0; i < 5000; i++) {
        struct co_timeout limit;
        co_timeout_begin(&limit, CO_SEC(1));
        int rc = co_sleep(CO_US(1));
        expect_is(co_timeout_end(&limit, rc), 0);
    }
    return 0;
}

static void many_timeouts_one_after_another(void **state)
{
    (void)state;
    assert_int_equal(run(many_in_a_row, NULL), 0);
}

/* ---- Nested ---------------------------------------------------------------------------------------------------- */

static int inner_up(void *job)
{
    (void)job;
    struct co_timeout outer, inner;
    co_timeout_begin(&outer, CO_MS(50));
    co_timeout_begin(&inner, CO_MS(20));
    int rc = co_sleep(CO_MS(100));
    rc = co_timeout_end(&inner, rc);
    expect_is(rc, -ETIMEDOUT);
    expect_is(co_sleep(CO_MS(10)), 0);                  /* 30 ms: the outer one is not up yet */
    expect_is(co_sleep(CO_MS(100)), -ECANCELED);
    expect_is(co_now(), CO_MS(50));
    expect_is(co_timeout_end(&outer, rc), -ETIMEDOUT);
    return 0;
}

static int outer_up(void *job)
{
    (void)job;
    struct co_timeout outer, inner;
    co_timeout_begin(&outer, CO_MS(20));
    co_timeout_begin(&inner, CO_MS(50));
    int rc = co_sleep(CO_MS(100));
    expect_is(co_now(), CO_MS(20));
    rc = co_timeout_end(&inner, rc);
    expect_is(rc, -ECANCELED);                          /* not this one */
    expect_is(co_sleep(1), -ECANCELED);
    expect_is(co_timeout_end(&outer, rc), -ETIMEDOUT);
    return 0;
}

static int both_up(void *job)
{
    (void)job;
    struct co_timeout outer, middle, inner;
    co_timeout_begin(&outer, CO_MS(20));
    co_timeout_begin(&middle, CO_MS(100));
    co_timeout_begin(&inner, CO_MS(20));
    int rc = co_sleep(CO_MS(100));
    rc = co_timeout_end(&inner, rc);
    expect_is(rc, -ECANCELED);
    rc = co_timeout_end(&middle, rc);
    expect_is(rc, -ECANCELED);
    expect_is(co_timeout_end(&outer, rc), -ETIMEDOUT);  /* the outermost one */
    return 0;
}

static void the_inner_timeout_may_be_up_first(void **state)
{
    (void)state;
    assert_int_equal(run(inner_up, NULL), 0);
}

static void the_outer_timeout_may_be_up_first(void **state)
{
    (void)state;
    assert_int_equal(run(outer_up, NULL), 0);
}

static void when_both_are_up_the_outermost_one_says_so(void **state)
{
    (void)state;
    assert_int_equal(run(both_up, NULL), 0);
}

static int cancelled_in_timeout(void *job)
{
    (void)job;
    struct co_timeout limit;
    co_timeout_begin(&limit, CO_MS(50));
    int rc = co_sleep(CO_MS(100));
    expect_is(rc, -ECANCELED);
    expect_is(co_now(), CO_MS(10));
    rc = co_timeout_end(&limit, rc);
    expect_is(rc, -ECANCELED);
    expect_is(co_sleep(1), -ECANCELED);
    return rc;
}

static int cancelled_and_timed_out(void *job)
{
    (void)job;
    struct co_timeout limit;
    co_timeout_begin(&limit, CO_MS(5));
    int rc = co_sleep(CO_MS(100));
    expect_is(co_now(), CO_MS(5));
    co_cancel(co_current());
    rc = co_timeout_end(&limit, rc);
    expect_is(rc, -ECANCELED);                          /* "a task that was itself cancelled stays cancelled" */
    return rc;
}

static int cancels_at_10(void *job)
{
    int rc;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, *(co_fn *)job, NULL);
    expect_is(co_sleep(CO_MS(10)), 0);
    co_cancel(task);
    expect_is(co_await(task, &rc), 0);
    return rc;
}

static void a_cancelled_task_does_not_time_out(void **state)
{
    (void)state;
    co_fn fn = cancelled_in_timeout;
    assert_int_equal(run(cancels_at_10, &fn), -ECANCELED);
    fn = cancelled_and_timed_out;
    assert_int_equal(run(cancels_at_10, &fn), -ECANCELED);
}

static int join_in_timeout(void *job)
{
    (void)job;
    struct co_timeout limit;
    co_timeout_begin(&limit, CO_MS(15));
    int rc;
    {
        CO_GROUP(group);
        co_spawn(&group, sleeper, MSEC(10));
        co_spawn(&group, sleeper, MSEC(20));
        rc = co_join(&group);
    }
    expect_is(rc, -ECANCELED);
    expect_is(co_timeout_end(&limit, rc), -ETIMEDOUT);
    note("over");
    return 0;
}

static void a_timeout_round_a_join_cancels_the_tasks(void **state)
{
    (void)state;
    check_notes(join_in_timeout, "10@10 cancelled@15 over@15 ");
}

static int group_end_in_timeout(void *job)
{
    (void)job;
    struct co_timeout limit;
    co_timeout_begin(&limit, CO_MS(15));
    {
        CO_GROUP(group);
        co_task *task = co_spawn(&group, sleeper, MSEC(20));
        (void)task;
    }                                                   /* waits here */
    note("out");
    expect_is(co_timeout_end(&limit, -ECANCELED), -ETIMEDOUT);
    return 0;
}

static void a_timeout_round_a_group_that_is_not_joined_works_too(void **state)
{
    (void)state;
    assert_int_equal(forked(group_end_in_timeout, NULL)->rc, 0);
    assert_string_equal(board->text, "cancelled@15 out@15 ");
}

/* ---- co_wait_for ------------------------------------------------------------------------------------------------- */

static int waits_for(void *job)
{
    (void)job;
    expect_is(co_wait_for(sleeper, MSEC(10), CO_MS(20)), 0);
    expect_is(co_wait_for(sleeper, MSEC(30), CO_MS(20)), -ETIMEDOUT);
    expect_is(co_now(), CO_MS(30));
    expect_is(co_wait_for(sleeper, MSEC(30), CO_MS(30)), 0);
    expect_is(co_wait_for(sleeper, MSEC(30), 0), -ETIMEDOUT);
    expect_is(co_wait_for(sleeper, MSEC(30), -7), -ETIMEDOUT);
    expect_is(co_wait_for(sleeper, MSEC(30), CO_FOREVER), 0);
    expect_is(co_now(), CO_MS(90));
    return 0;
}

static void wait_for_limits_a_call(void **state)
{
    (void)state;
    check_notes(waits_for, "10@10 cancelled@30 30@60 cancelled@60 cancelled@60 30@90 ");
}

static int in_my_task(void *job)
{
    expect(co_current() == job);
    return 4;
}

static int inner_wait_for(void *job)
{
    return co_wait_for(sleeper, job, CO_MS(100));
}

static int nested_wait_for(void *job)
{
    (void)job;
    expect_is(co_wait_for(in_my_task, co_current(), CO_MS(5)), 4);
    expect_is(co_wait_for(inner_wait_for, MSEC(50), CO_MS(10)), -ETIMEDOUT);
    expect_is(co_now(), CO_MS(10));
    return 0;
}

static void wait_for_runs_in_this_task_and_nests(void **state)
{
    (void)state;
    assert_int_equal(run(nested_wait_for, NULL), 0);
}

/* ---- Shields ----------------------------------------------------------------------------------------------------- */

static int shielded(void *job)
{
    (void)job;
    struct co_shield shield;
    co_shield_begin(&shield);
    expect_is(co_sleep(CO_MS(30)), 0);                  /* cancelled at 10 */
    expect_is(co_sleep(CO_MS(30)), 0);
    co_shield_end(&shield);
    expect_is(co_now(), CO_MS(60));
    expect_is(co_sleep(CO_MS(1)), -ECANCELED);
    return -ECANCELED;
}

static int cleans_up(void *job)
{
    (void)job;
    struct co_shield shield;
    int rc = co_sleep(CO_SEC(1));
    expect_is(rc, -ECANCELED);
    co_shield_begin(&shield);
    expect_is(co_sleep(CO_MS(20)), 0);                  /* clean-up that must itself wait */
    co_shield_end(&shield);
    expect_is(co_sleep(1), -ECANCELED);
    expect_is(co_now(), CO_MS(30));
    return rc;
}

static int nested_shields(void *job)
{
    (void)job;
    struct co_shield outer, inner;
    co_shield_begin(&outer);
    co_shield_begin(&inner);
    expect_is(co_sleep(CO_MS(20)), 0);
    co_shield_end(&inner);
    expect_is(co_sleep(CO_MS(20)), 0);
    co_shield_end(&outer);
    expect_is(co_sleep(CO_MS(20)), -ECANCELED);
    return -ECANCELED;
}

static void shield_defers_a_cancel(void **state)
{
    (void)state;
    const co_fn fns[] = {shielded, cleans_up, nested_shields};
    for (int i = 0; i < 3; i++) {
        co_fn fn = fns[i];
        assert_int_equal(run(cancels_at_10, &fn), -ECANCELED);
    }
}

static int timeout_in_shield(void *job)
{
    (void)job;
    struct co_shield shield;
    struct co_timeout limit;
    co_shield_begin(&shield);
    co_timeout_begin(&limit, CO_MS(30));
    int rc = co_sleep(CO_MS(100));                      /* cancelled at 10, but shielded; up at 30 */
    expect_is(co_now(), CO_MS(30));
    expect_is(rc, -ECANCELED);
    expect_is(co_timeout_end(&limit, rc), -ETIMEDOUT);  /* the task's own cancel is still outside the shield */
    expect_is(co_sleep(CO_MS(5)), 0);
    co_shield_end(&shield);
    expect_is(co_sleep(1), -ECANCELED);
    return -ECANCELED;
}

static int shield_in_timeout(void *job)
{
    (void)job;
    struct co_shield shield;
    struct co_timeout limit;
    co_timeout_begin(&limit, CO_MS(5));
    co_shield_begin(&shield);
    expect_is(co_sleep(CO_MS(8)), 0);                   /* the timeout is outside the shield */
    co_shield_end(&shield);
    expect_is(co_sleep(1), -ECANCELED);
    expect_is(co_now(), CO_MS(8));
    expect_is(co_timeout_end(&limit, -ECANCELED), -ETIMEDOUT);
    expect_is(co_sleep(CO_MS(20)), -ECANCELED);         /* the task's own, at 10 */
    expect_is(co_now(), CO_MS(10));
    return -ECANCELED;
}

static int shield_in_timeout_in_shield(void *job)
{
    (void)job;
    struct co_shield outer, inner;
    struct co_timeout limit;
    co_shield_begin(&outer);
    co_timeout_begin(&limit, CO_MS(5));
    expect_is(co_sleep(CO_MS(20)), -ECANCELED);
    co_shield_begin(&inner);
    expect_is(co_sleep(CO_MS(20)), 0);
    co_shield_end(&inner);
    expect_is(co_sleep(1), -ECANCELED);
    expect_is(co_timeout_end(&limit, -ECANCELED), -ETIMEDOUT);
    expect_is(co_sleep(CO_MS(1)), 0);
    co_shield_end(&outer);
    expect_is(co_sleep(1), -ECANCELED);
    return -ECANCELED;
}

static void shields_and_timeouts_nest(void **state)
{
    (void)state;
    const co_fn fns[] = {timeout_in_shield, shield_in_timeout, shield_in_timeout_in_shield};
    for (int i = 0; i < 3; i++) {
        co_fn fn = fns[i];
        assert_int_equal(run(cancels_at_10, &fn), -ECANCELED);
    }
}

static int shields_a_join(void *job)
{
    (void)job;
    struct co_shield shield;
    CO_GROUP(group);
    co_spawn(&group, sleeper, MSEC(30));
    co_shield_begin(&shield);
    expect_is(co_join(&group), 0);
    co_shield_end(&shield);
    expect_is(co_sleep(1), -ECANCELED);
    return -ECANCELED;
}

static void a_shielded_join_lets_the_tasks_finish(void **state)
{
    (void)state;
    co_fn fn = shields_a_join;
    assert_int_equal(run(cancels_at_10, &fn), -ECANCELED);
    assert_string_equal(board->text, "30@30 ");
}

static int failure_shields(void *job)
{
    (void)job;
    struct co_shield shield;
    co_shield_begin(&shield);
    expect_is(co_sleep(CO_MS(30)), 0);
    co_shield_end(&shield);
    int rc = co_sleep(CO_MS(30));
    note("told");
    return rc;
}

static int fails_at_10(void *job)
{
    (void)job;
    expect_is(co_sleep(CO_MS(10)), 0);
    return -EIO;
}

static int group_with_shield(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_spawn(&group, failure_shields, NULL);
    co_spawn(&group, fails_at_10, NULL);
    expect_is(co_join(&group), -EIO);
    return 0;
}

static void a_shield_defers_the_cancel_of_a_group_too(void **state)
{
    (void)state;
    check_notes(group_with_shield, "told@30 ");
}

static int only_this_task(void *job)
{
    (void)job;
    struct co_shield shield;
    CO_GROUP(group);
    co_shield_begin(&shield);
    co_task *child = co_spawn(&group, sleeper, MSEC(30));
    expect_is(co_sleep(CO_MS(20)), 0);
    co_cancel(child);                                   /* my shield is not my child's */
    expect_is(co_join(&group), 0);
    co_shield_end(&shield);
    return 0;
}

static void a_shield_is_its_tasks_alone(void **state)
{
    (void)state;
    check_notes(only_this_task, "cancelled@20 ");
}

/* ---- Misuse ------------------------------------------------------------------------------------------------------ */

static int ends_twice(void *job)
{
    (void)job;
    struct co_timeout limit;
    struct co_shield shield;
    co_timeout_begin(&limit, CO_MS(5));
    expect_is(co_timeout_end(&limit, 7), 7);
    expect_is(co_timeout_end(&limit, 8), 8);
    co_shield_begin(&shield);
    co_shield_end(&shield);
    co_shield_end(&shield);
    return co_sleep(CO_MS(10));
}

static void ending_twice_does_no_harm(void **state)
{
    (void)state;
    assert_int_equal(run(ends_twice, NULL), 0);
}

static int forgets_the_inner_one(void *job)
{
    (void)job;
    struct co_timeout outer, inner;
    struct co_shield shield;
    co_timeout_begin(&outer, CO_MS(50));
    co_timeout_begin(&inner, CO_MS(5)), MARK(0);
    co_shield_begin(&shield), MARK(1);
    expect_is(co_timeout_end(&outer, 3), 3);            /* ends those inside it as well */
    return co_sleep(CO_MS(100));
}

static void ending_the_outer_one_ends_the_forgotten_ones_inside(void **state)
{
    (void)state;
    struct child *child = forked(forgets_the_inner_one, NULL);
    assert_int_equal(child->rc, 0);
    assert_has(child->err, "leak: the timeout of test_scope.c:%d was never ended", board->line[0]);
    assert_has(child->err, "leak: the shield of test_scope.c:%d was never ended", board->line[1]);
}

static struct co_timeout shared;
static int ends_the_timeout_of_another(void *job)
{
    (void)job;
    expect_is(co_timeout_end(&shared, 0), -EINVAL);
    return 0;
}

static int lends_its_timeout(void *job)
{
    (void)job;
    co_timeout_begin(&shared, CO_MS(5));
    struct co_timeout mine = shared;
    {
        CO_GROUP(group);
        co_spawn(&group, ends_the_timeout_of_another, NULL);
        expect_is(co_join(&group), 0);
    }
    expect_is(co_timeout_end(&mine, 0), 0);
    return 0;
}

static void only_its_own_task_can_end_a_timeout(void **state)
{
    (void)state;
    assert_int_equal(run(lends_its_timeout, NULL), 0);
}

/* ---- The trace --------------------------------------------------------------------------------------------------- */

static int wait_kind_sleep_long(void *job)
{
    (void)job;
    return co_sleep(CO_SEC(50));
}

static int times_out(void *job)
{
    (void)job;
    return co_wait_for(wait_kind_sleep_long, NULL, CO_MS(2)) == -ETIMEDOUT ? 0 : 1;
}

static void a_timeout_is_traced(void **state)
{
    (void)state;
    char *trace = only(traced(times_out, NULL), "runtime");
    assert_string_equal(trace,
        "{\"t\":0,\"ev\":\"spawn\",\"task\":1,\"name\":\"times_out\",\"by\":0}\n"
        "{\"t\":0,\"ev\":\"ready\",\"task\":1,\"by\":0}\n"
        "{\"t\":0,\"ev\":\"run\",\"task\":1}\n"
        "{\"t\":0,\"ev\":\"await\",\"task\":1,\"on\":\"sleep\"}\n"
        "{\"t\":2000000,\"ev\":\"cancel\",\"task\":1,\"by\":0,\"why\":\"timeout\"}\n"
        "{\"t\":2000000,\"ev\":\"ready\",\"task\":1,\"by\":0}\n"
        "{\"t\":2000000,\"ev\":\"run\",\"task\":1}\n"
        "{\"t\":2000000,\"ev\":\"done\",\"task\":1,\"rc\":0}\n"
        "{\"t\":2000000,\"ev\":\"end\",\"rc\":0}\n");
    free(trace);
}

/* A cancel that a shield defers is seen in the trace all the same. */
static int cancels_shielded(void *job)
{
    (void)job;
    co_fn fn = shielded;
    return cancels_at_10(&fn) == -ECANCELED ? 0 : 1;
}

static void a_cancel_inside_a_shield_is_traced(void **state)
{
    (void)state;
    char *trace = only(traced(cancels_shielded, NULL), "runtime");
    assert_has(trace, "\"ev\":\"cancel\",\"task\":2,\"by\":1,\"why\":\"call\"");
    assert_has(trace, "\"task\":2,\"on\":\"sleep\",\"shield\":\"test_scope.c:");
    free(trace);
}

static int waits_under_a_shield(void *job)
{
    (void)job;
    struct co_shield shield;
    struct co_timeout limit;
    co_shield_begin(&shield);
    co_timeout_begin(&limit, CO_MS(9));
    int rc = co_sleep(CO_MS(3));            /* in a timeout in the shield: it is told all the same */
    rc = co_timeout_end(&limit, rc);
    co_shield_end(&shield);
    return rc == 0 ? co_sleep(CO_MS(2)) : rc;
}

static void a_wait_tells_which_shield_keeps_a_cancel_from_it(void **state)
{
    (void)state;
    char *trace = only(traced(waits_under_a_shield, NULL), "runtime");
    const char *first = strstr(trace, "\"shield\":");
    assert_non_null(first);
    assert_null(strstr(first + 1, "\"shield\":"));          /* the other waits have none */
    free(trace);
}

/* ---- Overdue, because another task computed -------------------------------------------------------- */

static int computes_20(void *job)
{
    (void)job;
    co_cpu(CO_MS(20));
    return 0;
}

static int overdue(void *job)
{
    int rc;
    struct co_timeout limit;
    CO_GROUP(group);
    co_spawn(&group, computes_20, NULL);
    co_timeout_begin(&limit, CO_MS(5));
    rc = co_timeout_end(&limit, co_sleep(CO_MS((intptr_t)job)));
    expect_is(co_join(&group), 0);
    return rc;
}

static void overdue_timeouts_strike_in_the_order_of_time(void **state)
{
    (void)state;
    assert_int_equal(run(overdue, MSEC(3)), 0);                 /* the sleep was over at 3 ms, the limit up at 5 */
    assert_int_equal(run(overdue, MSEC(5)), 0);                 /* at the same instant: the result wins           */
    assert_int_equal(run(overdue, MSEC(10)), -ETIMEDOUT);       /* the limit was up first: the sleep is disarmed  */
    assert_int_equal(run(overdue, MSEC(30)), -ETIMEDOUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_timeout_ends_the_waits_of_its_block),
        cmocka_unit_test(a_timeout_that_is_not_up_changes_nothing),
        cmocka_unit_test(another_result_survives_the_timeout),
        cmocka_unit_test(a_result_at_the_very_instant_wins_over_the_timeout),
        cmocka_unit_test(work_of_tasks_that_takes_exactly_the_limit_succeeds),
        cmocka_unit_test(a_timeout_of_0_or_less_is_up_at_once),
        cmocka_unit_test(a_huge_timeout_is_none),
        cmocka_unit_test(many_timeouts_one_after_another),
        cmocka_unit_test(the_inner_timeout_may_be_up_first),
        cmocka_unit_test(the_outer_timeout_may_be_up_first),
        cmocka_unit_test(when_both_are_up_the_outermost_one_says_so),
        cmocka_unit_test(a_cancelled_task_does_not_time_out),
        cmocka_unit_test(a_timeout_round_a_join_cancels_the_tasks),
        cmocka_unit_test(a_timeout_round_a_group_that_is_not_joined_works_too),
        cmocka_unit_test(wait_for_limits_a_call),
        cmocka_unit_test(wait_for_runs_in_this_task_and_nests),
        cmocka_unit_test(shield_defers_a_cancel),
        cmocka_unit_test(shields_and_timeouts_nest),
        cmocka_unit_test(a_shielded_join_lets_the_tasks_finish),
        cmocka_unit_test(a_shield_defers_the_cancel_of_a_group_too),
        cmocka_unit_test(a_shield_is_its_tasks_alone),
        cmocka_unit_test(ending_twice_does_no_harm),
        cmocka_unit_test(ending_the_outer_one_ends_the_forgotten_ones_inside),
        cmocka_unit_test(only_its_own_task_can_end_a_timeout),
        cmocka_unit_test(a_timeout_is_traced),
        cmocka_unit_test(a_cancel_inside_a_shield_is_traced),
        cmocka_unit_test(a_wait_tells_which_shield_keeps_a_cancel_from_it),
        cmocka_unit_test(overdue_timeouts_strike_in_the_order_of_time),
    };
    return cmocka_run_group_tests_name("scope", tests, NULL, NULL);
}
