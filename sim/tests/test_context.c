/* test_context.c - the switch: what a flow must find again when it is resumed. */
#include "check.h"

#include "runtime/switch/context.h"

#include <fenv.h>
#include <float.h>
#include <stdint.h>

/* ---- The bare switch ------------------------------------------------------------------------------ */

static struct context home, flow;
static _Alignas(16) char memory[64 * 1024];
static int visits, got;
static uintptr_t argument;
static uintptr_t misalignment;

static void flow_entry(void *arg)
{
    struct { _Alignas(16) char bytes[16]; } aligned;
    argument = (uintptr_t)arg;
    misalignment = (uintptr_t)&aligned % 16 + (uintptr_t)__builtin_frame_address(0) % 16;
    for (;;) {
        visits++;
        got = co__switch(&flow, &home, visits + 100);
    }
}

static void a_flow_gets_its_argument_and_an_aligned_stack(void **state)
{
    (void)state;
    if (UNDER_ASAN || UNDER_TSAN || UNDER_VALGRIND)
        skip();                 /* a stack that they were not told of */
    visits = 0;
    assert_int_equal(co__switch_new(&home, memory + sizeof memory, flow_entry, (void *)0x1234567890abcdef), 101);
    assert_int_equal(visits, 1);
    for (int i = 2; i <= 4; i++) {
        assert_int_equal(co__switch(&home, &flow, -i), 100 + i);
        assert_int_equal(visits, i);
        assert_int_equal(got, -i);
    }
    assert_true(argument == 0x1234567890abcdef);
    assert_int_equal(misalignment, 0);
}

static void jumps_back(void *arg)
{
    (void)arg;
    co__jump(&home, -7);
}

static void a_flow_may_leave_for_good(void **state)
{
    (void)state;
    if (UNDER_ASAN || UNDER_TSAN || UNDER_VALGRIND)
        skip();
    for (int i = 0; i < 3; i++)
        assert_int_equal(co__switch_new(&home, memory + sizeof memory, jumps_back, NULL), -7);
}

/* ---- Through the runtime -------------------------------------------------------------------------- */

/* More values alive than there are registers that a call may change. */
static int keeps_values(void *job)
{
    int64_t n = (intptr_t)job;
    volatile int64_t source = n;
    int64_t a = source + 1, b = source + 2, c = source + 3, d = source + 4, e = source + 5, f = source + 6,
        g = source + 7,
            h = source + 8;
    double x = (double)source + .5, y = (double)source * 2, z = 1.0 / (double)(source + 1);
    for (int i = 0; i < 20; i++) {
        expect_is(co_sleep(n % 3), 0);
        a += 1, b += 2, c += 3, d += 4, e += 5, f += 6, g += 7, h += 8;
        x += 1, y += 2, z += 0;
    }
    expect_is(a, n + 1 + 20);
    expect_is(b, n + 2 + 40);
    expect_is(c, n + 3 + 60);
    expect_is(d, n + 4 + 80);
    expect_is(e, n + 5 + 100);
    expect_is(f, n + 6 + 120);
    expect_is(g, n + 7 + 140);
    expect_is(h, n + 8 + 160);
    expect(x == (double)n + 20.5);
    expect(y == (double)n * 2 + 40);
    expect(z == 1.0 / (double)(n + 1));
    return 0;
}

static int many_keep_values(void *job)
{
    (void)job;
    CO_GROUP(group);
    for (intptr_t i = 0; i < 50; i++)
        co_spawn(&group, keeps_values, (void *)i);
    return co_join(&group);
}

static void registers_and_stack_survive_a_switch(void **state)
{
    (void)state;
    assert_int_equal(run(many_keep_values, NULL), 0);
}

static int uses_varargs_and_vectors(void *job)
{
    char text[64];
    double values[8];
    for (int i = 0; i < 8; i++) {
        values[i] = i * (double)(intptr_t)job;
        co_yield();
    }
    snprintf(text, sizeof text, "%.1f %.1f %d", values[1], values[7], 3);   /* needs a stack aligned to 16 */
    expect_text(text, job == MSEC(2) ? "2.0 14.0 3" : "4.0 28.0 3");
    return 0;
}

static int two_use_varargs(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_spawn(&group, uses_varargs_and_vectors, MSEC(2));
    co_spawn(&group, uses_varargs_and_vectors, MSEC(4));
    return co_join(&group);
}

static void floating_point_and_varargs_work_in_a_task(void **state)
{
    (void)state;
    assert_int_equal(run(two_use_varargs, NULL), 0);
}

/* ---- errno ------------------------------------------------------------------------------------------ */

static int keeps_errno(void *job)
{
    errno = (int)(intptr_t)job;
    for (int i = 0; i < 5; i++) {
        co_yield();
        expect_is(errno, (intptr_t)job);
        expect_is(co_sleep(CO_MS(1)), 0);
        expect_is(errno, (intptr_t)job);
    }
    return 0;
}

static int three_keep_errno(void *job)
{
    (void)job;
    errno = 7;
    CO_GROUP(group);
    co_spawn(&group, keeps_errno, MSEC(11));
    co_spawn(&group, keeps_errno, MSEC(12));
    co_spawn(&group, keeps_errno, MSEC(13));
    expect_is(co_join(&group), 0);
    expect_is(errno, 7);
    return 0;
}

static void errno_is_kept_per_task(void **state)
{
    (void)state;
    assert_int_equal(run(three_keep_errno, NULL), 0);
}

static int notes_errno(void *job)
{
    (void)job;
    expect_is(errno, 0);
    return 0;
}

static int spawns_with_errno_set(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_spawn(&group, notes_errno, NULL);
    errno = 42;
    return co_join(&group);
}

static void a_new_task_does_not_see_the_errno_of_another(void **state)
{
    (void)state;
    errno = 0;
    assert_int_equal(run(spawns_with_errno_set, NULL), 0);
}

static int fails_in_every_call(void *job)
{
    (void)job;
    struct co_response resp;
    void *item;
    CO_QUEUE(queue, 1);
    errno = 5;
    expect_is(co_http_get("nonsense", &resp), -EINVAL);
    expect_is(co_http_get("http://nowhere.test/", &resp), -CO_ENOHOST);
    expect_is(co_queue_try_get(&queue, &item), -EAGAIN);
    expect_is(co_queue_task_done(&queue), -EINVAL);
    expect_is(co_run(notes_errno, NULL, NULL), -EALREADY);
    expect_is(errno, 5);
    return 0;
}

static void errors_do_not_set_errno(void **state)
{
    (void)state;
    assert_int_equal(run(fails_in_every_call, NULL), 0);
}

/* ---- The floating-point modes --------------------------------------------------------------------------- */

static volatile double one = 1.0, three = 3.0;
static volatile long double long_one = 1.0L, seven = 7.0L;

/* Do fractions come out rounded up? By the CPU's vector unit and by the x87, which have a mode each. */
static int rounds_up(void)
{
    double third = one / three;
    long double seventh = long_one / seven;
    bool up = third > 0x1.5555555555555p-2;             /* the constants are rounded to nearest */
    bool long_up = seventh > 1.0L / 7.0L;
    expect_is(up, LDBL_MANT_DIG == 64 ? long_up : up);
    return up;
}

static int rounds_in(void *job)
{
    int way = (int)(intptr_t)job;
    expect_is(fegetround(), FE_TONEAREST);              /* a new task begins as co_run did */
    expect_is(fetestexcept(FE_ALL_EXCEPT), 0);
    expect_is(fesetround(way), 0);
    for (int i = 0; i < 4; i++) {
        expect_is(co_sleep(CO_MS(way == FE_UPWARD ? 3 : 5)), 0);
        expect_is(fegetround(), way);
        expect_is(rounds_up(), way == FE_UPWARD);
        expect_is(co_yield(), 0);
        expect_is(rounds_up(), way == FE_UPWARD);
    }
    return 0;                                           /* it ends with its mode set: nobody inherits that */
}

static int leaves_a_mark(void *job)
{
    (void)job;
    feclearexcept(FE_ALL_EXCEPT);
    expect_is(feraiseexcept(FE_DIVBYZERO), 0);
    expect_is(co_sleep(CO_MS(4)), 0);
    expect_is(fetestexcept(FE_DIVBYZERO | FE_OVERFLOW), FE_DIVBYZERO);
    return 0;
}

static int sees_no_mark(void *job)
{
    (void)job;
    expect_is(fetestexcept(FE_ALL_EXCEPT), 0);
    expect_is(co_sleep(CO_MS(2)), 0);
    expect_is(fetestexcept(FE_DIVBYZERO), 0);
    expect_is(feraiseexcept(FE_OVERFLOW), 0);
    return co_sleep(CO_MS(4));
}

static int in_a_worker(void *job)
{
    (void)job;
    return fesetround(FE_DOWNWARD);
}

static int many_modes(void *job)
{
    (void)job;
    expect_is(fesetround(FE_TOWARDZERO), 0);
    CO_GROUP(group);
    co_spawn(&group, rounds_in, (void *)(intptr_t)FE_UPWARD);
    co_spawn(&group, rounds_in, (void *)(intptr_t)FE_TONEAREST);
    co_spawn(&group, rounds_in, (void *)(intptr_t)FE_DOWNWARD);
    co_spawn(&group, leaves_a_mark, NULL);
    co_spawn(&group, sees_no_mark, NULL);
    expect_is(co_to_thread(in_a_worker, NULL), 0);
    expect_is(co_join(&group), 0);
    expect_is(fegetround(), FE_TOWARDZERO);
    return 0;
}

static void each_task_has_its_own_floating_point_modes(void **state)
{
    (void)state;
    if (UNDER_VALGRIND)
        skip();                                         /* it rounds to nearest, always */
    feclearexcept(FE_ALL_EXCEPT);
    assert_int_equal(run(many_modes, NULL), 0);
    assert_int_equal(fegetround(), FE_TONEAREST);       /* nor does the program outside inherit one */
    free(traced(many_modes, NULL));
}

#ifdef __x86_64__
static int traps_division(void *job)
{
    (void)job;
    expect(feenableexcept(FE_DIVBYZERO) >= 0);
    expect_is(co_sleep(CO_MS(2)), 0);
    expect_is(fegetexcept(), FE_DIVBYZERO);
    return 0;
}

static int divides(void *job)
{
    (void)job;
    volatile double zero = 0;
    for (int i = 0; i < 3; i++) {
        expect(one / zero > 1e300);                     /* no trap here, though the other one has set it */
        expect_is(co_sleep(CO_MS(1)), 0);
    }
    return 0;
}

static int trap_beside_division(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_spawn(&group, traps_division, NULL);
    co_spawn(&group, divides, NULL);
    return co_join(&group);
}

static void a_trap_is_one_tasks_own(void **state)
{
    (void)state;
    assert_int_equal(forked(trap_beside_division, NULL)->rc, 0);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flow_gets_its_argument_and_an_aligned_stack),
        cmocka_unit_test(a_flow_may_leave_for_good),
        cmocka_unit_test(registers_and_stack_survive_a_switch),
        cmocka_unit_test(floating_point_and_varargs_work_in_a_task),
        cmocka_unit_test(errno_is_kept_per_task),
        cmocka_unit_test(a_new_task_does_not_see_the_errno_of_another),
        cmocka_unit_test(errors_do_not_set_errno),
        cmocka_unit_test(each_task_has_its_own_floating_point_modes),
#ifdef __x86_64__
        cmocka_unit_test(a_trap_is_one_tasks_own),
#endif
    };
    return cmocka_run_group_tests_name("context", tests, NULL, NULL);
}
