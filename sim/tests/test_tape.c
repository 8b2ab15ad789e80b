/* test_tape.c - the choice tape: texts it takes, texts it refuses and with which words, and its answers. */
#include "tape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct tape *open_tape(const char *text)
{
    char error[128] = "";
    struct tape *tape = tape_open(text, error, sizeof error);
    assert_string_equal(error, "");
    assert_non_null(tape);
    return tape;
}

static void assert_refused(const char *text, const char *expected)
{
    char error[128] = "";
    assert_null(tape_open(text, error, sizeof error));
    assert_string_equal(error, expected);
}

static void no_tape_asks_nothing(void **state)
{
    (void)state;
    assert_int_equal(tape_choose(NULL, "ready", 5), 0);
    assert_int_equal(tape_asked(NULL), 0);
    tape_close(NULL);
}

static void an_empty_tape_is_the_plain_run(void **state)
{
    (void)state;
    struct tape *tape = open_tape("");
    for (uint64_t i = 1; i <= 1000; i++) {
        assert_int_equal(tape_choose(tape, "ready", 7), 0);
        assert_int_equal(tape_asked(tape), i);
    }
    tape_close(tape);
}

static void deviations_are_answered_at_their_question(void **state)
{
    (void)state;
    struct tape *tape = open_tape("1=1,3=2,4=0,5=4294967295");
    static const uint32_t answers[] = {1, 0, 2, 0, 2, 0, 0};
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
        assert_int_equal(tape_choose(tape, "due", 3), answers[i]);
    tape_close(tape);
}

/* So that a tape still fits when the number of options at its question has changed. */
static void an_option_too_large_is_the_last_one(void **state)
{
    (void)state;
    struct tape *tape = open_tape("1=2,2=2,3=9,4=9");
    assert_int_equal(tape_choose(tape, "fault", 3), 2);
    assert_int_equal(tape_choose(tape, "fault", 2), 1);
    assert_int_equal(tape_choose(tape, "fault", UINT32_MAX), 9);
    assert_int_equal(tape_choose(tape, "fault", 4), 3);
    tape_close(tape);
}

struct asked {
    const char *label;
    uint32_t n;
};

static uint32_t answer_five(void *who, const char *label, uint32_t n)
{
    struct asked *asked = who;
    *asked = (struct asked){label, n};
    return 5;
}

static void a_tape_elsewhere_is_asked_there(void **state)
{
    (void)state;
    struct asked asked = {0};
    struct tape *tape = tape_held_elsewhere(answer_five, &asked);
    assert_non_null(tape);
    assert_int_equal(tape_choose(tape, "ready", 1), 0);
    assert_null(asked.label);
    assert_int_equal(tape_choose(tape, "cancel", 9), 5);
    assert_string_equal(asked.label, "cancel");
    assert_int_equal(asked.n, 9);
    assert_int_equal(tape_choose(tape, "ready", 3), 2);
    assert_int_equal(tape_asked(tape), 2);
    tape_close(tape);
}

static void a_question_with_one_option_is_not_counted(void **state)
{
    (void)state;
    struct tape *tape = open_tape("2=1");
    assert_int_equal(tape_choose(tape, "ready", 2), 0);
    assert_int_equal(tape_choose(tape, "ready", 1), 0);
    assert_int_equal(tape_asked(tape), 1);
    assert_int_equal(tape_choose(tape, "ready", 2), 1);
    assert_int_equal(tape_asked(tape), 2);
    tape_close(tape);
}

static void numbers_reach_their_limits(void **state)
{
    (void)state;
    tape_close(open_tape("18446744073709551615=4294967295"));
    tape_close(open_tape("0017=02"));
    assert_refused("18446744073709551616=1", "tape: \"18446744073709551616=1\": the number is too large");
    assert_refused("1=4294967296", "tape: \"1=4294967296\": the number is too large");
    assert_refused("1=99999999999999999999999", "tape: \"1=99999999999999999999999\": the number is too large");
}

static void what_is_not_number_is_number_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "17=x", "x=17", "17", "17=", "=", "=2", "17==2", "17=2=3", " 17=2", "17=2 ", "17 =2", "-1=2", "17=-2", "+1=2",
            "0x1=1",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char expected[128];
        snprintf(expected, sizeof expected, "tape: \"%s\": expected question=option, such as 17=2", wrong[i]);
        assert_refused(wrong[i], expected);
    }
}

static void the_error_names_the_piece_that_is_wrong(void **state)
{
    (void)state;
    assert_refused("1=2,17=x,18=1", "tape: \"17=x\": expected question=option, such as 17=2");
    assert_refused("1=2,", "tape: \"\": expected question=option, such as 17=2");
    assert_refused(",1=2", "tape: \"\": expected question=option, such as 17=2");
    assert_refused("1=2,,3=4", "tape: \"\": expected question=option, such as 17=2");
    assert_refused("1=2;3=4", "tape: \"1=2;3=4\": expected question=option, such as 17=2");
    assert_refused("0=1", "tape: \"0=1\": questions are counted from 1");
    assert_refused("5=1,4=1", "tape: \"4=1\": questions must rise");
    assert_refused("5=1,5=2", "tape: \"5=2\": questions must rise");
}

static void the_error_is_one_short_line(void **state)
{
    (void)state;
    assert_refused("1=\n\x1b\xff", "tape: \"1=\?\?\?\": expected question=option, such as 17=2");
    char text[1000];
    memset(text, 'y', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_refused(text,
                   "tape: \"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy...\": expected question=option, such as 17=2");
    char error[8] = "";
    assert_null(tape_open("x", error, sizeof error));
    assert_string_equal(error, "tape: \"");
    assert_null(tape_open("x", NULL, 0));
}

static void a_long_tape_is_read_and_answered(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    char *text = malloc(COUNT * 16), *at = text;
    assert_non_null(text);
    for (int i = 1; i <= COUNT; i++)
        at += sprintf(at, "%s%d=%d", i > 1 ? "," : "", 2 * i, i % 7);
    struct tape *tape = open_tape(text);
    free(text);                     /* the tape keeps nothing of it */
    for (int i = 1; i <= COUNT; i++) {
        assert_int_equal(tape_choose(tape, "latency", 7), 0);
        assert_int_equal(tape_choose(tape, "latency", 7), i % 7);
    }
    tape_close(tape);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_tape_asks_nothing),
        cmocka_unit_test(an_empty_tape_is_the_plain_run),
        cmocka_unit_test(deviations_are_answered_at_their_question),
        cmocka_unit_test(an_option_too_large_is_the_last_one),
        cmocka_unit_test(a_tape_elsewhere_is_asked_there),
        cmocka_unit_test(a_question_with_one_option_is_not_counted),
        cmocka_unit_test(numbers_reach_their_limits),
        cmocka_unit_test(what_is_not_number_is_number_is_refused),
        cmocka_unit_test(the_error_names_the_piece_that_is_wrong),
        cmocka_unit_test(the_error_is_one_short_line),
        cmocka_unit_test(a_long_tape_is_read_and_answered),
    };
    return cmocka_run_group_tests_name("tape", tests, NULL, NULL);
}
