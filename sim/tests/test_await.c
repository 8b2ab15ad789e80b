/* test_await.c - waiting for tasks: one (co_await) or several (co_wait in its three modes). */
#include "check.h"

struct plan { int ms, rc; };

static int planned(void *job)
{
    const struct plan *plan = job;
    int rc = co_sleep(CO_MS(plan->ms));
    return rc < 0 ? rc : plan->rc;
}

/* ---- co_await ---------------------------------------------------------------------------------------------- */

static int awaits_three_ways(void *job)
{
    (void)job;
    struct plan ok = {10, 7}, bad = {20, -EIO};
    int rc = 99;
    CO_GROUP(group);
    co_task *first = co_spawn(&group, planned, &ok), *second = co_spawn(&group, planned, &bad);
    expect_is(co_await(first, &rc), 0);
    expect_is(rc, 7);
    expect_is(co_now(), CO_MS(10));
    expect_is(co_await(second, &rc), 0);
    expect_is(rc, -EIO);                        /* about the child; the call itself went well */
    expect_is(co_now(), CO_MS(20));
    rc = 99;
    expect_is(co_await(first, &rc), 0);         /* one that is done: at once */
    expect_is(rc, 7);
    expect_is(co_await(first, NULL), 0);
    expect_is(co_await(co_current(), &rc), -EDEADLK);
    expect_is(rc, -EINPROGRESS);
    expect_is(co_now(), CO_MS(20));
    return 0;
}

static void await_tells_about_me_and_about_my_child_apart(void **state)
{
    (void)state;
    assert_int_equal(run(awaits_three_ways, NULL), 0);
}

static int await_cancelled(void *job)
{
    int rc = 99;
    expect_is(co_await(job, &rc), -ECANCELED);
    expect_is(rc, -EINPROGRESS);
    expect_is(co_done(job), 0);                 /* the task goes on */
    return 0;
}

static int cancels_the_awaiter(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_task *slow = co_spawn(&group, sleeper, MSEC(50)), *awaiter = co_spawn(&group, await_cancelled, slow);
    expect_is(co_sleep(CO_MS(10)), 0);
    co_cancel(awaiter);
    expect_is(co_join(&group), 0);
    return 0;
}

static void a_cancelled_await_leaves_the_task_alone(void **state)
{
    (void)state;
    check_notes(cancels_the_awaiter, "50@50 ");
}

struct awaiter { co_task *task; const char *name; };
static int awaits_noting(void *job)
{
    const struct awaiter *me = job;
    int rc;
    expect_is(co_await(me->task, &rc), 0);
    note("%s%d", me->name, rc);
    return 0;
}

static int several_await_one(void *job)
{
    (void)job;
    struct plan plan = {10, 3};
    CO_GROUP(group);
    co_task *task = co_spawn(&group, planned, &plan);
    struct awaiter awaiters[] = {{task, "a"}, {task, "b"}, {task, "c"}, {task, "d"}};
    for (int i = 0; i < 4; i++)
        co_spawn(&group, awaits_noting, &awaiters[i]);
    return co_join(&group);
}

static void several_may_await_one_and_are_woken_in_order(void **state)
{
    (void)state;
    check_notes(several_await_one, "a3@10 b3@10 c3@10 d3@10 ");
}

/* The one in the middle, the first and the last give up; the others are still told. */
static int some_give_up(void *job)
{
    (void)job;
    struct plan plan = {10, 3};
    co_task *tasks[6];
    CO_GROUP(group);
    co_task *task = co_spawn(&group, planned, &plan);
    struct awaiter awaiters[] = {{task, "a"}, {task, "b"}, {task, "c"}};
    tasks[0] = co_spawn(&group, await_cancelled, task);
    tasks[1] = co_spawn(&group, awaits_noting, &awaiters[0]);
    tasks[2] = co_spawn(&group, await_cancelled, task);
    tasks[3] = co_spawn(&group, awaits_noting, &awaiters[1]);
    tasks[4] = co_spawn(&group, awaits_noting, &awaiters[2]);
    tasks[5] = co_spawn(&group, await_cancelled, task);
    expect_is(co_sleep(CO_MS(1)), 0);
    co_cancel(tasks[2]);
    co_yield();
    co_cancel(tasks[5]);
    co_cancel(tasks[0]);
    return co_join(&group);
}

static void who_gives_up_is_forgotten(void **state)
{
    (void)state;
    check_notes(some_give_up, "a3@10 b3@10 c3@10 ");
}

/* Gives up after 5 ms, then uses its stack for something else and waits again. */
static int overwrites_its_stack(void)
{
    volatile char block[4096];
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = 0;
    return block[17];
}

static int gives_up_and_sleeps(void *job)
{
    struct co_timeout limit;
    co_timeout_begin(&limit, CO_MS(5));
    int rc = co_await(job, NULL);
    expect_is(co_timeout_end(&limit, rc), -ETIMEDOUT);
    expect_is(overwrites_its_stack(), 0);
    expect_is(co_sleep(CO_MS(20)), 0);
    note("up");
    return 0;
}

static int one_in_the_middle_gives_up(void *job)
{
    (void)job;
    struct plan plan = {10, 3};
    CO_GROUP(group);
    co_task *task = co_spawn(&group, planned, &plan);
    struct awaiter awaiters[] = {{task, "a"}, {task, "b"}};
    co_spawn(&group, awaits_noting, &awaiters[0]);
    co_spawn(&group, gives_up_and_sleeps, task);
    co_spawn(&group, awaits_noting, &awaiters[1]);
    return co_join(&group);
}

static void who_gave_up_is_not_woken_from_its_next_wait(void **state)
{
    (void)state;
    check_notes(one_in_the_middle_gives_up, "a3@10 b3@10 up@25 ");
}

static int awaits_the_failed(void *job)
{
    (void)job;
    struct plan bad = {10, -EIO};
    int rc;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, planned, &bad);
    co_spawn(&group, sleeper, MSEC(20));
    expect_is(co_await(task, &rc), 0);
    expect_is(rc, -EIO);
    expect_is(co_sleep(CO_MS(30)), 0);          /* nobody was cancelled by it */
    return 0;
}

static void awaiting_a_failure_cancels_nobody(void **state)
{
    (void)state;
    forked(awaits_the_failed, NULL);            /* one task is not awaited: a leak, said on stderr */
    assert_string_equal(board->text, "20@20 ");
}

static int awaits_the_cancelled(void *job)
{
    (void)job;
    int rc;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, sleeper, MSEC(20));
    co_cancel(task);
    expect_is(co_await(task, &rc), 0);
    expect_is(rc, -ECANCELED);                  /* the child was cancelled, I was not */
    return co_sleep(CO_MS(1));
}

static void a_cancelled_child_is_not_a_cancelled_me(void **state)
{
    (void)state;
    assert_int_equal(run(awaits_the_cancelled, NULL), 0);
}

/* ---- co_wait --------------------------------------------------------------------------------------------------- */

#define THREE(first, second, third)                                          \
    struct plan plans[] = {first, second, third};                            \
    co_task *tasks[3];                                                       \
    CO_GROUP(group);                                                         \
    for (int i = 0; i < 3; i++)                                              \
        tasks[i] = co_spawn(&group, planned, &plans[i])
#define P(...) {__VA_ARGS__}

static int first_completed(void *job)
{
    (void)job;
    THREE(P(30, 0), P(10, 0), P(20, -EIO));
    expect_is(co_wait(tasks, 3, CO_FIRST_COMPLETED, CO_FOREVER), 1);
    expect_is(co_now(), CO_MS(10));
    expect_is(co_done(tasks[1]), 1);
    expect_is(co_wait(tasks, 3, CO_FIRST_COMPLETED, CO_FOREVER), 1);    /* one is done already */
    expect_is(co_now(), CO_MS(10));
    co_task *rest[] = {tasks[0], tasks[2]};
    expect_is(co_wait(rest, 2, CO_FIRST_COMPLETED, CO_FOREVER), 1);
    expect_is(co_now(), CO_MS(20));
    expect_is(co_sleep(CO_MS(15)), 0);
    expect_is(co_wait(tasks, 3, CO_FIRST_COMPLETED, CO_FOREVER), 3);
    expect_is(co_now(), CO_MS(35));             /* the failure has cancelled nobody */
    return 0;
}

static void wait_for_the_first_completed(void **state)
{
    (void)state;
    assert_int_equal(run(first_completed, NULL), 0);
}

static int first_exception(void *job)
{
    (void)job;
    THREE(P(30, 0), P(10, 5), P(20, -EIO));
    expect_is(co_wait(tasks, 3, CO_FIRST_EXCEPTION, CO_FOREVER), 2);
    expect_is(co_now(), CO_MS(20));
    expect_is(co_wait(tasks, 3, CO_FIRST_EXCEPTION, CO_FOREVER), 2);
    expect_is(co_now(), CO_MS(20));
    expect_is(co_wait(tasks, 2, CO_FIRST_EXCEPTION, CO_FOREVER), 2);    /* none of these fails: all */
    expect_is(co_now(), CO_MS(30));
    return 0;
}

static void wait_for_the_first_exception(void **state)
{
    (void)state;
    assert_int_equal(run(first_exception, NULL), 0);
}

static int all_completed(void *job)
{
    (void)job;
    THREE(P(30, 0), P(10, -EPROTO), P(20, -EIO));
    expect_is(co_wait(tasks, 3, CO_ALL_COMPLETED, CO_FOREVER), 3);
    expect_is(co_now(), CO_MS(30));
    expect_is(co_wait(tasks, 3, CO_ALL_COMPLETED, CO_FOREVER), 3);
    expect_is(co_now(), CO_MS(30));
    return 0;
}

static void wait_for_all_completed(void **state)
{
    (void)state;
    assert_int_equal(run(all_completed, NULL), 0);
}

static int wait_with_timeout(void *job)
{
    (void)job;
    static const enum co_wait_when modes[] = {CO_FIRST_COMPLETED, CO_FIRST_EXCEPTION, CO_ALL_COMPLETED};
    for (int m = 0; m < 3; m++) {
        int64_t begin = co_now();
        THREE(P(30, 0), P(40, 0), P(50, 0));
        expect_is(co_wait(tasks, 3, modes[m], CO_MS(10)), 0);
        expect_is(co_now() - begin, CO_MS(10));
        expect_is(co_wait(tasks, 3, modes[m], 0), 0);
        expect_is(co_wait(tasks, 3, modes[m], -1), 0);
        expect_is(co_now() - begin, CO_MS(10));
        expect_is(co_wait(tasks, 3, modes[m], CO_MS(35)), modes[m] == CO_FIRST_COMPLETED ? 1 : 2);
        expect_is(co_now() - begin, modes[m] == CO_FIRST_COMPLETED ? CO_MS(30) : CO_MS(45));
        expect_is(co_wait(&tasks[2], 1, modes[m], CO_SEC(1)), 1);
        expect_is(co_now() - begin, CO_MS(50));
        expect_is(co_wait(tasks, 3, modes[m], CO_FOREVER - 1), 3);
        expect_is(co_wait(tasks, 3, modes[m], 0), 3);
        expect_is(co_sleep(CO_SEC(2)), 0);      /* no timer is left that would end this one early */
        expect_is(co_now() - begin, CO_MS(2050));
    }
    return 0;
}

static void a_timeout_ends_the_wait_and_nothing_else(void **state)
{
    (void)state;
    assert_int_equal(run(wait_with_timeout, NULL), 0);
}

static int waits_for_nothing(void *job)
{
    (void)job;
    for (int mode = 0; mode < 3; mode++) {
        expect_is(co_wait(NULL, 0, (enum co_wait_when)mode, CO_FOREVER), 0);
        expect_is(co_wait(NULL, 0, (enum co_wait_when)mode, 0), 0);
    }
    expect_is(co_now(), 0);
    return 0;
}

static void waiting_for_no_tasks_is_over_at_once(void **state)
{
    (void)state;
    assert_int_equal(run(waits_for_nothing, NULL), 0);
}

static int waits_with_duplicates(void *job)
{
    (void)job;
    struct plan plan = {10, 0};
    CO_GROUP(group);
    co_task *task = co_spawn(&group, planned, &plan), *tasks[] = {task, task, task};
    expect_is(co_wait(tasks, 3, CO_ALL_COMPLETED, CO_MS(50)), 3);
    expect_is(co_now(), CO_MS(10));
    return 0;
}

static void a_task_may_be_named_twice(void **state)
{
    (void)state;
    assert_int_equal(run(waits_with_duplicates, NULL), 0);
}

static int many_end_at_once(void *job)
{
    (void)job;
    THREE(P(10, 0), P(10, 0), P(10, 0));
    expect_is(co_wait(tasks, 3, CO_FIRST_COMPLETED, CO_FOREVER), 3);    /* how many are done when it returns */
    return 0;
}

static void the_count_is_that_of_the_moment_it_returns(void **state)
{
    (void)state;
    assert_int_equal(run(many_end_at_once, NULL), 0);
}

static int wait_is_cancelled(void *job)
{
    co_task *task = job;
    expect_is(co_wait(&task, 1, CO_ALL_COMPLETED, CO_SEC(1)), -ECANCELED);
    note("told");
    return 0;
}

static int cancels_the_waiter(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_task *slow = co_spawn(&group, sleeper, MSEC(50)), *waiter = co_spawn(&group, wait_is_cancelled, slow);
    expect_is(co_sleep(CO_MS(10)), 0);
    co_cancel(waiter);
    expect_is(co_join(&group), 0);
    return 0;
}

static void a_cancelled_wait_cancels_nobody(void **state)
{
    (void)state;
    check_notes(cancels_the_waiter, "told@10 50@50 ");
}

static int awaits_and_waits(void *job)
{
    (void)job;
    THREE(P(10, 1), P(20, 2), P(30, 3));
    struct awaiter awaiters[] = {{tasks[0], "a"}, {tasks[0], "b"}, {tasks[2], "c"}};
    for (int i = 0; i < 3; i++)
        co_spawn(&group, awaits_noting, &awaiters[i]);
    co_yield();
    expect_is(co_wait(tasks, 3, CO_FIRST_COMPLETED, CO_FOREVER), 1);
    note("main");
    return co_join(&group);
}

static void await_and_wait_share_a_task(void **state)
{
    (void)state;
    check_notes(awaits_and_waits, "a1@10 b1@10 main@10 c3@30 ");
}

/* ---- The trace --------------------------------------------------------------------------------------------------- */

static int at_once(void *job)
{
    (void)job;
    return 2;
}

static int awaits_one(void *job)
{
    (void)job;
    int rc;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, at_once, NULL);
    expect_is(co_await(task, &rc), 0);
    return co_wait(&task, 1, CO_ALL_COMPLETED, CO_FOREVER);
}

static void an_await_is_traced_with_its_target(void **state)
{
    (void)state;
    char *trace = only(traced(awaits_one, NULL), "runtime");
    assert_string_equal(trace,
        "{\"t\":0,\"ev\":\"spawn\",\"task\":1,\"name\":\"awaits_one\",\"by\":0}\n"
        "{\"t\":0,\"ev\":\"ready\",\"task\":1,\"by\":0}\n"
        "{\"t\":0,\"ev\":\"run\",\"task\":1}\n"
        "{\"t\":0,\"ev\":\"spawn\",\"task\":2,\"name\":\"at_once\",\"by\":1}\n"
        "{\"t\":0,\"ev\":\"ready\",\"task\":2,\"by\":1}\n"
        "{\"t\":0,\"ev\":\"await\",\"task\":1,\"on\":\"task\",\"target\":2}\n"
        "{\"t\":0,\"ev\":\"run\",\"task\":2}\n"
        "{\"t\":0,\"ev\":\"done\",\"task\":2,\"rc\":2}\n"
        "{\"t\":0,\"ev\":\"ready\",\"task\":1,\"by\":2}\n"
        "{\"t\":0,\"ev\":\"run\",\"task\":1}\n"
        "{\"t\":0,\"ev\":\"done\",\"task\":1,\"rc\":1}\n"
        "{\"t\":0,\"ev\":\"end\",\"rc\":1}\n");
    free(trace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(await_tells_about_me_and_about_my_child_apart),
        cmocka_unit_test(a_cancelled_await_leaves_the_task_alone),
        cmocka_unit_test(several_may_await_one_and_are_woken_in_order),
        cmocka_unit_test(who_gives_up_is_forgotten),
        cmocka_unit_test(who_gave_up_is_not_woken_from_its_next_wait),
        cmocka_unit_test(awaiting_a_failure_cancels_nobody),
        cmocka_unit_test(a_cancelled_child_is_not_a_cancelled_me),
        cmocka_unit_test(wait_for_the_first_completed),
        cmocka_unit_test(wait_for_the_first_exception),
        cmocka_unit_test(wait_for_all_completed),
        cmocka_unit_test(a_timeout_ends_the_wait_and_nothing_else),
        cmocka_unit_test(waiting_for_no_tasks_is_over_at_once),
        cmocka_unit_test(a_task_may_be_named_twice),
        cmocka_unit_test(the_count_is_that_of_the_moment_it_returns),
        cmocka_unit_test(a_cancelled_wait_cancels_nobody),
        cmocka_unit_test(await_and_wait_share_a_task),
        cmocka_unit_test(an_await_is_traced_with_its_target),
    };
    return cmocka_run_group_tests_name("await", tests, NULL, NULL);
}
