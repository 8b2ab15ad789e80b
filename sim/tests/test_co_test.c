/* Tests of tests (co_test.h): which verdict each end of a test gets, what mocks answer, what the world saw. */
#include "check.h"
#include "co_test.h"

#include <getopt.h>

#define URL "http://a.test/x"

/* ---- Tests that end in all ways ----------------------------------------------------------------- */
/* Each is run by one of cmocka's tests below. They are in the order in which they stand here. */

static int get(const char *url)
{
    CO_RESPONSE(resp);
    int rc = co_http_get(url, &resp);
    return rc < 0 ? rc : resp.status;
}

static int passes_so_far;       /* lives on from test to test while they share a process */

CO_TEST(passes_first)
{
    passes_so_far++;
    mock_get(URL, .delay = CO_MS(300));
    assert_int_equal(get(URL), 200);
    assert_int_equal(co_now(), CO_MS(300));
}

CO_TEST(passes_second)
{
    assert_int_equal(passes_so_far, 1);             /* the same process */
    assert_int_equal(co_now(), 0);                  /* another loop, another world */
    assert_int_equal(mock_requests(NULL), 0);
    mock_get(URL, .status = 201);
    assert_int_equal(get(URL), 201);
    fprintf(stderr, "said by the second\n");
}

CO_TEST(fails)
{
    assert_int_equal(1, 2);
    board->failures++;                              /* never reached */
}

CO_TEST(passes_behind)
{
    assert_int_equal(passes_so_far, 0);             /* another process */
}

static int asserting_task(void *job)
{
    (void)job;
    assert_string_equal("in a task", "elsewhere");
    return 0;
}

CO_TEST(fails_in_a_task)
{
    CO_GROUP(group);
    co_spawn(&group, asserting_task, NULL);
    (void)!co_join(&group);
    board->failures++;
}

CO_TEST(deadlocks)
{
    struct co_event never = CO_EVENT_INIT;
    int rc = co_event_wait(&never);
    assert_int_equal(rc, 0);
}

CO_TEST(deadlocks_and_says_nothing)
{
    struct co_event never = CO_EVENT_INIT;
    (void)!co_event_wait(&never);
}

CO_TEST(leaks)
{
    struct co_response resp;
    mock_get(URL, .body = "never freed");
    (void)!co_http_get(URL, &resp);
}

CO_TEST(exits)
{
    exit(0);
}

CO_TEST(exits_at_once)
{
    _exit(0);
}

CO_TEST(pretends)
{
    fprintf(stderr, "0x1 != 0x2\n[   LINE   ] --- x.c:1: error: Failure!\n");
    exit(0);
}

CO_TEST(crashes)
{
    signal(SIGSEGV, SIG_DFL);                       /* cmocka, in whose test we run, would catch it */
    raise(SIGSEGV);
}

CO_TEST(turns_in_a_circle)
{
    for (;;)
        co_yield();
}

CO_TEST(mocks_too_late)
{
    mock_get(URL);
    (void)!co_sleep(1);
    mock_get(URL "/2");
}

CO_TEST(mocks_twice)
{
    mock_get(URL);
    mock_get(URL, .status = 404);
}

CO_TEST(mocks_no_url)
{
    mock_get("a.test/x");
}

CO_TEST(mocks_a_host_that_is_none)
{
    mock_get(URL);
    mock_get(URL "/2", .error = -CO_ENOHOST);
}

CO_TEST(mocks_no_status)
{
    mock_get(URL, .status = 77);
    get(URL);
}

/* ---- Tests of mocks ------------------------------------------------------------------------------ */

CO_TEST(mocks_of_all_kinds)
{
    static const char bytes[] = {'\xff', '\0', '\xfe', 'a'};
    mock_get("http://a.test");
    mock_get("http://a.test/bytes", .body = bytes, .length = sizeof bytes, .status = 404, .delay = CO_MS(7));
    mock_get("http://a.test/list?page=2", .body = "two");
    mock_get("http://a.test/drips", .body = "abc", .delay = CO_MS(100), .every = CO_MS(10));
    mock_get("http://a.test/from", .redirect = "http://b.test:8080/to", .delay = CO_MS(20));
    mock_get("http://b.test:8080/to", .body = "there", .delay = CO_MS(30));
    mock_get("http://a.test/reset", .error = -ECONNRESET, .delay = CO_MS(40));
    mock_get("http://a.test/cut", .error = -EPROTO, .delay = CO_MS(50), .body = "half of this");
    mock_get("http://closed.test/", .error = -ECONNREFUSED);
    mock_get("http://nowhere.test/", .error = -CO_ENOHOST);

    struct co_response resp;
    assert_int_equal(co_http_get("http://a.test/bytes", &resp), 0);
    assert_int_equal(resp.status, 404);
    assert_int_equal(resp.length, sizeof bytes);
    assert_memory_equal(resp.body, bytes, sizeof bytes);
    co_response_free(&resp);
    assert_int_equal(co_http_get("http://a.test/from", &resp), 0);
    assert_string_equal(resp.body, "there");
    co_response_free(&resp);
    assert_int_equal(co_http_get("http://a.test/drips", &resp), 0);
    assert_string_equal(resp.body, "abc");
    co_response_free(&resp);
    assert_int_equal(co_now(), CO_MS(7 + 20 + 30 + 100 + 3 * 10));
    assert_int_equal(mock_requests("http://a.test/from") + mock_requests("http://b.test:8080/to"), 2);

    assert_int_equal(get("http://a.test/"), 200);               /* the same as without the stroke */
    assert_int_equal(mock_requests("http://a.test"), 1);
    assert_int_equal(get("http://a.test/list?page=2"), 200);
    assert_int_equal(get("http://a.test/reset"), -ECONNRESET);
    assert_int_equal(get("http://a.test/cut"), -EPROTO);
    assert_int_equal(get("http://closed.test/"), -ECONNREFUSED);
    assert_int_equal(get("http://nowhere.test/"), -CO_ENOHOST);
    assert_int_equal(get("http://a.test/not-mocked"), 404);
    assert_int_equal(get("http://not-mocked.test/"), -CO_ENOHOST);
}

CO_TEST(an_answer_that_has_no_body_is_sent_without)
{
    mock_get("http://a.test/204", .status = 204, .body = "never sent");
    mock_get("http://a.test/304", .status = 304, .body = "never sent", .length = 4);
    for (int status = 204; status <= 304; status += 100) {
        struct co_response resp;
        assert_int_equal(co_http_get(status == 204 ? "http://a.test/204" : "http://a.test/304", &resp), 0);
        assert_int_equal(resp.status, status);
        assert_int_equal(resp.length, 0);
        co_response_free(&resp);
    }
}

static int get_job(void *job)
{
    int rc = get(job);
    return rc < 0 ? rc : 0;
}

CO_TEST(what_the_world_saw)
{
    static char a[] = "http://a.test/a", b[] = "http://a.test/b", hangs[] = "http://a.test/hangs";
    mock_get(a, .delay = CO_MS(100));
    mock_get(b, .delay = CO_MS(250));
    mock_get(hangs, .delay = CO_FOREVER);
    assert_int_equal(mock_begun_at(a), -1);
    assert_int_equal(mock_ended_at(a), -1);
    assert_int_equal(co_sleep(CO_MS(10)), 0);

    CO_GROUP(group);
    co_spawn(&group, get_job, a);
    co_spawn(&group, get_job, b);
    co_task *never = co_spawn(&group, get_job, hangs);
    assert_int_equal(co_sleep(CO_MS(150)), 0);

    assert_int_equal(mock_in_flight(NULL), 2);
    assert_int_equal(mock_in_flight(a), 0);
    assert_int_equal(mock_ended_at(a), CO_MS(110));
    assert_int_equal(mock_ended_at(b), -1);
    co_cancel(never);
    assert_int_equal(co_await(never, NULL), 0);
    assert_int_equal(mock_ended_at(hangs), CO_MS(160));
    assert_int_equal(mock_given_up(hangs), 1);
    co_spawn(&group, get_job, a);
    assert_int_equal(co_join(&group), 0);

    assert_int_equal(mock_requests(NULL), 4);
    assert_int_equal(mock_requests(a), 2);
    assert_int_equal(mock_begun_at(a), CO_MS(10));              /* the first one */
    assert_int_equal(mock_ended_at(a), CO_MS(260));             /* the last one  */
    assert_int_equal(mock_given_up(NULL), 1);
    assert_int_equal(mock_peak(), 3);
    assert_int_equal(mock_in_flight(NULL), 0);
}

/* One that ends at the instant at which the next begins: never both. */
CO_TEST(one_after_the_other)
{
    mock_get(URL, .delay = CO_MS(100));
    for (int i = 0; i < 3; i++)
        assert_int_equal(get(URL), 200);
    assert_int_equal(mock_peak(), 1);
}

/* ---- What becomes of them -------------------------------------------------------------------------- */

/* Runs the tests named, up to a NULL. */
static struct co_test_result *run_named(const char *const names[])
{
    static struct co_test_result results[16];
    const struct co_test *tests[16];
    size_t n = 0;
    board_clear();
    for (; names[n]; n++)
        assert_non_null(tests[n] = co_test_find(names[n]));
    assert_int_equal(co_test_run(tests, results, n, NULL), 0);
    assert_int_equal(board->failures, 0);           /* nothing behind a failed assertion was run */
    return results;
}

static void drop(struct co_test_result results[], size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(results[i].said);
}

/* One test has this verdict, and says this. */
static void check_verdict(const char *name, const char *verdict, const char *piece)
{
    struct co_test_result *result = run_named((const char *const[]){name, NULL});
    if (strcmp(result->verdict, verdict) != 0)
        fail_msg("%s: the verdict is %s, not %s; it said: %s", name, result->verdict, verdict, result->said);
    if (piece)
        assert_has(result->said, "%s", piece);
    drop(result, 1);
}

static void test_a_failure_costs_only_itself(void **state)
{
    (void)state;
    struct co_test_result *results =
        run_named((const char *const[]){"passes_first", "passes_second", "fails", "passes_behind", NULL});
    static const char *const verdicts[] = {"passed", "passed", "assertion", "passed"};
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(results[i].verdict, verdicts[i]);
    assert_string_equal(results[0].said, "");
    assert_string_equal(results[1].said, "said by the second\n");
    assert_has(results[2].said, "0x1 != 0x2");
    assert_has(results[2].said, "%s:%d: error: Failure!", __FILE__, results[2].test->line + 2);
    drop(results, 4);
}

static void test_verdicts(void **state)
{
    (void)state;
    check_verdict("fails_in_a_task", "assertion", "\"in a task\" != \"elsewhere\"");
    check_verdict("deadlocks", "deadlock", "nothing can ever wake it");
    check_verdict("deadlocks_and_says_nothing", "deadlock", "nothing can ever wake it");
    check_verdict("leaks", "leak", "never freed");
    check_verdict("exits", "ended", NULL);
    check_verdict("exits_at_once", "crash", "it ended the program");
    check_verdict("pretends", "ended", NULL);
    check_verdict("turns_in_a_circle", "crash", "livelock");
}

static void test_a_crash(void **state)
{
    (void)state;
    if (UNDER_ASAN || UNDER_TSAN)
        skip();                                     /* they catch it themselves, and say so */
    check_verdict("crashes", "crash", NULL);
}

static void test_wrong_mocks(void **state)
{
    (void)state;
    check_verdict("mocks_too_late", "assertion", "comes too late");
    check_verdict("mocks_twice", "assertion", "is mocked already");
    check_verdict("mocks_no_url", "assertion", "is no URL");
    check_verdict("mocks_a_host_that_is_none", "assertion", "either a host exists");
    check_verdict("mocks_no_status", "assertion", "expected the HTTP status");
}

static void test_mocks(void **state)
{
    (void)state;
    check_verdict("mocks_of_all_kinds", "passed", NULL);
    check_verdict("an_answer_that_has_no_body_is_sent_without", "passed", NULL);
    check_verdict("what_the_world_saw", "passed", NULL);
    check_verdict("one_after_the_other", "passed", NULL);
}

/* ---- The command line -------------------------------------------------------------------------------- */

static int shown;

static int count_failed(const struct co_test_result results[], size_t n)
{
    int failed = 0;
    for (size_t i = 0; i < n; i++)
        failed += strcmp(results[i].verdict, "passed") != 0;
    shown += (int)n;
    return failed;
}

static int run_command(const char *const words[])
{
    char *argv[8] = {(char *)(uintptr_t)"program"};
    int argc = 1;
    for (; words[argc - 1]; argc++)
        argv[argc] = (char *)(uintptr_t)words[argc - 1];
    optind = 0;                                     /* getopt begins anew */
    return co_test_main(argc, argv, "program", count_failed);
}
#define command(...) run_command((const char *const[]){__VA_ARGS__, NULL})

static void test_command_line(void **state)
{
    (void)state;
    board_clear();
    shown = 0;
    assert_int_equal(command("passes_first", "passes_second"), 0);
    assert_int_equal(command("fails", "passes_behind"), 1);
    assert_int_equal(shown, 4);
    assert_int_equal(command("no_such_test"), 2);
    assert_int_equal(command("--no-such-option"), 2);
    assert_int_equal(command("--trace"), 2);
}

/* What a grader reads: each line is written at once, so that it is there whatever comes next. */
static void test_results_file(void **state)
{
    (void)state;
    char path[64];
    write_temp(path, "");
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(command("--results", path, "passes_first", "fails", "passes_behind"));
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    char *text = take_file(path);
    assert_has(text, "{\"suite\":\"looplab/suite/v1\",\"tests\":[{\"name\":\"passes_first\"");
    assert_has(text,
               "{\"begin\":\"passes_first\"}\n{\"test\":\"passes_first\",\"verdict\":\"passed\",\"requests\":1,"
               "\"peak\":1,\"errors\":0,"
                     "\"given_up\":0,\"blocked\":false,\"took\":300000000,\"statuses\":[200],\"said\":\"\"}\n"
                     "{\"begin\":\"fails\"}\n");
    assert_has(text, "{\"test\":\"fails\",\"verdict\":\"assertion\"");
    assert_has_not(text, "\"begin\":\"passes_behind\"");
    assert_has_not(text, "\"end\"");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_failure_costs_only_itself),
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_a_crash),
        cmocka_unit_test(test_wrong_mocks),
        cmocka_unit_test(test_mocks),
        cmocka_unit_test(test_command_line),
        cmocka_unit_test(test_results_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
