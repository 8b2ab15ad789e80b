/* test_local.c - values of their own for tasks, and what is called when a task ends. */
#include "check.h"

static struct co_local user = CO_LOCAL_INIT("nobody"), depth = CO_LOCAL_INIT(0);

static const char *who(void)
{
    return co_local_get(&user);
}

static int child(void *job)
{
    note("%s", who());
    expect_is(co_local_set(&user, job), 0);
    expect_is(co_sleep(CO_MS(10)), 0);
    note("%s", who());
    return 0;
}

static int parent(void *job)
{
    (void)job;
    expect_text(who(), "nobody");
    expect_is(co_local_set(&user, "ann"), 0);
    CO_GROUP(group);
    co_spawn(&group, child, "bob");
    co_spawn(&group, child, "cy");
    expect_is(co_local_set(&user, "dan"), 0);           /* after the spawn: the children do not see it */
    expect_is(co_join(&group), 0);
    expect_text(who(), "dan");
    return 0;
}

static void a_child_begins_with_its_parents_values(void **state)
{
    (void)state;
    check_notes(parent, "ann@0 ann@0 bob@10 cy@10 ");
    assert_string_equal(who(), "nobody");               /* outside a task: the initial one */
    assert_int_equal(co_local_set(&user, "x"), -EPERM);
}

static int sets_often(void *job)
{
    (void)job;
    for (intptr_t i = 1; i <= 10000; i++) {
        expect_is(co_local_set(&depth, (void *)i), 0);
        expect_is(co_local_set(&user, i % 2 ? "odd" : "even"), 0);
    }
    expect_is((intptr_t)co_local_get(&depth), 10000);
    expect_text(who(), "even");
    return 0;
}

static void setting_often_keeps_the_last(void **state)
{
    (void)state;
    assert_int_equal(run(sets_often, NULL), 0);         /* LeakSanitizer looks, too */
}

static int deeper(void *job)
{
    intptr_t level = (intptr_t)co_local_get(&depth);
    (void)job;
    if (level == 20)
        return 0;
    expect_is(co_local_set(&depth, (void *)(level + 1)), 0);
    CO_GROUP(group);
    co_spawn(&group, deeper, NULL);
    expect_is(co_join(&group), 0);
    expect_is((intptr_t)co_local_get(&depth), level + 1);
    return 0;
}

static void values_go_down_the_generations_and_not_up(void **state)
{
    (void)state;
    assert_int_equal(run(deeper, NULL), 0);
}

/* ---- Callbacks ---------------------------------------------------------------------------------- */

static void ended(co_task *task, void *arg)
{
    note("%s:%d", (const char *)arg, co_result(task));
    expect_is(co_sleep(CO_MS(1)), -EPERM);              /* it must not wait */
}

static int naps(void *job)
{
    expect_is(co_sleep(CO_MS(5)), 0);
    note("ends");
    return (int)(intptr_t)job;
}

static int listens(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, naps, MSEC(7));
    expect_is(co_on_done(task, ended, "first"), 0);
    expect_is(co_on_done(task, ended, "second"), 0);
    expect_is(co_await(task, NULL), 0);
    note("awaited");
    expect_is(co_on_done(task, ended, "late"), 0);      /* it has ended: at once */
    return 0;
}

static void callbacks_run_in_order_before_those_who_wait(void **state)
{
    (void)state;
    check_notes(listens, "ends@5 first:7@5 second:7@5 awaited@5 late:7@5 ");
}

static struct co_event over = CO_EVENT_INIT;
static void sets_it(co_task *task, void *arg)
{
    (void)task;
    co_event_set(arg);
}

static int waits_for_a_callback(void *job)
{
    (void)job;
    CO_GROUP(group);
    expect_is(co_on_done(co_spawn(&group, naps, MSEC(0)), sets_it, &over), 0);
    expect_is(co_event_wait(&over), 0);
    note("set");
    return co_join(&group);
}

static void a_callback_can_wake_others(void **state)
{
    (void)state;
    check_notes(waits_for_a_callback, "ends@5 set@5 ");
}

/* ---- Names and numbers --------------------------------------------------------------------------- */

static int looks_around(void *job)
{
    (void)job;
    co_task *tasks[2];
    CO_GROUP(group);
    co_task *task = co_spawn(&group, naps, MSEC(0));
    expect_text(co_name(task), "naps");
    co_set_name(task, "nap");
    expect_text(co_name(task), "nap");
    expect_is(co_id(co_current()), 1);
    expect_is(co_id(task), 2);
    co_spawn(&group, naps, MSEC(0));
    expect_is(co_all_tasks(tasks, 2), 3);
    expect(tasks[0] == co_current() && tasks[1] == task);
    expect_is(co_all_tasks(NULL, 0), 3);
    expect_is(co_join(&group), 0);
    expect_is(co_all_tasks(tasks, 2), 1);
    return 0;
}

static void tasks_have_names_and_numbers(void **state)
{
    (void)state;
    assert_int_equal(run(looks_around, NULL), 0);
    assert_int_equal(co_all_tasks(NULL, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_begins_with_its_parents_values),
        cmocka_unit_test(setting_often_keeps_the_last),
        cmocka_unit_test(values_go_down_the_generations_and_not_up),
        cmocka_unit_test(callbacks_run_in_order_before_those_who_wait),
        cmocka_unit_test(a_callback_can_wake_others),
        cmocka_unit_test(tasks_have_names_and_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
