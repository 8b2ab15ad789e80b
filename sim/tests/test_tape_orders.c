/* test_tape_orders.c - the choice tape in the loop: other legal orders really happen, and only legal ones. */
#include "check.h"

#include "tape.h"

static int run_tape(const char *tape, co_fn fn)
{
    return run_in(NULL, fn, NULL, (struct co_options){.tape = tape}, "tape");
}

#define check_tape(tape, fn, wanted) \
    (assert_int_equal(run_tape((tape), (fn)), 0), assert_string_equal(board->text, (wanted)))

/* ---- Who of the ready tasks runs ------------------------------------------------------------------------------ */

static int says(void *job)
{
    note("%s", (const char *)job);
    return 0;
}

static int three_say(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_spawn(&group, says, "a");
    co_spawn(&group, says, "b");
    co_spawn(&group, says, "c");
    return co_join(&group);
}

/* Question 1 has three options, question 2 two; the last task is no question. */
static void any_ready_task_may_run_next(void **state)
{
    (void)state;
    check_tape(NULL, three_say, "a@0 b@0 c@0 ");
    check_tape("1=1", three_say, "b@0 a@0 c@0 ");
    check_tape("1=2", three_say, "c@0 a@0 b@0 ");
    check_tape("2=1", three_say, "a@0 c@0 b@0 ");
    check_tape("1=1,2=1", three_say, "b@0 c@0 a@0 ");
    check_tape("1=2,2=1", three_say, "c@0 b@0 a@0 ");
    check_tape("1=9", three_say, "c@0 a@0 b@0 ");
    check_tape("3=1", three_say, "a@0 b@0 c@0 ");
}

static int yields_twice(void *job)
{
    for (int i = 0; i < 2; i++) {
        note("%s%d", (const char *)job, i);
        co_yield();
    }
    return 0;
}

static int two_yield(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_spawn(&group, yields_twice, "a");
    co_spawn(&group, yields_twice, "b");
    return co_join(&group);
}

static void a_task_that_yields_may_be_overtaken_by_itself(void **state)
{
    (void)state;
    check_tape("", two_yield, "a0@0 b0@0 a1@0 b1@0 ");
    check_tape("1=1", two_yield, "b0@0 a0@0 b1@0 a1@0 ");
    check_tape("2=1", two_yield, "a0@0 a1@0 b0@0 b1@0 ");
}

static int sleeps_5(void *job)
{
    expect_is(co_sleep(CO_MS(5)), 0);
    note("%s", (const char *)job);
    return 0;
}

static int three_sleep(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_spawn(&group, sleeps_5, "a");
    co_spawn(&group, sleeps_5, "b");
    co_spawn(&group, sleeps_5, "c");
    return co_join(&group);
}

static void tasks_due_at_one_instant_may_run_in_any_order(void **state)
{
    (void)state;
    check_tape("", three_sleep, "a@5 b@5 c@5 ");
    check_tape("3=2", three_sleep, "c@5 a@5 b@5 ");
    check_tape("3=1,4=1", three_sleep, "b@5 c@5 a@5 ");
}

/* ---- At which wait a cancel lands -------------------------------------------------------------------------------- */

static int waits_twice(void *job)
{
    (void)job;
    int rc = co_sleep(CO_MS(20));
    note("first %s", co_strerror(rc));
    rc = co_sleep(CO_MS(20));
    note("second %s", co_strerror(rc));
    return rc;
}

static int cancels_a_sleeper(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, waits_twice, NULL);
    expect_is(co_sleep(CO_MS(10)), 0);
    co_cancel(task);
    return co_join(&group);
}

static void a_cancel_may_land_one_wait_later(void **state)
{
    (void)state;
    check_tape("", cancels_a_sleeper, "first cancelled@10 second cancelled@10 ");
    check_tape("1=1", cancels_a_sleeper, "first success@20 second cancelled@20 ");
}

static int waits_for_nobody(void *job)
{
    return co_event_wait(job);
}

static int cancels_a_hopeless_one(void *job)
{
    (void)job;
    struct co_event event = CO_EVENT_INIT;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, waits_for_nobody, &event);
    expect_is(co_sleep(CO_MS(10)), 0);
    co_cancel(task);
    expect_is(co_join(&group), 0);
    expect_is(co_result(task), -ECANCELED);
    return 0;
}

/* Put off, it is not lost: where nothing else can end the wait, the cancel does, and no deadlock is seen. */
static void a_cancel_that_was_put_off_is_not_lost(void **state)
{
    (void)state;
    check_tape("1=1", cancels_a_hopeless_one, "");
}

static int waits_shielded(void *job)
{
    (void)job;
    struct co_shield shield;
    co_shield_begin(&shield);
    expect_is(co_sleep(CO_MS(20)), 0);
    expect_is(co_sleep(CO_MS(20)), 0);
    co_shield_end(&shield);
    int rc = co_sleep(CO_MS(20));
    note("%s", co_strerror(rc));
    return rc;
}

static int cancels_a_shielded_one(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, waits_shielded, NULL);
    expect_is(co_sleep(CO_MS(10)), 0);
    co_cancel(task);
    return co_join(&group);
}

static void a_shield_holds_on_any_tape(void **state)
{
    (void)state;
    check_tape("", cancels_a_shielded_one, "cancelled@40 ");
    check_tape("1=1", cancels_a_shielded_one, "cancelled@40 ");
}

/* ---- What a tape finds ------------------------------------------------------------------------------------------- */

/* A race that the plain order hides: read, wait, write. */
static int counter;
static int adds_one(void *job)
{
    (void)job;
    int seen = counter;
    co_yield();
    counter = seen + 1;
    return 0;
}

static int two_add(void *job)
{
    (void)job;
    counter = 0;
    {
        CO_GROUP(group);
        co_spawn(&group, adds_one, NULL);
        co_spawn(&group, adds_one, NULL);
        expect_is(co_join(&group), 0);
    }
    note("%d", counter);
    return 0;
}

static void a_race_shows_on_some_tapes_only(void **state)
{
    (void)state;
    check_tape("", two_add, "1@0 ");
    check_tape("2=1", two_add, "2@0 ");
}

/* ---- An empty tape is the plain run ------------------------------------------------------------------------------ */

static const char ranges[] =
    "{\"world\":\"looplab/world/v1\",\"seed\":3,\"sites\":[{\"url\":\"http://a.test\",\"workers\":2,\"routes\":["
    "{\"path\":\"/\",\"latency\":[\"10ms\",\"50ms\"],\"fault\":{\"kind\":\"refused\",\"probability\":0.25}}]}]}";

static int gets(void *job)
{
    (void)job;
    struct co_response resp;
    int rc = co_http_get("http://a.test/", &resp);
    note("%d", rc);
    co_response_free(&resp);
    return 0;
}

static int a_bit_of_everything(void *job)
{
    (void)job;
    CO_GROUP(group);
    for (int i = 0; i < 8; i++)
        co_spawn(&group, gets, NULL);
    co_task *task = co_spawn(&group, waits_twice, NULL);
    expect_is(co_sleep(CO_MS(10)), 0);
    co_cancel(task);
    co_spawn(&group, two_yield, NULL);
    return co_join(&group);
}

static void an_empty_tape_is_the_plain_run(void **state)
{
    (void)state;
    char *plain = trace_of_run(ranges, a_bit_of_everything, NULL, (struct co_options){0}, "x");
    char *empty = trace_of_run(ranges, a_bit_of_everything, NULL, (struct co_options){.tape = "1=0"}, "x");
    char *other = trace_of_run(ranges, a_bit_of_everything, NULL, (struct co_options){.tape = "1=1"}, "x");
    char *again = trace_of_run(ranges, a_bit_of_everything, NULL, (struct co_options){.tape = "1=1"}, "x");
    assert_string_equal(plain, empty);
    assert_string_not_equal(plain, other);
    assert_string_equal(other, again);
    setenv("CO_TAPE", "1=1", 1);
    char *environment = trace_of_run(ranges, a_bit_of_everything, NULL, (struct co_options){0}, "x");
    unsetenv("CO_TAPE");
    assert_string_equal(other, environment);
    free(plain), free(empty), free(other), free(again), free(environment);
}

/* Whatever the tape says, every task ends and no rule is broken: a few hundred tapes of one deviation or two. */
static int respects_rules(void *job)
{
    (void)job;
    struct co_sem sem = CO_SEM_INIT(1);
    CO_QUEUE(queue, 1);
    void *item;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, waits_twice, NULL);
    co_spawn(&group, three_sleep, NULL);
    co_spawn(&group, two_yield, NULL);
    expect_is(co_sem_acquire(&sem), 0);
    expect_is(co_queue_put(&queue, "x"), 0);
    expect_is(co_sleep(CO_MS(10)), 0);
    co_cancel(task);
    expect_is(co_queue_get(&queue, &item), 0);
    co_sem_release(&sem);
    expect_is(co_join(&group), 0);
    expect(co_now() == CO_MS(10) || co_now() == CO_MS(20));
    return 0;
}

static void every_tape_is_a_legal_run(void **state)
{
    (void)state;
    char tape[32];
    for (int first = 1; first <= 20; first++)
        for (int second = 0; second <= 20; second++) {
            if (second > first)
                snprintf(tape, sizeof tape, "%d=1,%d=%d", first, second, 1 + second % 3);
            else
                snprintf(tape, sizeof tape, "%d=%d", first, second + 1);
            assert_int_equal(run_tape(tape, respects_rules), 0);
            assert_int_equal(count_of(board->text, "@"), 9);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_ready_task_may_run_next),
        cmocka_unit_test(a_task_that_yields_may_be_overtaken_by_itself),
        cmocka_unit_test(tasks_due_at_one_instant_may_run_in_any_order),
        cmocka_unit_test(a_cancel_may_land_one_wait_later),
        cmocka_unit_test(a_cancel_that_was_put_off_is_not_lost),
        cmocka_unit_test(a_shield_holds_on_any_tape),
        cmocka_unit_test(a_race_shows_on_some_tapes_only),
        cmocka_unit_test(an_empty_tape_is_the_plain_run),
        cmocka_unit_test(every_tape_is_a_legal_run),
    };
    return cmocka_run_group_tests_name("tape orders", tests, NULL, NULL);
}
