/* test_conform_runners.c - running a program's loop, as CPython's test_runners asks it. */
#include "conform.h"

static int yields_and_returns(void *job)
{
    co_yield();
    return (int)(intptr_t)job;
}

static void a_run_returns_the_result_of_main(void **state)
{
    (void)state;
    assert_int_equal(run(yields_and_returns, MSEC(42)), 42);
}

static void a_run_returns_the_error_of_main(void **state)
{
    (void)state;
    assert_int_equal(run(yields_and_returns, MSEC(-EDOM)), -EDOM);
}

static int runs_inside(void *job)
{
    expect_is(co_run(yields_and_returns, job, NULL), -EALREADY);
    return co_sleep(CO_MS(1));                      /* and this loop goes on */
}

static void a_run_inside_a_run_is_refused(void **state)
{
    (void)state;
    assert_int_equal(run(runs_inside, NULL), 0);
}

static void after_a_run_there_is_no_loop(void **state)
{
    (void)state;
    assert_int_equal(run(yields_and_returns, NULL), 0);
    assert_null(co_current());
    assert_int_equal(co_now(), 0);
    assert_int_equal(co_sleep(0), -EPERM);
}

static void a_second_run_is_as_good_as_the_first(void **state)
{
    (void)state;
    for (int i = 1; i <= 2; i++) {
        assert_int_equal(run(sleeper, MSEC(i)), 0);
        assert_string_equal(board->text, i == 1 ? "1@1 " : "2@2 ");
    }
}

/* ---- What main leaves behind ------------------------------------------------------------------------------------- */

/* A group that is never ended: its tasks are left over when main returns. (A
 * student has to go out of his way for that.) */
static struct co_group forgotten;

static int leftover(void *job)
{
    int rc = co_sleep(CO_SEC(10));
    note("left %s", co_strerror(rc));
    return job && rc < 0 ? -EDOM : rc;
}

static int leaves_one(void *job)
{
    forgotten = co_group_begin();
    co_spawn(&forgotten, leftover, job);
    co_yield();
    return 123;
}

static void tasks_left_over_are_cancelled(void **state)
{
    (void)state;
    struct child *child = forked(leaves_one, NULL);
    assert_int_equal(child->rc, 123);
    assert_string_equal(board->text, "left cancelled@0 ");
}

static void the_error_of_a_task_left_over_does_not_replace_the_result(void **state)
{
    (void)state;
    struct child *child = forked(leaves_one, "fails");
    assert_int_equal(child->rc, 123);
    assert_has(child->err, "leftover");             /* it is reported as never awaited */
}

static int fidget(struct co_gen *gen, void *job)
{
    (void)job;
    int rc = 0;
    while (rc == 0) {
        rc = co_gen_yield(gen, NULL);
        if (rc == 0)
            rc = co_sleep(CO_SEC(1));
    }
    note("gen %s", co_strerror(rc));
    return rc;
}

static int spins(void *job)
{
    (void)job;
    int rc;
    void *value;
    CO_GEN(gen, fidget, NULL);
    while ((rc = co_gen_next(&gen, &value)) > 0)
        ;
    note("spin %s", co_strerror(rc));
    return -EDOM;
}

static int leaves_a_generator(void *job)
{
    (void)job;
    forgotten = co_group_begin();
    co_spawn(&forgotten, spins, NULL);
    expect_is(co_sleep(CO_MS(1500)), 0);
    return -ERANGE;
}

static void a_generator_left_over_is_closed(void **state)
{
    (void)state;
    struct child *child = forked(leaves_a_generator, NULL);
    assert_int_equal(child->rc, -ERANGE);
    assert_string_equal(board->text, "spin cancelled@1500 gen cancelled@1500 ");
}

/* ---- Options ----------------------------------------------------------------------------------------------------- */

static int computes_for_long(void *job)
{
    (void)job;
    co_cpu(CO_MS(150));
    return co_sleep(1);
}

static void debug_mode_tells_who_held_the_loop(void **state)
{
    (void)state;
    unsetenv("CO_DEBUG");
    struct child *child = forked_with((struct co_options){.debug = true}, computes_for_long, NULL);
    assert_has(child->err, "held the loop for 150 ms");
}

static void without_debug_mode_nothing_is_told(void **state)
{
    (void)state;
    unsetenv("CO_DEBUG");
    struct child *child = forked(computes_for_long, NULL);
    assert_string_equal(child->err, "");
}

static void debug_mode_can_be_asked_for_in_the_environment(void **state)
{
    (void)state;
    setenv("CO_DEBUG", "1", 1);
    struct child *child = forked(computes_for_long, NULL);
    unsetenv("CO_DEBUG");
    assert_has(child->err, "held the loop for 150 ms");
}

static void an_empty_debug_setting_is_none(void **state)
{
    (void)state;
    setenv("CO_DEBUG", "", 1);
    struct child *child = forked(computes_for_long, NULL);
    unsetenv("CO_DEBUG");
    assert_string_equal(child->err, "");
}

static struct co_local user = CO_LOCAL_INIT("nobody");

static int sets_the_user(void *job)
{
    expect_text((const char *)co_local_get(&user), "nobody");
    expect_is(co_local_set(&user, job), 0);
    co_yield();
    expect_text((const char *)co_local_get(&user), (const char *)job);
    return 0;
}

/* asyncio's Runner keeps its context from one run to the next; there is no such thing between two runs here. */
static void each_run_starts_with_the_initial_locals(void **state)
{
    (void)state;
    assert_int_equal(run(sets_the_user, "ann"), 0);
    assert_int_equal(run(sets_the_user, "bob"), 0);
    assert_string_equal(co_local_get(&user), "nobody");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_returns_the_result_of_main),
        cmocka_unit_test(a_run_returns_the_error_of_main),
        cmocka_unit_test(a_run_inside_a_run_is_refused),
        cmocka_unit_test(after_a_run_there_is_no_loop),
        cmocka_unit_test(a_second_run_is_as_good_as_the_first),
        cmocka_unit_test(tasks_left_over_are_cancelled),
        cmocka_unit_test(the_error_of_a_task_left_over_does_not_replace_the_result),
        cmocka_unit_test(a_generator_left_over_is_closed),
        cmocka_unit_test(debug_mode_tells_who_held_the_loop),
        cmocka_unit_test(without_debug_mode_nothing_is_told),
        cmocka_unit_test(debug_mode_can_be_asked_for_in_the_environment),
        cmocka_unit_test(an_empty_debug_setting_is_none),
        cmocka_unit_test(each_run_starts_with_the_initial_locals),
    };
    return cmocka_run_group_tests_name("conform runners", tests, NULL, NULL);
}
