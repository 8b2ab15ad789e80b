/* test_overflow.c - a stack that is full is named, with task, spawn site and size; other faults stay what they are. */
#include "check.h"

#include "runtime/state/loop.h"

#define report_of(fn, size) \
    child_of_run(NULL, (fn), NULL, (struct co_options){.program = "prog", .stack_size = (size)}, #fn)

static volatile int sink;

static int dig(int depth)
{
    volatile char frame[200];
    frame[depth % 200] = (char)depth;
    if (depth < 0)                              /* never: but the compiler does not know */
        return 0;
    return dig(depth + 1) + frame[0];
}

static int digs(void *job)
{
    sink = dig((int)(intptr_t)job);
    return 0;
}

static int spawns_a_digger(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_spawn(&group, sleeper, MSEC(1));
    co_spawn(&group, digs, MSEC(0)), MARK(0);
    return co_join(&group);
}

static void endless_recursion_is_named(void **state)
{
    (void)state;
    if (UNDER_VALGRIND)
        skip();                                 /* its own idea of a stack overflow comes first */
    struct child *child = report_of(spawns_a_digger, 0);
    assert_int_equal(child->rc, NOT_BACK);
    assert_int_equal(child->signal, 0);
    assert_int_equal(child->exit_code, 70);
    assert_has(child->err, "prog: stack overflow at test_overflow.c:1");         /* in dig() */
    assert_has(child->err, " in task 3 digs, spawned at test_overflow.c:%d: its stack of 256 KiB is full",
               board->line[0]);
    assert_has(child->err, "endless recursion");
}

static void the_size_asked_for_is_the_one_named(void **state)
{
    (void)state;
    if (UNDER_VALGRIND)
        skip();
    assert_has(report_of(spawns_a_digger, 64 * 1024)->err, "its stack of 64 KiB is full");
    assert_has(report_of(spawns_a_digger, 1024 * 1024)->err, "its stack of 1024 KiB is full");
}

static void the_main_task_has_a_guard_too(void **state)
{
    (void)state;
    if (UNDER_VALGRIND)
        skip();
    struct child *child = report_of(digs, 0);
    assert_int_equal(child->exit_code, 70);
    assert_has(child->err, " in task 1 digs, spawned at check.h:");
}

static void an_overflow_is_traced(void **state)
{
    (void)state;
    if (UNDER_VALGRIND)
        skip();
    char path[64];
    write_temp(path, "");
    struct child *child = forked_with(((struct co_options){.trace_file = path}), spawns_a_digger, NULL);
    assert_int_equal(child->exit_code, 70);
    char *trace = only(take_file(path), "runtime");
    const char *last = strstr(trace, "{\"t\":0,\"ev\":\"overflow\"");
    assert_has(last, "{\"t\":0,\"ev\":\"overflow\",\"task\":3,\"name\":\"digs\",\"at\":\"test_overflow.c:1");
    assert_has(last, "\"size\":262144}\n");
    assert_int_equal(count_of(last, "\n"), 1);
    free(trace);
}

/* A worker's job runs on a stack of the loop's; its overflow must not be a bare crash either. */
static int digs_on_a_worker(void *job)
{
    (void)job;
    return co_to_thread(digs, MSEC(0));
}

static void an_overflow_in_a_job_ends_the_program(void **state)
{
    (void)state;
    if (UNDER_VALGRIND || UNDER_ASAN || UNDER_TSAN)
        skip();                                 /* on the thread's own stack: their report */
    struct child *child = report_of(digs_on_a_worker, 0);
    assert_int_equal(child->rc, NOT_BACK);
    assert_true(child->signal == SIGSEGV || child->exit_code == 70);
}

/* ---- Without a guard page ---------------------------------------------------------------------------------------- */

/* Fills all of its stack and a little more, and comes back up. */
static int dig_below(uintptr_t stop)
{
    volatile char frame[512];
    for (size_t i = 0; i < sizeof frame; i++)
        frame[i] = 1;
    if ((uintptr_t)frame < stop)
        return 1;
    return dig_below(stop) + frame[0];
}

static int overflows_slightly(void *job)
{
    sink = dig_below((uintptr_t)__builtin_frame_address(0) - 256 * 1024 - 512);
    return job ? co_yield() : 0;                /* found out when it waits, or when it ends */
}

/* Makes the runtime believe that guards have run out. */
static int has_no_guards(void *job)
{
    co__loop->stacks.light_guards = false;
    co__loop->stacks.made = 1000000;
    CO_GROUP(group);
    for (int i = 0; i < 20; i++)
        co_spawn(&group, sleeper, MSEC(1));
    co_spawn(&group, overflows_slightly, job);
    return co_join(&group);
}

static void a_canary_tells_where_there_is_no_guard(void **state)
{
    (void)state;
    if (UNDER_ASAN || UNDER_TSAN || UNDER_VALGRIND)
        skip();
    for (int waits = 0; waits < 2; waits++) {
        struct child *child = forked(has_no_guards, waits ? "waits" : NULL);
        assert_int_equal(child->exit_code, 70);
        assert_has(child->err, "stack overflow");
        assert_has(child->err, "in task 22 overflows_slightly, spawned at test_overflow.c:");
    }
}

/* ---- Other faults ------------------------------------------------------------------------------------------------ */

static int reads_null(void *job)
{
    return *(volatile int *)job;
}

static void a_null_pointer_is_a_segfault_as_ever(void **state)
{
    (void)state;
    if (UNDER_ASAN || UNDER_TSAN)
        skip();                                 /* there it is a report of the sanitizer */
    struct child *child = report_of(reads_null, 0);
    assert_int_equal(child->signal, SIGSEGV);
    assert_has_not(child->err, "stack overflow");
}

static int crashes_traced(void *job)
{
    if (co_sleep(CO_MS(1)) < 0)
        return -1;
    MARK(0); return *(volatile int *)job;
}

static void the_trace_is_kept_up_to_a_crash(void **state)
{
    (void)state;
    if (UNDER_ASAN || UNDER_TSAN)
        skip();
    char path[64];
    write_temp(path, "");
    struct child *child = forked_with(((struct co_options){.trace_file = path}), crashes_traced, NULL);
    assert_int_equal(child->signal, SIGSEGV);
    char *trace = take_file(path);
    assert_has(trace, "{\"t\":1000000,\"from\":\"runtime\",\"ev\":\"run\",\"task\":1}\n");
    assert_has(trace,
               "{\"t\":1000000,\"from\":\"runtime\",\"ev\":\"crash\",\"signal\":11,\"src\":\"test_overflow.c:%d\"}\n",
               board->line[0]);
    assert_has_not(trace, "\"ev\":\"end\"");
    free(trace);
}

/* A signal that was sent, and is no fault of an instruction, ends the program as well. */
static int raises(void *job)
{
    (void)job;
    raise(SIGSEGV);
    return 0;
}

static void a_signal_that_is_raised_is_not_swallowed(void **state)
{
    (void)state;
    if (UNDER_ASAN || UNDER_TSAN)
        skip();
    struct child *child = report_of(raises, 0);
    assert_int_equal(child->signal, SIGSEGV);
}

static void on_segv(int number)
{
    (void)number;
    _exit(33);
}

static int returns_0(void *job)
{
    (void)job;
    return 0;
}

static void a_run_gives_the_signal_handlers_back(void **state)
{
    (void)state;
    struct sigaction mine = {.sa_handler = on_segv}, before, after;
    stack_t stack_before, stack_after;
    assert_int_equal(sigaltstack(NULL, &stack_before), 0);
    assert_int_equal(sigaction(SIGSEGV, &mine, &before), 0);
    assert_int_equal(run(returns_0, NULL), 0);
    assert_int_equal(sigaction(SIGSEGV, &before, &after), 0);
    assert_true(after.sa_handler == on_segv);
    assert_int_equal(sigaltstack(NULL, &stack_after), 0);
    assert_int_equal(stack_after.ss_flags, stack_before.ss_flags);
    if (!(stack_before.ss_flags & SS_DISABLE))
        assert_ptr_equal(stack_after.ss_sp, stack_before.ss_sp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(endless_recursion_is_named),
        cmocka_unit_test(the_size_asked_for_is_the_one_named),
        cmocka_unit_test(the_main_task_has_a_guard_too),
        cmocka_unit_test(an_overflow_is_traced),
        cmocka_unit_test(an_overflow_in_a_job_ends_the_program),
        cmocka_unit_test(a_canary_tells_where_there_is_no_guard),
        cmocka_unit_test(a_null_pointer_is_a_segfault_as_ever),
        cmocka_unit_test(the_trace_is_kept_up_to_a_crash),
        cmocka_unit_test(a_signal_that_is_raised_is_not_swallowed),
        cmocka_unit_test(a_run_gives_the_signal_handlers_back),
    };
    return cmocka_run_group_tests_name("overflow", tests, NULL, NULL);
}
