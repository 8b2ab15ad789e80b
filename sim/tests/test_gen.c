/* test_gen.c - generators: values one at a time, the end, errors, and being closed early. */
#include "check.h"

static int counts(struct co_gen *gen, void *job)
{
    for (intptr_t i = 1; i <= (intptr_t)job; i++) {
        int rc = co_sleep(CO_MS(10));
        if (rc == 0)
            rc = co_gen_yield(gen, (void *)i);
        if (rc < 0) {
            note("closed:%s", co_strerror(rc));
            return rc;
        }
    }
    return 0;
}

static int takes_all(void *job)
{
    (void)job;
    void *value = NULL;
    int rc;
    CO_GEN(numbers, counts, MSEC(3));
    while ((rc = co_gen_next(&numbers, &value)) > 0)
        note("%d", (int)(intptr_t)value);
    expect_is(rc, 0);
    expect_is(co_gen_next(&numbers, &value), 0);
    return 0;
}

static void values_come_one_at_a_time_then_the_end(void **state)
{
    (void)state;
    check_notes(takes_all, "1@10 2@20 3@30 ");
}

static int thinks_between(void *job)
{
    (void)job;
    void *value;
    CO_GEN(numbers, counts, MSEC(2));
    expect_is(co_sleep(CO_MS(100)), 0);                 /* nothing happens before the first is wanted */
    expect_is(co_gen_next(&numbers, &value), 1);
    note("first");
    expect_is(co_sleep(CO_MS(100)), 0);                 /* nor between one and the next */
    expect_is(co_gen_next(&numbers, &value), 1);
    note("second");
    return 0;
}

static void it_runs_only_while_a_value_is_wanted(void **state)
{
    (void)state;
    check_notes(thinks_between, "first@110 second@220 closed:cancelled@220 ");
}

static int leaves_early(void *job)
{
    void *value;
    for (;;) {
        CO_GEN(numbers, counts, MSEC(5));
        expect_is(co_gen_next(&numbers, &value), 1);
        if (job)
            break;
        return 0;
    }
    note("after");
    return 0;
}

static void break_and_return_close_it(void **state)
{
    (void)state;
    assert_int_equal(run(leaves_early, "break"), 0);
    assert_string_equal(board->text, "closed:cancelled@10 after@10 ");
    check_notes(leaves_early, "closed:cancelled@10 ");
}

static int cleans_up(struct co_gen *gen, void *job)
{
    (void)job;
    int rc = co_gen_yield(gen, "value");
    struct co_shield shield;
    co_shield_begin(&shield);
    expect_is(co_sleep(CO_MS(50)), 0);
    co_shield_end(&shield);
    note("clean");
    return rc;
}

static int closes(void *job)
{
    (void)job;
    void *value;
    CO_GEN(gen, cleans_up, NULL);
    expect_is(co_gen_next(&gen, &value), 1);
    expect_text((char *)value, "value");
    co_gen_close(&gen);
    note("closed");
    co_gen_close(&gen);
    expect_is(co_gen_next(&gen, &value), 0);
    return 0;
}

static void closing_waits_until_it_has_cleaned_up(void **state)
{
    (void)state;
    check_notes(closes, "clean@50 closed@50 ");
}

static int fails(struct co_gen *gen, void *job)
{
    (void)job;
    int rc = co_gen_yield(gen, "one");
    return rc < 0 ? rc : -EIO;
}

static int meets_the_error(void *job)
{
    (void)job;
    void *value;
    CO_GEN(gen, fails, NULL);
    expect_is(co_gen_next(&gen, &value), 1);
    expect_is(co_gen_next(&gen, &value), -EIO);
    expect_is(co_gen_next(&gen, &value), 0);
    return 0;
}

static void its_error_is_told_once(void **state)
{
    (void)state;
    assert_int_equal(run(meets_the_error, NULL), 0);
}

static int never_begun(void *job)
{
    (void)job;
    CO_GEN(gen, fails, NULL);
    (void)gen;
    return 0;
}

static void one_that_was_never_asked_never_runs(void **state)
{
    (void)state;
    char *trace = traced(never_begun, NULL);
    assert_int_equal(count_of(trace, "\"ev\":\"spawn\""), 1);
    free(trace);
}

static int next_of(void *job)
{
    void *value;
    return co_gen_next(job, &value);
}

static int two_consumers(void *job)
{
    (void)job;
    int rc;
    CO_GEN(numbers, counts, MSEC(3));
    CO_GROUP(group);
    co_task *first = co_spawn(&group, next_of, &numbers), *second = co_spawn(&group, next_of, &numbers);
    expect_is(co_await(first, &rc), 0);
    expect_is(rc, 1);
    expect_is(co_await(second, &rc), 0);
    expect_is(rc, -EALREADY);
    return 0;
}

static void two_cannot_want_the_next_at_once(void **state)
{
    (void)state;
    assert_int_equal(run(two_consumers, NULL), 0);
}

static int gives_up(void *job)
{
    (void)job;
    void *value;
    CO_GEN(numbers, counts, MSEC(2));
    expect_is(co_wait_for(next_of, &numbers, CO_MS(4)), -ETIMEDOUT);    /* the value comes at 10 ms all the same */
    expect_is(co_sleep(CO_MS(20)), 0);
    expect_is(co_gen_next(&numbers, &value), 1);
    note("%d", (int)(intptr_t)value);
    expect_is(co_gen_next(&numbers, &value), 1);
    note("%d", (int)(intptr_t)value);
    return 0;
}

static void a_value_that_nobody_waited_for_is_kept(void **state)
{
    (void)state;
    check_notes(gives_up, "1@24 2@34 closed:cancelled@34 ");
}

static int is_not_one(void *job)
{
    struct co_gen *gen = job;
    expect_is(co_gen_yield(gen, "x"), -EPERM);
    return 0;
}

static int yields_from_outside(void *job)
{
    (void)job;
    CO_GEN(numbers, counts, MSEC(3));
    return is_not_one(&numbers);
}

static void only_the_generator_yields(void **state)
{
    (void)state;
    assert_int_equal(run(yields_from_outside, NULL), 0);
}

/* ---- Closed by another task while one waits ---------------------------------------------------------------------- */

static int notes_next(void *job)
{
    void *value;
    int rc;
    while ((rc = co_gen_next(job, &value)) > 0)
        note("%d", (int)(intptr_t)value);
    note("end:%d", rc);
    return rc;
}

static int closes_at_25(void *job)
{
    expect_is(co_sleep(CO_MS(25)), 0);
    co_gen_close(job);
    note("told");
    return 0;
}

static int waits_while_it_is_closed(void *fn)
{
    void *value;
    CO_GEN(numbers, (int (*)(struct co_gen *, void *))fn, MSEC(9));
    CO_GROUP(group);
    co_spawn(&group, notes_next, &numbers);
    co_spawn(&group, closes_at_25, &numbers);
    int rc = co_join(&group);
    expect_is(co_gen_next(&numbers, &value), 0);
    return rc;
}

static int fails_when_closed(struct co_gen *gen, void *job)
{
    return counts(gen, job) < 0 ? -EIO : 0;
}

static int cleans_up_slowly(struct co_gen *gen, void *job)
{
    int rc = counts(gen, job);
    struct co_shield shield;
    co_shield_begin(&shield);
    expect_is(co_sleep(CO_MS(50)), 0);
    co_shield_end(&shield);
    return rc;
}

static void who_waits_while_it_is_closed_sees_the_end(void **state)
{
    (void)state;
    assert_int_equal(run(waits_while_it_is_closed, counts), 0);
    assert_string_equal(board->text, "1@10 2@20 closed:cancelled@25 end:0@25 told@25 ");
    assert_int_equal(run(waits_while_it_is_closed, fails_when_closed), 0);
    assert_string_equal(board->text, "1@10 2@20 closed:cancelled@25 end:0@25 told@25 ");
    assert_int_equal(run(waits_while_it_is_closed, cleans_up_slowly), 0);   /* whoever closes it waits, owner or not */
    assert_string_equal(board->text, "1@10 2@20 closed:cancelled@25 end:0@75 told@75 ");
}

static int cancels_the_closer(void *job)
{
    (void)job;
    CO_GEN(numbers, cleans_up_slowly, MSEC(9));
    CO_GROUP(group);
    co_spawn(&group, notes_next, &numbers);
    co_task *closer = co_spawn(&group, closes_at_25, &numbers);
    expect_is(co_sleep(CO_MS(30)), 0);
    co_cancel(closer);
    return co_join(&group);
}

static void a_cancelled_closer_waits_all_the_same(void **state)
{
    (void)state;
    check_notes(cancels_the_closer, "1@10 2@20 closed:cancelled@25 end:0@75 told@75 ");
}

static int asks_itself(struct co_gen *gen, void *job)
{
    void *value;
    (void)job;
    expect_is(co_gen_next(gen, &value), -EALREADY);
    co_gen_close(gen);
    expect_is(co_gen_yield(gen, "x"), -ECANCELED);
    return -EIO;
}

static int closes_itself(void *job)
{
    (void)job;
    void *value;
    CO_GEN(gen, asks_itself, NULL);
    expect_is(co_gen_next(&gen, &value), 0);
    expect_is(co_gen_next(&gen, &value), 0);
    return 0;
}

static void one_that_closes_itself_is_at_its_end(void **state)
{
    (void)state;
    assert_int_equal(run(closes_itself, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_one_at_a_time_then_the_end),
        cmocka_unit_test(it_runs_only_while_a_value_is_wanted),
        cmocka_unit_test(break_and_return_close_it),
        cmocka_unit_test(closing_waits_until_it_has_cleaned_up),
        cmocka_unit_test(its_error_is_told_once),
        cmocka_unit_test(one_that_was_never_asked_never_runs),
        cmocka_unit_test(two_cannot_want_the_next_at_once),
        cmocka_unit_test(a_value_that_nobody_waited_for_is_kept),
        cmocka_unit_test(only_the_generator_yields),
        cmocka_unit_test(who_waits_while_it_is_closed_sees_the_end),
        cmocka_unit_test(a_cancelled_closer_waits_all_the_same),
        cmocka_unit_test(one_that_closes_itself_is_at_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
