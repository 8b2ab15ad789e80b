/* test_debug.c - debug mode (CO_DEBUG=1), and blocks that clean up after themselves. */
#include "check.h"

#define DEBUGGED(fn, job) child_of_run(NULL, (fn), (job), (struct co_options){.program = "prog", .debug = true}, #fn)

static int computes(void *job)
{
    co_cpu(CO_MS((intptr_t)job));
    return co_sleep(CO_MS(1)); MARK(0);
}

static void a_slow_step_is_told(void **state)
{
    (void)state;
    struct child *child = DEBUGGED(computes, MSEC(101));
    assert_int_equal(child->rc, 0);
    assert_has(child->err, "prog: debug: task 1 computes held the loop for 101 ms before it waited at test_debug.c:");
}

static void a_step_of_100_ms_is_not(void **state)
{
    (void)state;
    assert_string_equal(DEBUGGED(computes, MSEC(100))->err, "");
}

static int computes_last(void *job)
{
    co_cpu(CO_MS((intptr_t)job));
    return 0;
}

static void so_is_one_that_ends_the_task(void **state)
{
    (void)state;
    assert_has(DEBUGGED(computes_last, MSEC(150))->err,
               "task 1 computes_last held the loop for 150 ms before it ended");
}

static void without_debug_mode_nothing_is_told(void **state)
{
    (void)state;
    assert_string_equal(forked(computes, MSEC(500))->err, "");
    setenv("CO_DEBUG", "1", 1);
    assert_has(forked(computes, MSEC(500))->err, "held the loop for 500 ms");
    unsetenv("CO_DEBUG");
}

static int stubborn(void *job)
{
    for (intptr_t i = 0; i < (intptr_t)job; i++) {
        int rc = co_sleep(CO_MS(10));
        MARK(0);
        (void)rc;
    }
    return -ECANCELED;
}

static int cancels(void *job)
{
    CO_GROUP(group);
    co_task *task = co_spawn(&group, stubborn, job);
    int rc = co_sleep(CO_MS(5));
    co_cancel(task);
    return rc ? rc : co_join(&group);
}

static void waiting_on_after_a_cancel_is_told(void **state)
{
    (void)state;
    struct child *child = DEBUGGED(cancels, MSEC(3));
    assert_int_equal(child->rc, 0);
    assert_has(child->err, "prog: debug: task 2 stubborn was cancelled, and still wants to wait at test_debug.c:");
    assert_int_equal(count_of(child->err, "\n"), 2);        /* the first -ECANCELED is how it learns of it */
    assert_string_equal(DEBUGGED(cancels, MSEC(1))->err, "");
}

/* ---- Blocks ------------------------------------------------------------------------------------- */

static void closes(int *thing)
{
    note("close%d", *thing);
}

static int leaves(void *job)
{
    intptr_t how = (intptr_t)job;
    for (int i = 0; i < 2; i++) {
        CO_WITH(int, thing, 10 + i, closes) {
            note("in%d", thing);
            if (how == 1)
                break;                  /* leaves the block of CO_WITH, as it would a loop of its own */
            if (how == 2)
                return 0;
            note("end");
        }
    }
    int CO_DEFER(closes) last = 9;
    return last - 9;
}

static void with_closes_on_every_way_out(void **state)
{
    (void)state;
    assert_int_equal(run(leaves, MSEC(0)), 0);
    assert_string_equal(board->text, "in10@0 end@0 close10@0 in11@0 end@0 close11@0 close9@0 ");
    assert_int_equal(run(leaves, MSEC(1)), 0);
    assert_string_equal(board->text, "in10@0 close10@0 in11@0 close11@0 close9@0 ");
    assert_int_equal(run(leaves, MSEC(2)), 0);
    assert_string_equal(board->text, "in10@0 close10@0 ");
}

static int holds(void *job)
{
    struct co_sem *sem = job;
    CO_WITH_SEM(sem) {
        note("in");
        if (co_sleep(CO_MS(10)) < 0)
            break;
        if (co_now() == CO_MS(20))
            return 0;                   /* gives it back, too */
    }
    return 0;
}

static int three_in_turn(void *job)
{
    (void)job;
    struct co_sem sem = CO_SEM_INIT(1);
    CO_GROUP(group);
    for (int i = 0; i < 3; i++)
        co_spawn(&group, holds, &sem);
    expect_is(co_join(&group), 0);
    expect_is(sem.value, 1);
    return 0;
}

static void with_sem_gives_its_place_back(void **state)
{
    (void)state;
    check_notes(three_in_turn, "in@0 in@10 in@20 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_step_is_told),
        cmocka_unit_test(a_step_of_100_ms_is_not),
        cmocka_unit_test(so_is_one_that_ends_the_task),
        cmocka_unit_test(without_debug_mode_nothing_is_told),
        cmocka_unit_test(waiting_on_after_a_cancel_is_told),
        cmocka_unit_test(with_closes_on_every_way_out),
        cmocka_unit_test(with_sem_gives_its_place_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
