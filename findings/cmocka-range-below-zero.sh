#!/bin/sh
# cmocka: 0 is not between -5 and 5.
#
# Seen on cmocka 1.1.5 (Debian 12's packages libcmocka0 and libcmocka-dev 1.1.5-2.1, amd64) with gcc 12.
#
# By cmocka's manual ("Assert Macros", "Checking Parameters"), assert_in_range asserts that a value is not smaller than
# one bound and not larger than the other; expect_in_range asks the same of a parameter. So one expects of a delay in
# ms that may be five too early or too late that assert_in_range(delay, -5, 5) takes 0, as assert_int_equal(delay, -5)
# takes -5.
#
# Any range that begins below zero and ends above is empty. The three are cast to an unsigned type of 64 bits, -5 is
# 18446744073709551611, and that is what the report says. So assert_in_range fails for every value. What is worse,
# assert_not_in_range, the test that something stays away from zero, passes for every value, 0 among them, and nobody
# sees that it tests nothing. gcc -Wall -Wextra says nothing, for the macros have the cast in them. A range that lies
# below zero as a whole, or above, works.
#
# Exit 0: it is still so. 1: it has changed. 2: these versions cannot be had.
set -eu

version=1.1.5-2.1
for tool in gcc apt-get dpkg-deb timeout; do
    command -v "$tool" >/dev/null || { echo "$0: needs $tool" >&2; exit 2; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 2' HUP INT TERM
cd "$work"
apt-get download -q "libcmocka0=$version" "libcmocka-dev=$version" >log 2>&1 || { cat log >&2; exit 2; }
for package in *.deb; do dpkg-deb -x "$package" . || exit 2; done

cat >range.c <<'PROGRAM'
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int delay = 0;       // ms

static void arrives(int late)
{
    check_expected(late);
}

static void zero_is_in_range(void **state)
{
    (void)state;
    assert_in_range(delay, -5, 5);
}

static void zero_is_not_in_range(void **state)
{
    (void)state;
    assert_not_in_range(delay, -5, 5);
}

static void zero_may_be_passed(void **state)
{
    (void)state;
    expect_in_range(arrives, late, -5, 5);
    arrives(delay);
}

static void three_below_is_in_a_range_below(void **state)
{
    (void)state;
    assert_in_range(delay - 3, -5, -1);
}

static void below_zero_is_equal(void **state)
{
    (void)state;
    assert_int_equal(delay - 5, -5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zero_is_in_range),
        cmocka_unit_test(zero_is_not_in_range),
        cmocka_unit_test(zero_may_be_passed),
        cmocka_unit_test(three_below_is_in_a_range_below),
        cmocka_unit_test(below_zero_is_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
PROGRAM
gcc -Wall -Wextra -Werror -Iusr/include range.c -o range usr/lib/*/libcmocka.so.0 >log 2>&1 ||
    { cat log >&2; exit 2; }
LD_LIBRARY_PATH=$(echo "$work"/usr/lib/*-linux-gnu) CMOCKA_MESSAGE_OUTPUT=TAP timeout 20 ./range >report 2>&1 || :
seen=$(sed -n 's/^ok [0-9]* - \(.*\)/\1: passes/p; s/^not ok [0-9]* - \(.*\)/\1: fails/p
    s/^.*\([0-9][0-9]* is not within the range .*\)/\1/p' report | sort -u | paste -s -d ';' - | sed 's/;/; /g')
wanted="0 is not within the range 18446744073709551611-5; below_zero_is_equal: passes; \
three_below_is_in_a_range_below: passes; zero_is_in_range: fails; zero_is_not_in_range: passes; \
zero_may_be_passed: fails"
echo "cmocka $version: $seen"
[ "$seen" = "$wanted" ] || { echo "$0: it was: $wanted" >&2; exit 1; }
