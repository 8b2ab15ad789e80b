/* test_leak.c - what is never awaited, freed, released or ended is reported, with its line. */
#include "check.h"

#define report_of(world, fn) child_of_run((world), (fn), NULL, (struct co_options){.program = "prog"}, #fn)

static const char one_site[] = "{\"world\":\"looplab/world/v1\",\"sites\":[{\"url\":\"http://a.test\",\"routes\":["
                               "{\"path\":\"/\",\"body\":\"hello\"}]}]}";

static int nothing(void *job)
{
    (void)job;
    return 3;
}

/* ---- Tasks ------------------------------------------------------------------------------------------------- */

static int never_awaits(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_spawn(&group, nothing, NULL), MARK(0);
    return 8;
}

static void a_task_that_nobody_awaited_is_a_leak(void **state)
{
    (void)state;
    struct child *child = report_of(NULL, never_awaits);
    assert_int_equal(child->rc, 8);
    assert_has(child->err, "prog: leak: task 2 nothing, spawned at test_leak.c:%d, ended, and nobody ever awaited it: "
                           "use co_join or co_await\n", board->line[0]);
    assert_int_equal(count_of(child->err, "\n"), 1);
}

static int awaits_one_of_two(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_task *first = co_spawn(&group, nothing, NULL);
    co_spawn(&group, nothing, NULL), MARK(0);
    return co_await(first, NULL);
}

static int never_hands_out_the_last(void *job)
{
    (void)job;
    co_task *done;
    CO_GROUP(group);
    co_spawn(&group, nothing, NULL);
    co_spawn(&group, nothing, NULL), MARK(0);
    return co_next_done(&group, &done);
}

static void only_what_was_not_awaited_is_a_leak(void **state)
{
    (void)state;
    struct child *child = report_of(NULL, awaits_one_of_two);
    assert_has(child->err, "leak: task 3 nothing, spawned at test_leak.c:%d,", board->line[0]);
    assert_int_equal(count_of(child->err, "\n"), 1);
    child = report_of(NULL, never_hands_out_the_last);
    assert_has(child->err, "leak: task 3 nothing, spawned at test_leak.c:%d,", board->line[0]);
    assert_int_equal(count_of(child->err, "\n"), 1);
}

static int every_way_of_noticing(void *job)
{
    (void)job;
    co_task *done, *task;
    char jobs[3];
    int rcs[3];
    { CO_GROUP(group); co_spawn(&group, nothing, NULL); expect_is(co_join(&group), 0); }
    { CO_GROUP(group); co_spawn(&group, nothing, NULL); expect_is(co_next_done(&group, &done), 1); }
    { CO_GROUP(group); task = co_spawn(&group, nothing, NULL); expect_is(co_await(task, NULL), 0); }
    { CO_GROUP(group); task = co_spawn(&group, nothing, NULL);
     expect_is(co_wait(&task, 1, CO_ALL_COMPLETED, CO_FOREVER), 1); }
    { CO_GROUP(group); task = co_spawn(&group, nothing, NULL); co_yield(); expect_is(co_result(task), 3); }
    expect_is(co_gather(nothing, jobs, 3, 1, rcs), 0);
    expect_is(co_gather(nothing, jobs, 3, 1, NULL), 0);
    return 0;
}

static void each_way_of_noticing_a_tasks_end_counts(void **state)
{
    (void)state;
    struct child *child = report_of(NULL, every_way_of_noticing);
    assert_int_equal(child->rc, 0);
    assert_string_equal(child->err, "");
}

static int leaks_many(void *job)
{
    (void)job;
    for (int i = 0; i < 25; i++) {
        CO_GROUP(group);
        co_spawn(&group, nothing, NULL);
    }
    return 0;
}

static void of_many_leaks_ten_are_told(void **state)
{
    (void)state;
    struct child *child = report_of(NULL, leaks_many);
    assert_int_equal(count_of(child->err, "leak: task"), 10);
    assert_has(child->err, "prog: leak: ... and 15 more\n");
    assert_int_equal(count_of(child->err, "\n"), 11);
}

/* ---- Answers -------------------------------------------------------------------------------------------------- */

static int frees_one_of_three(void *job)
{
    (void)job;
    static struct co_response responses[3];
    int rc = co_http_get("http://a.test/", &responses[0]); MARK(0);
    expect_is(rc, 0);
    rc = co_http_get("http://a.test/", &responses[1]);
    expect_is(rc, 0);
    rc = http_get_blocking("http://a.test/", &responses[2]); MARK(1);
    expect_is(rc, 0);
    co_response_free(&responses[1]);
    return 0;
}

static void an_answer_that_is_never_freed_is_a_leak(void **state)
{
    (void)state;
    struct child *child = report_of(one_site, frees_one_of_three);
    assert_int_equal(child->rc, 0);
    assert_has(child->err, "prog: leak: the response of test_leak.c:%d was never freed: use co_response_free\n",
               board->line[0]);
    assert_has(child->err, "prog: leak: the response of test_leak.c:%d was never freed", board->line[1]);
    assert_int_equal(count_of(child->err, "\n"), 2);
}

static struct co_response kept;
static int keeps_it(void *job)
{
    (void)job;
    return co_http_get("http://a.test/", &kept);
}

/* Two runs in one child, and an answer that is freed between them. */
static int returns_0(void *job)
{
    (void)job;
    return 0;
}

static _Noreturn void child_of_two_runs(void)
{
    int rc = run_with(one_site, keeps_it, NULL, (struct co_options){.program = "first"}, "keeps_it");
    co_response_free(&kept);                    /* too late for the report, but no crash */
    if (rc == 0)
        rc = run_with(one_site, returns_0, NULL, (struct co_options){.program = "second"}, "returns_0");
    fflush(stderr);
    _exit(rc == 0 ? 0 : 1);
}

static void a_run_is_not_blamed_for_the_one_before(void **state)
{
    (void)state;
    char path[64], *err;
    int status;
    write_temp(path, "");
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGSEGV, SIG_DFL);
        if (!freopen(path, "w", stderr))
            _exit(99);
        child_of_two_runs();
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    err = take_file(path);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("status %d: %s", status, err);
    assert_int_equal(count_of(err, "leak: the response"), 1);
    assert_has(err, "first: leak: the response");
    free(err);
}

/* ---- Locks, timeouts, shields ------------------------------------------------------------------------------------ */

static struct co_lock lock, other;
static int keeps_locks(void *job)
{
    (void)job;
    int rc = co_lock_acquire(&lock); MARK(0);
    expect_is(rc, 0);
    rc = co_lock_acquire(&other); MARK(1);
    return rc;
}

static void a_lock_that_is_never_released_is_a_leak(void **state)
{
    (void)state;
    struct child *child = report_of(NULL, keeps_locks);
    assert_has(child->err, "prog: leak: the lock of test_leak.c:%d was never released\n", board->line[0]);
    assert_has(child->err, "prog: leak: the lock of test_leak.c:%d was never released\n", board->line[1]);
    assert_int_equal(count_of(child->err, "\n"), 2);
}

static int forgets_scopes(void *job)
{
    (void)job;
    static struct co_timeout limit, second;
    static struct co_shield shield;
    co_timeout_begin(&limit, CO_SEC(1)), MARK(0);
    co_shield_begin(&shield), MARK(1);
    co_timeout_begin(&second, 0), MARK(2);
    return 0;
}

static int spawns_forgetful(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_spawn(&group, forgets_scopes, NULL);
    expect_is(co_join(&group), 0);
    return co_sleep(CO_SEC(5));                 /* its timer strikes nobody */
}

static void a_timeout_or_shield_that_is_never_ended_is_a_leak(void **state)
{
    (void)state;
    struct child *child = report_of(NULL, spawns_forgetful);
    assert_int_equal(child->rc, 0);
    assert_has(child->err, "prog: leak: the timeout of test_leak.c:%d was never ended\n", board->line[0]);
    assert_has(child->err, "prog: leak: the shield of test_leak.c:%d was never ended\n", board->line[1]);
    assert_has(child->err, "prog: leak: the timeout of test_leak.c:%d was never ended\n", board->line[2]);
    assert_int_equal(count_of(child->err, "\n"), 3);
}

/* ---- The trace --------------------------------------------------------------------------------------------------- */

static int leaks_everything(void *job)
{
    (void)job;
    static struct co_response resp;
    expect_is(co_http_get("http://a.test/", &resp), 0);
    lock = (struct co_lock)CO_LOCK_INIT;
    expect_is(co_lock_acquire(&lock), 0);
    {
        CO_GROUP(group);
        co_spawn(&group, nothing, NULL);
    }
    return 0;
}

static void leaks_are_traced(void **state)
{
    (void)state;
    char path[64], *trace;
    write_temp(path, "");
    child_of_run(one_site, leaks_everything, NULL, (struct co_options){.trace_file = path}, "leaks_everything");
    trace = only(take_file(path), "runtime");
    assert_has(trace, "{\"t\":0,\"ev\":\"leak\",\"what\":\"task\",\"task\":2,\"name\":\"nothing\"}\n");
    assert_string_equal(strstr(trace, "{\"t\":0,\"ev\":\"done\",\"task\":1"),
        "{\"t\":0,\"ev\":\"done\",\"task\":1,\"rc\":0}\n"
        "{\"t\":0,\"ev\":\"leak\",\"what\":\"response\"}\n"
        "{\"t\":0,\"ev\":\"leak\",\"what\":\"lock\"}\n"
        "{\"t\":0,\"ev\":\"end\",\"rc\":0}\n");
    free(trace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_task_that_nobody_awaited_is_a_leak),
        cmocka_unit_test(only_what_was_not_awaited_is_a_leak),
        cmocka_unit_test(each_way_of_noticing_a_tasks_end_counts),
        cmocka_unit_test(of_many_leaks_ten_are_told),
        cmocka_unit_test(an_answer_that_is_never_freed_is_a_leak),
        cmocka_unit_test(a_run_is_not_blamed_for_the_one_before),
        cmocka_unit_test(a_lock_that_is_never_released_is_a_leak),
        cmocka_unit_test(a_timeout_or_shield_that_is_never_ended_is_a_leak),
        cmocka_unit_test(leaks_are_traced),
    };
    return cmocka_run_group_tests_name("leak", tests, NULL, NULL);
}
