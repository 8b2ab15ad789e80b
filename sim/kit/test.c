/* test.c - what stands behind co_test.h: tests that run each in a loop of its own (and in a world of its own: mock.c).
 *
 * An assertion of cmocka leaves a failed test with a longjmp. In a task that would jump from one stack to another and
 * leave a loop behind with tasks in it, so here nothing jumps: cmocka is told to abort instead (CMOCKA_TEST_ABORT, its
 * own switch for debuggers). The abort is caught, the verdict is written down, and the process ends. So a failure in
 * any task, in a callback or in a signal is one and the same thing, and what follows it cannot be damaged by it: the
 * remaining tests run in another process. Tests that pass share a process, as in any other suite.
 *
 * Nothing in here needs cmocka; only the program does, in which the assertions stand.
 */
#define _GNU_SOURCE
#include "test.h"

#include "forks.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <getopt.h>
#include <jansson.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

void __gcov_dump(void) __attribute__((weak));

enum { TEXT_SIZE = 16384, LINE_SIZE = 2 * TEXT_SIZE, CPU_SECONDS = 10 };

/* What is said on stderr during a test. In memory that a child shares, so that it outlives it. */
struct said {
    size_t length;
    char text[TEXT_SIZE];
};

/* The test under way. */
static struct {
    const struct co_test *test;     /* NULL: none */
    int results;                    /* where the verdicts go */
    struct said *said;
} now;

/* ---- The tests there are ---------------------------------------------------------------------- */

static struct co_test *first_test;

void co_test_add(struct co_test *test)
{
    struct co_test **at = &first_test;
    while (*at && (*at)->line <= test->line)     /* constructors may run in any order */
        at = &(*at)->next;
    test->next = *at;
    *at = test;
}

struct co_test *co_test_find(const char *name)
{
    struct co_test *test = first_test;
    while (test && strcmp(test->name, name) != 0)
        test = test->next;
    return test;
}

/* ---- Verdicts ----------------------------------------------------------------------------------- */
/* They are written by hand into memory of their own: after a crash there may be no malloc any more. */

static char line[LINE_SIZE];

static size_t put(size_t at, const char *format, ...) __attribute__((format(printf, 2, 3)));
static size_t put(size_t at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line + at, sizeof line - at, format, args);
    va_end(args);
    return n < 0 ? at : at + (size_t)n < sizeof line ? at + (size_t)n : sizeof line - 1;
}

/* A text as a JSON string; what is neither ASCII nor a line break becomes a '?',
 * and the end of a long one is cut off. */
static size_t put_text(size_t at, const char *text, size_t length)
{
    at = put(at, "\"");
    for (size_t i = 0; i < length && at < sizeof line - 512; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\')
            at = put(at, "\\%c", c);
        else if (c == '\n')
            at = put(at, "\\n");
        else
            at = put(at, "%c", c >= ' ' && c < 127 ? c : '?');
    }
    return put(at, "\"");
}

static void write_line(size_t length)
{
    line[length++] = '\n';
    for (size_t done = 0; done < length;) {
        ssize_t n = write(now.results, line + done, length - done);
        if (n <= 0)
            return;
        done += (size_t)n;
    }
}

static void write_tests(void)
{
    size_t at = put(0, "{\"suite\":\"looplab/suite/v1\",\"tests\":[");
    for (const struct co_test *test = first_test; test; test = test->next) {
        at = put_text(put(at, "%s{\"name\":", test == first_test ? "" : ","), test->name, strlen(test->name));
        at = put_text(put(at, ",\"file\":"), test->file, strlen(test->file));
        at = put(at, ",\"line\":%d}", test->line);
    }
    write_line(put(at, "]}"));
}

static void write_begin(const struct co_test *test)
{
    write_line(put(put_text(put(0, "{\"begin\":"), test->name, strlen(test->name)), "}"));
}

/* verdict: passed, assertion, deadlock, leak, ended (by exit) or crash. */
static void write_verdict(const char *verdict)
{
    struct mock_facts facts = mock_facts();
    size_t at = put_text(put(0, "{\"test\":"), now.test->name, strlen(now.test->name));
    at = put(at,
             ",\"verdict\":\"%s\",\"requests\":%zu,\"peak\":%d,\"errors\":%d,\"given_up\":%d,\"blocked\":%s,"
             "\"took\":%lld,\"statuses\":[", verdict, facts.requests, facts.peak, facts.errors, facts.given_up,
             facts.blocked ? "true" : "false", (long long)facts.took);
    for (int k = 0; k < facts.status_count; k++)
        at = put(at, "%s%d", k ? "," : "", facts.statuses[k]);
    at = put(at, "],\"said\":");
    write_line(put(put_text(at, now.said->text, now.said->length), "}"));
}

/* ---- One test ------------------------------------------------------------------------------------ */

/* The end of what cmocka says of every assertion that does not hold. */
static const char assertion[] = ": error: Failure!";

/* cmocka's abort after a failed assertion, and anybody else's. */
static void on_abort(int number)
{
    (void)number;
    const char *said = now.said->text;
    if (now.test)
        write_verdict(strstr(said, ": deadlock at ") ? "deadlock"
                      : strstr(said, assertion) || strstr(said, "Assertion `") ? "assertion" : "crash");
    if (__gcov_dump)
        __gcov_dump();
    _exit(1);
}

static void on_exit_in_test(void)
{
    if (!now.test)
        return;
    write_verdict("ended");
    _exit(1);
}

/* stderr, while a test runs: what is said is kept, as it belongs to the verdict. */
static ssize_t hear(void *cookie, const char *text, size_t n)
{
    (void)cookie;
    struct said *said = now.said;
    size_t room = sizeof said->text - 1 - said->length, take = n < room ? n : room;
    memcpy(said->text + said->length, text, take);
    said->length += take;
    said->text[said->length] = '\0';
    return (ssize_t)n;
}

static int run_body(void *job)
{
    const struct co_test *test = job;
    test->body();
    return 0;
}

/* Returns only if the test has passed. */
static void run_test(const struct co_test *test, const char *trace)
{
    now.test = test;
    now.said->length = 0;
    now.said->text[0] = '\0';
    write_begin(test);

    struct co_options options = {.program = test->name, .trace_file = trace, .world = mock_begin(test)};
    int rc = co_run_named(run_body, (void *)(uintptr_t)test, &options, test->name);

    const char *verdict = rc == -EDEADLK ? "deadlock" : rc < 0 ? "crash" : strstr(now.said->text, ": leak: ") ? "leak"
        : "passed";
    write_verdict(verdict);
    if (strcmp(verdict, "passed") != 0) {
        if (__gcov_dump)
            __gcov_dump();
        _exit(1);
    }
    now.test = NULL;
    mock_end();
}

/* Runs tests one after the other in this process, up to the first that fails: it ends the process with 1. */
static void run_here(const struct co_test *const tests[], size_t n, const char *trace)
{
    static struct said own;
    static bool prepared;
    now.said = now.said ? now.said : &own;
    if (!prepared) {
        atexit(on_exit_in_test);
        setenv("CMOCKA_TEST_ABORT", "1", 1);
        struct sigaction action = {.sa_handler = on_abort};
        sigaction(SIGABRT, &action, NULL);
        prepared = true;
    }
    FILE *usual_stderr = stderr;
    FILE *ear = fopencookie(NULL, "w", (cookie_io_functions_t){.write = hear});
    if (ear) {
        setvbuf(ear, NULL, _IONBF, 0);
        stderr = ear;
    }
    for (size_t i = 0; i < n; i++)
        run_test(tests[i], trace);
    stderr = usual_stderr;
    if (ear)
        fclose(ear);
    write_line(put(0, "{\"end\":%zu}", n));
}

/* ---- All tests, each failure in a process of its own -------------------------------------------- */

/* Takes one line of a child's results into the results of the tests it was given. */
static void take_line(const char *text, const struct co_test *const tests[], struct co_test_result results[], size_t n)
{
    json_t *value = json_loads(text, 0, NULL);
    const char *begun = json_string_value(json_object_get(value, "begin")),
        *done = json_string_value(json_object_get(value, "test"));
    for (size_t i = 0; i < n; i++) {
        if (begun && strcmp(tests[i]->name, begun) == 0)
            snprintf(results[i].verdict, sizeof results[i].verdict, "crash");
        if (done && strcmp(tests[i]->name, done) == 0) {
            snprintf(results[i].verdict, sizeof results[i].verdict, "%s",
                     json_string_value(json_object_get(value, "verdict")));
            results[i].said = strdup(json_string_value(json_object_get(value, "said")));
        }
    }
    json_decref(value);
}

/* How a child ended that could not say it itself. */
static char *last_words(int status, const struct said *said)
{
    char *text = NULL;
    const char *why = WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU ? "it was still computing after 10 s"
                    : WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "it ended the program";
    return asprintf(&text, "%.*s%s\n", (int)said->length, said->text, why) < 0 ? NULL : text;
}

/* Runs tests[0..n) in a child until one fails. Returns how many have a verdict then; 0 if there can be no child. */
static size_t run_in_child(const struct co_test *const tests[], struct co_test_result results[], size_t n,
                           const char *trace)
{
    FILE *file = tmpfile();
    struct said *said = mmap(NULL, sizeof *said, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    fflush(NULL);
    pid_t child = file && said != MAP_FAILED ? fork() : -1;
    if (child == 0) {
        setrlimit(RLIMIT_CPU, &(struct rlimit){CPU_SECONDS, CPU_SECONDS + 1});
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        now.results = fileno(file);
        now.said = said;
        run_here(tests, n, trace);
        fflush(NULL);
        if (__gcov_dump)
            __gcov_dump();
        _exit(0);
    }
    int status = 0;
    if (child > 0)
        waitpid(child, &status, 0);
    size_t done = 0;
    if (child > 0) {
        char *text = NULL;
        size_t room = 0;
        rewind(file);
        while (getline(&text, &room, file) >= 0)
            take_line(text, tests, results, n);
        free(text);
        while (done < n && results[done].verdict[0])
            done++;
        if (done > 0 && !results[done - 1].said)
            results[done - 1].said = last_words(status, said);
    }
    if (file)
        fclose(file);
    if (said != MAP_FAILED)
        munmap(said, sizeof *said);
    return done;
}

int co_test_run(const struct co_test *const tests[], struct co_test_result results[], size_t n, const char *trace)
{
    for (size_t i = 0; i < n; i++)
        results[i] = (struct co_test_result){.test = tests[i]};
    for (size_t done = 0; done < n;) {
        size_t more = run_in_child(tests + done, results + done, n - done, trace);
        if (more == 0)
            return -1;
        done += more;
    }
    return 0;
}

/* ---- The command line ----------------------------------------------------------------------------- */

static int usage(const char *program, const char *what, const char *about)
{
    fprintf(stderr, "%s: %s%s\nusage: %s [--results FILE] [--trace FILE] [--scraper FILE] [--list] [TEST...]\n",
            program, what, about, program);
    return 2;
}

/* Runs tests and writes down the results, or shows them. Returns the exit code. */
static int run_command(const char *program, const struct co_test *const tests[], size_t n, const char *results_file,
                       const char *trace, co_test_show *show)
{
    if (results_file) {
        now.results = open(results_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (now.results < 0)
            return usage(program, "cannot write ", results_file);
        write_tests();
        run_here(tests, n, trace);
        close(now.results);
        return 0;
    }
    struct co_test_result *results = calloc(n + 1, sizeof *results);
    int code = 1;
    if (!results || co_test_run(tests, results, n, trace) < 0)
        code = usage(program, "cannot start a process for the tests", "");
    else
        code = show(results, n) != 0;
    for (size_t i = 0; results && i < n; i++)
        free(results[i].said);
    free(results);
    return code;
}

int co_test_main(int argc, char **argv, const char *program, co_test_show *show)
{
    enum { RESULTS, TRACE, SCRAPER, LIST };
    static const struct option options[] = {
        {"results", required_argument, NULL, RESULTS}, {"trace", required_argument, NULL, TRACE},
        {"scraper", required_argument, NULL, SCRAPER}, {"list", no_argument, NULL, LIST}, {0},
    };
    forks_command(&argc, &argv);
    const char *trace = NULL, *results_file = NULL;
    bool list = false;
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, ":", options, NULL)) != -1;) {
        if (option == RESULTS)
            results_file = optarg;
        else if (option == TRACE)
            trace = optarg;
        else if (option == LIST)
            list = true;
        else if (option == SCRAPER) {
            if (!dlopen(optarg, RTLD_NOW | RTLD_GLOBAL))
                return usage(program, "cannot load ", dlerror());
        }
        else
            return usage(program, option == ':' ? "a value is missing after " : "there is no option ",
                         argv[optind - 1]);
    }
    size_t n = 0;
    for (const struct co_test *test = first_test; test; test = test->next)
        n++;
    size_t words = (size_t)(argc - optind), count = list ? 0 : words ? words : n;
    const struct co_test **tests = calloc(count + 1, sizeof *tests);
    const struct co_test *next = first_test;
    const char *unknown = tests ? NULL : "(out of memory)";
    for (size_t i = 0; i < count && !unknown; i++) {
        tests[i] = words ? co_test_find(argv[optind + (int)i]) : next;
        unknown = tests[i] ? NULL : argv[optind + (int)i];
        next = next ? next->next : NULL;
    }
    for (const struct co_test *test = first_test; list && !results_file && test; test = test->next)
        printf("%s (%s:%d)\n", test->name, test->file, test->line);
    int code = unknown ? usage(program, "there is no test ", unknown)
             : list && !results_file ? 0 : run_command(program, tests, count, results_file, trace, show);
    free(tests);
    return code;
}
