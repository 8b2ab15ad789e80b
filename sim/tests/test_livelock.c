/* test_livelock.c - a million steps without time passing: the program is ended, and told why. */
#include "check.h"

#define with_steps(n, fn) \
    child_of_run(NULL, (fn), NULL, (struct co_options){.program = "prog", .max_steps = (n)}, #fn)

static int yields_for_ever(void *job)
{
    (void)job;
    expect_is(co_sleep(CO_MS(1500)), 0);
    for (;;) {
        int rc = co_yield(); MARK(0);
        if (rc < 0)
            return rc;
    }
}

static void yielding_for_ever_is_reported(void **state)
{
    (void)state;
    struct child *child = with_steps(0, yields_for_ever);       /* the default: a million */
    assert_int_equal(child->rc, NOT_BACK);
    assert_int_equal(child->exit_code, 70);
    assert_has(child->err,
               "prog: livelock at 1500 ms: 1000000 steps without time passing; task 1 yields_for_ever, spawned at "
               "check.h:");
    assert_has(child->err, ", is at test_livelock.c:%d\n", board->line[0]);
    assert_has_not(child->err, "cancelled");
}

static int ignores_cancel_for_ever(void *job)
{
    (void)job;
    int rc;
    do
        rc = co_sleep(CO_MS(10));               /* "try again" */
    while (rc <= 0);
    return rc;
}

static int cancels_a_stubborn_one(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, ignores_cancel_for_ever, NULL);
    expect_is(co_sleep(CO_MS(25)), 0);
    co_cancel(task);
    return co_join(&group);
}

static void ignoring_a_cancel_for_ever_is_reported_with_advice(void **state)
{
    (void)state;
    struct child *child = with_steps(1000, cancels_a_stubborn_one);
    assert_int_equal(child->exit_code, 70);
    assert_has(child->err, "livelock at 25 ms: 1000 steps without time passing; task 2 ignores_cancel_for_ever");
    assert_has(child->err, "this task was cancelled");
    assert_has(child->err, "return from the task");
}

static int ping(void *job)
{
    struct co_event *events = job;
    for (;;) {
        co_event_set(&events[0]);
        if (co_event_wait(&events[1]) < 0)
            return -1;
        co_event_clear(&events[1]);
    }
}

static int pong(void *job)
{
    struct co_event *events = job;
    for (;;) {
        if (co_event_wait(&events[0]) < 0)
            return -1;
        co_event_clear(&events[0]);
        co_event_set(&events[1]);
    }
}

static int play(void *job)
{
    (void)job;
    struct co_event events[2] = {CO_EVENT_INIT, CO_EVENT_INIT};
    CO_GROUP(group);
    co_spawn(&group, ping, events);
    co_spawn(&group, pong, events);
    return co_join(&group);
}

static void two_tasks_that_wake_each_other_for_ever(void **state)
{
    (void)state;
    struct child *child = with_steps(5000, play);
    assert_int_equal(child->exit_code, 70);
    assert_has(child->err, "livelock at 0 ms: 5000 steps");
}

static int steps_below_the_limit(void *job)
{
    (void)job;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 999; i++)
            co_yield();
        expect_is(co_sleep(1), 0);              /* time passes: the count begins again */
    }
    for (int i = 0; i < 900; i++)
        co_yield();
    co_cpu(1);                                  /* here as well */
    for (int i = 0; i < 900; i++)
        co_yield();
    return 0;
}

static void the_count_begins_again_whenever_time_passes(void **state)
{
    (void)state;
    assert_int_equal(with_steps(1000, steps_below_the_limit)->rc, 0);
    assert_int_equal(with_steps(999, steps_below_the_limit)->exit_code, 70);
}

static int costs_nothing(void *job)
{
    (void)job;
    return 0;
}

/* The world is asked each time, but its clock does not move either. */
static int asks_the_world_for_ever(void *job)
{
    (void)job;
    while (co_to_thread(costs_nothing, NULL) == 0)
        ;
    return 0;
}

static void operations_that_take_no_time_are_steps_too(void **state)
{
    (void)state;
    struct child *child = with_steps(1000, asks_the_world_for_ever);
    assert_int_equal(child->exit_code, 70);
    assert_has(child->err, "livelock at 0 ms: 1000 steps without time passing; task 1 asks_the_world_for_ever");
}

static int spins(void *job)
{
    (void)job;
    while (co_yield() == 0)
        ;
    return 0;
}

static void a_livelock_ends_the_trace_with_its_line(void **state)
{
    (void)state;
    char path[64];
    write_temp(path, "");
    struct child *child = forked_with(((struct co_options){.trace_file = path, .max_steps = 3}), spins, NULL);
    assert_int_equal(child->exit_code, 70);
    char *trace = only(take_file(path), "runtime");
    assert_string_equal(trace,
        "{\"t\":0,\"ev\":\"spawn\",\"task\":1,\"name\":\"spins\",\"by\":0}\n"
        "{\"t\":0,\"ev\":\"ready\",\"task\":1,\"by\":0}\n"
        "{\"t\":0,\"ev\":\"run\",\"task\":1}\n"
        "{\"t\":0,\"ev\":\"await\",\"task\":1,\"on\":\"yield\"}\n"
        "{\"t\":0,\"ev\":\"ready\",\"task\":1,\"by\":1}\n"
        "{\"t\":0,\"ev\":\"run\",\"task\":1}\n"
        "{\"t\":0,\"ev\":\"await\",\"task\":1,\"on\":\"yield\"}\n"
        "{\"t\":0,\"ev\":\"ready\",\"task\":1,\"by\":1}\n"
        "{\"t\":0,\"ev\":\"run\",\"task\":1}\n"
        "{\"t\":0,\"ev\":\"await\",\"task\":1,\"on\":\"yield\"}\n"
        "{\"t\":0,\"ev\":\"ready\",\"task\":1,\"by\":1}\n"
        "{\"t\":0,\"ev\":\"run\",\"task\":1}\n"
        "{\"t\":0,\"ev\":\"livelock\",\"task\":1,\"steps\":3}\n");
    free(trace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(yielding_for_ever_is_reported),
        cmocka_unit_test(ignoring_a_cancel_for_ever_is_reported_with_advice),
        cmocka_unit_test(two_tasks_that_wake_each_other_for_ever),
        cmocka_unit_test(the_count_begins_again_whenever_time_passes),
        cmocka_unit_test(operations_that_take_no_time_are_steps_too),
        cmocka_unit_test(a_livelock_ends_the_trace_with_its_line),
    };
    return cmocka_run_group_tests_name("livelock", tests, NULL, NULL);
}
