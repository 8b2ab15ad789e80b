/* check.h - what the tests of the runtime share: running a main function in a small world, in this process or in
 * a child whose stderr and end are wanted, and saying inside a task what is expected there.
 *
 * cmocka's asserts leave with a longjmp, which would abandon the loop: inside tasks it is `expect`, which
 * notes a failure and goes on; what runs the loop then fails the test.
 */
#ifndef CHECK_H
#define CHECK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE             /* memmem; so this header comes first */
#endif
#include "co.h"
#include "runtime/switch/valgrind.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define UNUSED __attribute__((unused))

/* ---- What tasks note and expect ---------------------------------------------------------------- */

/* Lives in memory that a forked child shares: what it notes can be asked for here. */
struct board {
    int failures;
    int line[16];               /* for MARK */
    size_t length;
    char text[1 << 16];
};
static struct board *board UNUSED;

static UNUSED void board_clear(void)
{
    if (!board)
        board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    board->failures = 0;
    board->length = 0;
    board->text[0] = '\0';
}

/* Remembers the line it stands on, next to a call whose place is wanted later: board->line[i]. */
#define MARK(i) ((void)(board->line[i] = __LINE__))

/* Adds "text@ms " to what happened, in the order in which it happened. */
static UNUSED __attribute__((format(printf, 1, 2))) void note(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    board->length += (size_t)vsnprintf(board->text + board->length, sizeof board->text - board->length, format, args);
    va_end(args);
    board->length += (size_t)snprintf(board->text + board->length, sizeof board->text - board->length, "@%lld ",
                                      (long long)(co_now() / CO_MS(1)));
    if (board->length > sizeof board->text - 256)
        abort();
}

static UNUSED void expect_true(int holds, const char *text, const char *file, int line)
{
    if (holds)
        return;
    board->failures++;
    fprintf(stderr, "%s:%d: expected %s\n", file, line, text);
}

static UNUSED void expect_equal(long long is, long long wanted, const char *text, const char *file, int line)
{
    if (is == wanted)
        return;
    board->failures++;
    fprintf(stderr, "%s:%d: %s is %lld, expected %lld\n", file, line, text, is, wanted);
}

#define expect(condition) expect_true(!!(condition), #condition, __FILE__, __LINE__)
#define expect_is(value, wanted) expect_equal((long long)(value), (long long)(wanted), #value, __FILE__, __LINE__)
#define expect_text(value, wanted) \
    expect_true(strcmp((value), (wanted)) == 0, #value " to be " #wanted, __FILE__, __LINE__)

/* ---- Running ------------------------------------------------------------------------------------- */

static UNUSED void write_temp(char path[64], const char *text)
{
    snprintf(path, 64, "/tmp/looplab-test-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

/* The text of a file, which is then removed. The caller frees it. */
static UNUSED char *take_file(const char *path)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t size = 0, capacity = 1 << 16;
    char *text = malloc(capacity);
    for (size_t n; (n = fread(text + size, 1, capacity - size - 1, file)) > 0;) {
        size += n;
        if (capacity - size < 2)
            text = realloc(text, capacity *= 2);
    }
    text[size] = '\0';
    fclose(file);
    unlink(path);
    return text;
}

/* Runs fn(job) in the world that the JSON text describes (NULL: an empty one). */
static UNUSED int run_with(const char *world, co_fn fn, void *job, struct co_options options, const char *name)
{
    char path[64];
    if (world) {
        write_temp(path, world);
        options.world_file = path;
    }
    int rc = co_run_named(fn, job, &options, name);
    if (world)
        unlink(path);
    return rc;
}

/* The same, and fails the test if anything in it was not as expected. Returns what fn returned. */
static UNUSED int run_in(const char *world, co_fn fn, void *job, struct co_options options, const char *name)
{
    board_clear();
    int rc = run_with(world, fn, job, options, name);
    assert_int_equal(board->failures, 0);
    return rc;
}

/* run(fn, job): in an empty world. run_world(json, fn, job): in that one. */
#define run(fn, job) run_in(NULL, (fn), (job), (struct co_options){0}, #fn)
#define run_world(world, fn, job) run_in((world), (fn), (job), (struct co_options){0}, #fn)

/* Runs fn and compares what it noted. */
#define check_notes(fn, wanted) (assert_int_equal(run(fn, NULL), 0), assert_string_equal(board->text, (wanted)))
#define check_world_notes(world, fn, wanted) \
    (assert_int_equal(run_world((world), fn, NULL), 0), assert_string_equal(board->text, (wanted)))

/* ---- With a trace ---------------------------------------------------------------------------------- */

/* Runs fn with a trace and returns its text. The caller frees it. */
static UNUSED char *trace_of_run(const char *world, co_fn fn, void *job, struct co_options options, const char *name)
{
    char path[64];
    write_temp(path, "");
    options.trace_file = path;
    run_in(world, fn, job, options, name);
    return take_file(path);
}
#define traced(fn, job) trace_of_run(NULL, (fn), (job), (struct co_options){0}, #fn)
#define traced_world(world, fn, job) trace_of_run((world), (fn), (job), (struct co_options){0}, #fn)

/* Leaves only the lines of one source ("runtime" or "world"), and in them no "from" and no "src": in place. */
static UNUSED char *only(char *trace, const char *from)
{
    char wanted[64], *out = trace;
    snprintf(wanted, sizeof wanted, "\"from\":\"%s\",", from);
    for (char *line = trace, *end; *line; line = end) {
        end = strchr(line, '\n');
        end = end ? end + 1 : line + strlen(line);
        size_t n = (size_t)(end - line);
        char *at = memmem(line, n, wanted, strlen(wanted));
        if (!at)
            continue;
        memmove(out, line, n);
        char *copy = out, *stop = out + n;
        at = copy + (at - line);
        memmove(at, at + strlen(wanted), (size_t)(stop - at) - strlen(wanted));
        stop -= strlen(wanted);
        char *src = memmem(copy, (size_t)(stop - copy), ",\"src\":\"", 8);
        if (src) {
            char *after = memchr(src + 8, '"', (size_t)(stop - src) - 8) + 1;
            memmove(src, after, (size_t)(stop - after));
            stop -= after - src;
        }
        out = stop;
    }
    *out = '\0';
    return trace;
}

/* How often a piece occurs in a text. */
static UNUSED int count_of(const char *text, const char *piece)
{
    int n = 0;
    for (const char *at = text; (at = strstr(at, piece)); at += strlen(piece))
        n++;
    return n;
}

/* ---- In a child ------------------------------------------------------------------------------------- */

struct child {
    int rc;                     /* what co_run returned, or NOT_BACK               */
    int exit_code;              /* -1: ended by a signal                           */
    int signal;
    char err[1 << 15];          /* its stderr                                      */
};
enum { NOT_BACK = -123456 };

static UNUSED struct child *child_of_run(const char *world, co_fn fn, void *job, struct co_options options,
                                         const char *name)
{
    static struct child child;
    char err_path[64];
    int status;
    board_clear();
    fflush(NULL);
    write_temp(err_path, "");
    int *rc = mmap(NULL, sizeof *rc, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    *rc = NOT_BACK;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (!freopen(err_path, "w", stderr))
            _exit(99);
        setvbuf(stderr, NULL, _IONBF, 0);
        const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
        for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
            signal(faults[i], SIG_DFL);         /* else cmocka takes the end of this child for the test's */
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        *rc = run_with(world, fn, job, options, name);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    char *err = take_file(err_path);
    snprintf(child.err, sizeof child.err, "%s", err);
    free(err);
    child.rc = *rc;
    munmap(rc, sizeof *rc);
    child.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    child.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (board->failures)
        fprintf(stderr, "%s", child.err);
    assert_int_equal(board->failures, 0);
    return &child;
}
#define forked(fn, job) child_of_run(NULL, (fn), (job), (struct co_options){0}, #fn)
#define forked_world(world, fn, job) child_of_run((world), (fn), (job), (struct co_options){0}, #fn)
#define forked_with(options, fn, job) child_of_run(NULL, (fn), (job), (options), #fn)

/* Fails with the whole text if a piece is not in it. */
static UNUSED void assert_has(const char *text, const char *format, ...)
{
    char piece[512];
    va_list args;
    va_start(args, format);
    vsnprintf(piece, sizeof piece, format, args);
    va_end(args);
    if (!strstr(text, piece))
        fail_msg("\"%s\" is not in:\n%s", piece, text);
}
static UNUSED void assert_has_not(const char *text, const char *piece)
{
    if (strstr(text, piece))
        fail_msg("\"%s\" is in:\n%s", piece, text);
}

/* ---- Where a test cannot run --------------------------------------------------------------------------- */

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define UNDER_TSAN 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define UNDER_ASAN 1
#endif
#ifdef __SANITIZE_THREAD__
#define UNDER_TSAN 1
#endif
#ifndef UNDER_ASAN
#define UNDER_ASAN 0
#endif
#ifndef UNDER_TSAN
#define UNDER_TSAN 0
#endif

#define UNDER_VALGRIND on_valgrind()

/* ---- Jobs that many tests use ---------------------------------------------------------------------------- */

/* Sleeps (intptr_t)job milliseconds and notes it. */
static UNUSED int sleeper(void *job)
{
    int rc = co_sleep(CO_MS((intptr_t)job));
    if (rc == 0)
        note("%d", (int)(intptr_t)job);
    else
        note("%s", co_strerror(rc));
    return rc;
}

#define MSEC(n) ((void *)(intptr_t)(n))

#endif
