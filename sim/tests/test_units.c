/* test_units.c - CO_US, CO_MS, CO_SEC: whole numbers and fractions, constants and variables. */
#include "check.h"

#include <math.h>

/* Constants are good wherever C asks for one. */
static const int64_t half = CO_SEC(0.5), minus = CO_MS(-2.5), whole = CO_SEC(3), tenth = CO_US(.1f);
static int64_t table[] = {[0] = CO_MS(1.5), [1] = CO_MS(1)};
struct room { char bytes[CO_US(1)]; };
enum { AS_ENUM = CO_US(2) };
_Static_assert(CO_MS(3) == 3000000, "a whole number makes an integer constant expression");

static void constants_stand_where_c_asks_for_one(void **state)
{
    (void)state;
    assert_int_equal(half, 500000000);
    assert_int_equal(minus, -2500000);
    assert_int_equal(whole, 3000000000);
    assert_int_equal(tenth, 100);
    assert_int_equal(table[0] + table[1], 2500000);
    assert_int_equal(sizeof(struct room) + AS_ENUM, 3000);
    switch (table[1]) {
    case CO_MS(1): break;
    default: fail();
    }
}

/* Every number of hundredths and thousandths is exact, though hardly one of them is a double. */
static void fractions_are_exact_to_the_nanosecond(void **state)
{
    (void)state;
    for (int64_t i = -200000; i <= 200000; i++) {
        volatile double seconds = (double)i / 1000;
        if (CO_SEC(seconds) != i * 1000000 || CO_MS(seconds) != i * 1000 || CO_US(seconds) != i)
            fail_msg("%lld thousandths: %lld %lld %lld", (long long)i, (long long)CO_SEC(seconds),
                     (long long)CO_MS(seconds), (long long)CO_US(seconds));
    }
    assert_int_equal(CO_SEC(4.35), 4350000000);         /* 4.35 * 100 is 434.99999999999994 */
    assert_int_equal(CO_SEC(1.1), 1100000000);
    assert_int_equal(CO_SEC(0.000000001), 1);
    assert_int_equal(CO_SEC(4503599.627370497), 4503599627370497);
    assert_int_equal(CO_US(0.0004), 0);
    assert_int_equal(CO_US(0.0006), 1);
    assert_int_equal(CO_SEC(1.0), CO_SEC(1));
    assert_int_equal(CO_MS(2.5L), 2500000);
}

static void whole_numbers_never_pass_through_a_double(void **state)
{
    (void)state;
    volatile int64_t us = 9007199254740993;             /* 2^53 + 1: no double */
    assert_int_equal(CO_US(us), 9007199254740993000);
    assert_int_equal(CO_US(9007199254740993), 9007199254740993000);
    volatile uint32_t seconds = UINT32_MAX;
    assert_int_equal(CO_SEC(seconds), 4294967295000000000);
    volatile signed char below = -3;
    assert_int_equal(CO_MS(below), -3000000);
    volatile char byte = 3;
    assert_int_equal(CO_MS(byte), 3000000);
    assert_int_equal(CO_SEC(true), 1000000000);
}

static int calls;
static double counted(double value)
{
    calls++;
    return value;
}

static void the_number_is_evaluated_once(void **state)
{
    (void)state;
    int n = 1;
    assert_int_equal(CO_MS(n++), 1000000);
    assert_int_equal(n, 2);
    assert_int_equal(CO_MS(counted(0.25)), 250000);
    assert_int_equal(calls, 1);
}

static void what_is_no_time_stays_within_the_clock(void **state)
{
    (void)state;
    volatile double huge = 1e30, none = NAN, edge = 9223372036.854775807;
    assert_true(CO_SEC(huge) == INT64_MAX);
    assert_true(CO_SEC(-huge) == INT64_MIN);
    assert_true(CO_SEC((double)INFINITY * huge) == INT64_MAX);
    assert_int_equal(CO_SEC(none), 0);
    assert_true(CO_SEC(edge) > INT64_MAX - 2000 && CO_SEC(-edge) < INT64_MIN + 2000);
}

static int sleeps_for_fractions(void *job)
{
    (void)job;
    expect_is(co_sleep(CO_SEC(0.5)), 0);
    expect_is(co_now(), 500000000);
    expect_is(co_sleep(CO_MS(2.5)), 0);
    expect_is(co_now(), 502500000);
    return 0;
}

static void half_a_second_of_sleep_is_half_a_second(void **state)
{
    (void)state;
    assert_int_equal(run(sleeps_for_fractions, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constants_stand_where_c_asks_for_one),
        cmocka_unit_test(fractions_are_exact_to_the_nanosecond),
        cmocka_unit_test(whole_numbers_never_pass_through_a_double),
        cmocka_unit_test(the_number_is_evaluated_once),
        cmocka_unit_test(what_is_no_time_stays_within_the_clock),
        cmocka_unit_test(half_a_second_of_sleep_is_half_a_second),
    };
    return cmocka_run_group_tests_name("units", tests, NULL, NULL);
}
