/* test_trace.c - the trace: its exact bytes, what it does with odd strings and long lines, and when writing fails.
 *
 * write(2) is replaced here, so that a test can make the n-th call fail, be interrupted or take only a part.
 */
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#define MIB (1024u * 1024)

/* ---- write(2), under control ------------------------------------------------------------------ */

static struct {
    int fd;                 /* the descriptor that is controlled; -1: none                       */
    int calls;              /* how often it was written to                                       */
    int fail_at;            /* the number of the call that fails, from 1; 0: none                */
    int error;              /* the errno it fails with                                           */
    size_t most;            /* bytes that a call takes at most; 0: no limit                      */
    int interrupt_every;    /* every n-th call fails with EINTR; 0: none                         */
    int reader;             /* the other end, if it is a non-blocking pipe, which is emptied ... */
    int reader_copies_to;   /* ... into this file when it is full                                */
    int times_full;
} writes = {.fd = -1};

static void empty_pipe(void)
{
    char bytes[4096];
    for (ssize_t n; (n = read(writes.reader, bytes, sizeof bytes)) > 0;)
        assert_int_equal(syscall(SYS_write, writes.reader_copies_to, bytes, n), n);
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    if (fd < 0 || fd != writes.fd)
        return syscall(SYS_write, fd, bytes, size);
    writes.calls++;
    errno = writes.calls == writes.fail_at ? writes.error : EINTR;
    if (writes.calls == writes.fail_at || (writes.interrupt_every && writes.calls % writes.interrupt_every == 0))
        return -1;
    ssize_t n = syscall(SYS_write, fd, bytes, writes.most && size > writes.most ? writes.most : size);
    if (n < 0 && errno == EAGAIN && writes.reader) {
        writes.times_full++;
        empty_pipe();
        errno = EAGAIN;
    }
    return n;
}

/* ---- A trace in a temporary file --------------------------------------------------------------- */

struct file {
    int fd;
    char path[32];
    char *text;             /* what read_file read last */
    size_t size;
};

static const char header[] = "{\"trace\":\"looplab/trace/v1\",\"program\":\"test\",\"seed\":7}\n";

static int make_file(void **state)
{
    static struct file file;
    file = (struct file){.path = "/tmp/test_trace.XXXXXX"};
    file.fd = mkstemp(file.path);
    *state = &file;
    return file.fd < 0;
}

static int remove_file(void **state)
{
    struct file *file = *state;
    memset(&writes, 0, sizeof writes);
    writes.fd = -1;
    free(file->text);
    close(file->fd);
    return unlink(file->path);
}

/* All that the file holds now. */
static const char *read_file(struct file *file)
{
    file->size = (size_t)lseek(file->fd, 0, SEEK_END);
    file->text = realloc(file->text, file->size + 1);
    assert_non_null(file->text);
    assert_int_equal(pread(file->fd, file->text, file->size, 0), file->size);
    file->text[file->size] = '\0';
    return file->text;
}

static struct trace *open_trace(const struct file *file)
{
    struct trace *trace = trace_open(file->path, "test", 7);
    assert_non_null(trace);
    return trace;
}

/* A trace through the file's own descriptor, which `writes` then controls. */
static struct trace *open_controlled(const struct file *file)
{
    char path[16];
    snprintf(path, sizeof path, "fd:%d", file->fd);
    writes.fd = file->fd;
    struct trace *trace = trace_open(path, "test", 7);
    assert_non_null(trace);
    return trace;
}

static void line(struct trace *trace, int64_t t)
{
    trace_begin(trace, t, TRACE_RUNTIME, "run");
    trace_int(trace, "task", t + 1);
    trace_end(trace);
}

/* Asserts that the file holds the header and line(0) to line(count - 1), and nothing else. */
static void assert_lines(struct file *file, int count)
{
    const char *at = read_file(file);
    assert_int_equal(strncmp(at, header, strlen(header)), 0);
    at += strlen(header);
    for (int i = 0; i < count; i++) {
        char expected[80];
        int length = sprintf(expected, "{\"t\":%d,\"from\":\"runtime\",\"ev\":\"run\",\"task\":%d}\n", i, i + 1);
        assert_int_equal(strncmp(at, expected, (size_t)length), 0);
        at += length;
    }
    assert_string_equal(at, "");
}

/* Asserts what comes after the header. */
static void assert_body(struct file *file, const char *expected)
{
    assert_int_equal(strncmp(read_file(file), header, strlen(header)), 0);
    assert_string_equal(file->text + strlen(header), expected);
}

/* ---- Lines ------------------------------------------------------------------------------------- */

static void the_first_line_names_version_program_and_seed(void **state)
{
    struct file *file = *state;
    trace_close(trace_open(file->path, "a \"b\"\n", UINT64_MAX));
    assert_string_equal(read_file(file),
        "{\"trace\":\"looplab/trace/v1\",\"program\":\"a \\\"b\\\"\\n\",\"seed\":18446744073709551615}\n");
}

static void a_line_is_built_key_by_key(void **state)
{
    struct file *file = *state;
    struct trace *trace = open_trace(file);
    trace_begin(trace, 300000000, TRACE_WORLD, "http.start");
    trace_int(trace, "task", 3);
    trace_str(trace, "url", "http://a.test/", 14);
    trace_json(trace, "value", "{\"n\":[1,null]}", 14);
    trace_str(trace, "none", "", 0);
    trace_end(trace);
    trace_begin(trace, 0, TRACE_RUNTIME, "end");
    trace_end(trace);
    trace_close(trace);
    assert_body(file,
        "{\"t\":300000000,\"from\":\"world\",\"ev\":\"http.start\",\"task\":3,\"url\":\"http://a.test/\","
        "\"value\":{\"n\":[1,null]},\"none\":\"\"}\n"
        "{\"t\":0,\"from\":\"runtime\",\"ev\":\"end\"}\n");
}

static void integers_reach_their_limits(void **state)
{
    struct file *file = *state;
    struct trace *trace = open_trace(file);
    static const int64_t values[] = {INT64_MIN, INT64_MIN + 1, -10, -9, -1, 0, 1, 9, 10, 99, 100, INT64_MAX};
    char expected[2048], *at = expected;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        trace_begin(trace, values[i], TRACE_RUNTIME, "done");
        trace_int(trace, "rc", values[i]);
        trace_end(trace);
        long long value = values[i];
        at += sprintf(at, "{\"t\":%lld,\"from\":\"runtime\",\"ev\":\"done\",\"rc\":%lld}\n", value, value);
    }
    trace_close(trace);
    assert_body(file, expected);
}

__attribute__((noinline)) static void add_place(struct trace *trace)
{
    trace_src(trace, "src", __builtin_return_address(0));
}

/* 3 rounds: from source_line, then from the trace's own memory of it. */
static void src_is_the_line_of_the_call(void **state)
{
    struct file *file = *state;
    struct trace *trace = open_trace(file);
    int first = 0, second = 0;
    for (int i = 0; i < 3; i++) {
        trace_begin(trace, i, TRACE_RUNTIME, "await");
        first = __LINE__; add_place(trace);
        second = __LINE__; add_place(trace);
        trace_end(trace);
    }
    trace_close(trace);
    char expected[512], *at = expected;
    for (int i = 0; i < 3; i++)
        at += sprintf(at,
                      "{\"t\":%d,\"from\":\"runtime\",\"ev\":\"await\",\"src\":\"test_trace.c:%d\","
                      "\"src\":\"test_trace.c:%d\"}\n", i, first, second);
    assert_body(file, expected);
}

static void an_unknown_src_is_left_out(void **state)
{
    struct file *file = *state;
    struct trace *trace = open_trace(file);
    for (int i = 0; i < 2; i++) {
        trace_begin(trace, i, TRACE_RUNTIME, "run");
        trace_src(trace, "src", NULL);
        trace_src(trace, "src", file);          /* data, not code */
        trace_src(trace, "src", (void *)-1L);
        trace_int(trace, "task", i + 1);
        trace_end(trace);
    }
    trace_close(trace);
    assert_lines(file, 2);
}

/* More places than the trace remembers: each still gets its own line, whoever used its slot before. */
static void many_src_do_not_mix_up(void **state)
{
    struct file *file = *state;
    struct trace *trace = open_trace(file);
    const char *code = (const char *)(uintptr_t)many_src_do_not_mix_up;
    for (int round = 0; round < 2; round++) {
        for (int i = 2; i < 400; i++) {
            trace_begin(trace, i, TRACE_RUNTIME, "await");
            trace_src(trace, "src", code + i);
            trace_end(trace);
        }
    }
    trace_close(trace);
    const char *at = read_file(file) + strlen(header);
    for (int i = 2; i < 800 - 2; i++) {
        int t = i < 400 ? i : i - 398;
        char place[64], expected[160];
        int length = source_line(code + t, place, sizeof place)
            ? sprintf(expected, "{\"t\":%d,\"from\":\"runtime\",\"ev\":\"await\",\"src\":\"%s\"}\n", t, place)
            : sprintf(expected, "{\"t\":%d,\"from\":\"runtime\",\"ev\":\"await\"}\n", t);
        assert_int_equal(strncmp(at, expected, (size_t)length), 0);
        at += length;
    }
    assert_string_equal(at, "");
}

/* ---- Strings ------------------------------------------------------------------------------------ */

/* What trace_str makes of a value, without the quotes round it. */
static const char *escaped(struct file *file, const char *value, size_t length)
{
    struct trace *trace = open_trace(file);
    trace_begin(trace, 0, TRACE_WORLD, "x");
    trace_str(trace, "s", value, length);
    trace_end(trace);
    trace_close(trace);
    static const char start[] = "{\"t\":0,\"from\":\"world\",\"ev\":\"x\",\"s\":\"", end[] = "\"}\n";
    const char *text = read_file(file) + strlen(header);
    assert_int_equal(strncmp(text, start, strlen(start)), 0);
    text += strlen(start);
    char *last = file->text + file->size - strlen(end);
    assert_string_equal(last, end);
    *last = '\0';
    return text;
}

#define U "\xef\xbf\xbd"            /* U+FFFD in UTF-8 */

static void every_ascii_byte_is_escaped_or_kept(void **state)
{
    static const char *const short_form[128] = {
        ['"'] = "\\\"", ['\\'] = "\\\\", ['\n'] = "\\n", ['\t'] = "\\t", ['\r'] = "\\r", ['\b'] = "\\b", ['\f'] = "\\f",
    };
    for (int byte = 0; byte < 128; byte++) {
        char value[3] = {'a', (char)byte, 'b'}, middle[8], expected[12];
        if (short_form[byte])
            strcpy(middle, short_form[byte]);
        else
            sprintf(middle, byte < 0x20 ? "\\u%04x" : "%c", byte);
        sprintf(expected, "a%sb", middle);
        assert_string_equal(escaped(*state, value, 3), expected);
    }
}

static void valid_utf8_stays_as_it_is(void **state)
{
    static const char *const valid[] = {
        "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xe2\x82\xac", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
        "\xf0\x90\x80\x80", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf", "gr\xc3\xbc\xc3\x9f \xe4\xbd\xa0\xe5\xa5\xbd",
    };
    for (size_t i = 0; i < sizeof valid / sizeof valid[0]; i++)
        assert_string_equal(escaped(*state, valid[i], strlen(valid[i])), valid[i]);
}

/* What is expected is what Python's bytes.decode(errors="replace") gives. */
static void malformed_utf8_becomes_fffd(void **state)
{
    static const struct { const char *value, *expected; } cases[] = {
        {"\x80", U}, {"\xbf", U}, {"\xc0\xaf", U U}, {"\xc1\xbf", U U}, {"\xf5\x80\x80\x80", U U U U},
        {"\xff\xfe", U U},
        /* cut off */
        {"\xc3", U}, {"\xe2\x82", U}, {"\xf0\x9f\x98", U}, {"\xf0\x9f", U}, {"\xf0", U},
        {"\xc3z", U "z"}, {"\xe2\x82z", U "z"}, {"\xe2z", U "z"}, {"\xf0\x9f\x98z", U "z"}, {"\xc3\"", U "\\\""},
        /* overlong */
        {"\xe0\x9f\xbf", U U U}, {"\xf0\x8f\xbf\xbf", U U U U}, {"\xe0\x80\xaf", U U U},
        /* surrogates */
        {"\xed\xa0\x80", U U U}, {"\xed\xbf\xbf", U U U},
        /* > U+10FFFF */
        {"\xf4\x90\x80\x80", U U U U},
        {"\xe2\x82\xe2\x82\xac", U "\xe2\x82\xac"}, {"\xc3\xc3\xbc", U "\xc3\xbc"},
        {"a\xff" "b\xff" "c", "a" U "b" U "c"}, {"\xc3\xbc\x80\n", "\xc3\xbc" U "\\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(escaped(*state, cases[i].value, strlen(cases[i].value)), cases[i].expected);
}

/* The length rules, not the '\0', and nothing after the end is looked at. */
static void a_string_may_hold_zeros_and_end_anywhere(void **state)
{
    assert_string_equal(escaped(*state, "a\0b", 3), "a\\u0000b");
    assert_string_equal(escaped(*state, "abc", 2), "ab");
    assert_string_equal(escaped(*state, "\xe2\x82\xac", 2), U);
}

static void any_bytes_make_valid_json(void **state)
{
    unsigned char value[4096];
    uint32_t random = 12345;
    for (size_t i = 0; i < sizeof value; i++)
        value[i] = (unsigned char)((random = random * 1664525 + 1013904223) >> 24);
    struct file *file = *state;
    escaped(file, (const char *)value, sizeof value);
    json_error_t error;
    const char *text = read_file(file) + strlen(header);
    json_t *json = json_loadb(text, strlen(text), JSON_ALLOW_NUL, &error);
    assert_non_null(json);
    assert_true(json_string_length(json_object_get(json, "s")) > sizeof value / 2);
    json_decref(json);
}

/* ---- Long lines ---------------------------------------------------------------------------------- */

/* A line that is much longer than the buffer stands whole between its neighbours. */
static void check_long_value(struct file *file, char byte, const char *written_as)
{
    struct trace *trace = open_trace(file);
    char *value = malloc(MIB);
    assert_non_null(value);
    memset(value, byte, MIB);
    line(trace, 0);
    trace_begin(trace, 1, TRACE_WORLD, "report");
    trace_str(trace, "value", value, MIB);
    trace_end(trace);
    line(trace, 2);
    trace_close(trace);
    free(value);

    const char *at = read_file(file) + strlen(header);
    static const char before[] = "{\"t\":0,\"from\":\"runtime\",\"ev\":\"run\",\"task\":1}\n"
                                 "{\"t\":1,\"from\":\"world\",\"ev\":\"report\",\"value\":\"";
    assert_int_equal(strncmp(at, before, strlen(before)), 0);
    at += strlen(before);
    for (size_t i = 0; i < MIB; i++, at += strlen(written_as))
        if (strncmp(at, written_as, strlen(written_as)) != 0)
            fail_msg("byte %zu is not written as %s", i, written_as);
    assert_string_equal(at, "\"}\n{\"t\":2,\"from\":\"runtime\",\"ev\":\"run\",\"task\":3}\n");
}

static void a_line_may_be_longer_than_the_buffer(void **state)
{
    check_long_value(*state, 'y', "y");
    check_long_value(*state, '"', "\\\"");
    check_long_value(*state, '\x01', "\\u0001");
    check_long_value(*state, '\xff', U);
}

static void json_may_be_longer_than_the_buffer(void **state)
{
    struct file *file = *state;
    struct trace *trace = open_trace(file);
    char *value = malloc(MIB);
    assert_non_null(value);
    memset(value, '1', MIB);
    line(trace, 0);
    trace_begin(trace, 1, TRACE_WORLD, "report");
    trace_json(trace, "value", value, MIB);
    trace_flush(trace);
    assert_lines(file, 1);          /* mid-line in the larger buffer: only what was whole */
    trace_json(trace, "again", value, MIB);
    trace_end(trace);
    trace_close(trace);
    free(value);
    assert_int_equal(strlen(read_file(file)), 2 * MIB + strlen(header) + strlen(
        "{\"t\":0,\"from\":\"runtime\",\"ev\":\"run\",\"task\":1}\n"
        "{\"t\":1,\"from\":\"world\",\"ev\":\"report\",\"value\":,\"again\":}\n"));
}

/* ---- Buffering ------------------------------------------------------------------------------------ */

static void lines_are_written_when_the_buffer_is_full(void **state)
{
    struct file *file = *state;
    struct trace *trace = open_controlled(file);
    assert_lines(file, 0);          /* the header is there at once: a file that takes nothing is told by trace_open */
    assert_int_equal(writes.calls, 1);
    for (int i = 0; i < 20000; i++)
        line(trace, i);
    trace_close(trace);
    assert_lines(file, 20000);
    assert_in_range(writes.calls, 15, 17);  /* 1 MB in pieces of 64 KiB */
}

static void flush_writes_whole_lines_only(void **state)
{
    struct file *file = *state;
    struct trace *trace = open_trace(file);
    line(trace, 0);
    assert_lines(file, 0);
    trace_flush(trace);
    assert_lines(file, 1);
    trace_begin(trace, 1, TRACE_RUNTIME, "run");
    trace_flush(trace);
    trace_int(trace, "task", 2);
    trace_flush(trace);
    assert_lines(file, 1);
    trace_end(trace);
    trace_flush(trace);
    trace_flush(trace);
    assert_lines(file, 2);
    trace_close(trace);
    assert_lines(file, 2);
    trace_flush(NULL);
    trace_close(NULL);
}

static void a_line_without_an_end_is_dropped(void **state)
{
    struct file *file = *state;
    struct trace *trace = open_trace(file);
    line(trace, 0);
    trace_begin(trace, 99, TRACE_WORLD, "http.start");
    trace_str(trace, "url", "http://a.test", 13);
    line(trace, 1);
    trace_begin(trace, 99, TRACE_WORLD, "http.start");
    trace_close(trace);
    assert_lines(file, 2);
}

static struct trace *crashing;
static jmp_buf after_crash;

static void on_crash(int signal)
{
    (void)signal;
    trace_flush(crashing);
    line(crashing, 1);
    trace_flush(crashing);
    longjmp(after_crash, 1);        /* where the runtime would end the process */
}

/* What the runtime does when a student's program crashes, at the worst moment. */
static void a_crash_handler_keeps_the_trace(void **state)
{
    struct file *file = *state;
    crashing = open_trace(file);
    void (*before)(int) = signal(SIGUSR1, on_crash);
    line(crashing, 0);
    trace_begin(crashing, 99, TRACE_WORLD, "http.start");
    trace_int(crashing, "task", 5);
    if (setjmp(after_crash) == 0)
        raise(SIGUSR1);
    signal(SIGUSR1, before);
    assert_lines(file, 2);
    trace_close(crashing);
    assert_lines(file, 2);
}

/* ---- Where it is written, and when that fails ------------------------------------------------------- */

static void a_descriptor_is_used_as_it_is(void **state)
{
    struct file *file = *state;
    assert_int_equal(syscall(SYS_write, file->fd, "before\n", 7), 7);
    struct trace *trace = open_controlled(file);
    line(trace, 0);
    trace_close(trace);
    assert_int_equal(syscall(SYS_write, file->fd, "after\n", 6), 6);    /* still open */
    char expected[256];
    sprintf(expected, "before\n%s{\"t\":0,\"from\":\"runtime\",\"ev\":\"run\",\"task\":1}\nafter\n", header);
    assert_string_equal(read_file(file), expected);
}

static void a_dash_is_stderr(void **state)
{
    struct file *file = *state;
    int kept = dup(STDERR_FILENO);
    assert_int_equal(dup2(file->fd, STDERR_FILENO), STDERR_FILENO);
    struct trace *trace = trace_open("-", "test", 7);
    if (trace)
        line(trace, 0);
    trace_close(trace);
    int open = fcntl(STDERR_FILENO, F_GETFD);
    dup2(kept, STDERR_FILENO);
    close(kept);
    assert_non_null(trace);
    assert_true(open >= 0);
    assert_lines(file, 1);
}

static void a_file_is_emptied_first_and_closed_last(void **state)
{
    struct file *file = *state;
    assert_int_equal(syscall(SYS_write, file->fd, header, 20), 20);
    int next = dup(file->fd);       /* the lowest free descriptor */
    close(next);
    trace_close(open_trace(file));
    assert_lines(file, 0);
    int now = dup(file->fd);
    close(now);
    assert_int_equal(now, next);
}

static void assert_no_trace(const char *path, int error)
{
    errno = 0;
    assert_null(trace_open(path, "test", 7));
    assert_int_equal(errno, error);
}

static void what_cannot_be_opened_is_told(void **state)
{
    (void)state;
    assert_no_trace("/nowhere/at/all", ENOENT);
    assert_no_trace("/tmp", EISDIR);
    assert_no_trace("", ENOENT);
    assert_no_trace("/dev/full", ENOSPC);
    assert_no_trace("fd:", EINVAL);
    assert_no_trace("fd:x", EINVAL);
    assert_no_trace("fd:1x", EINVAL);
    assert_no_trace("fd:-1", EINVAL);
    assert_no_trace("fd: 1", EINVAL);
    assert_no_trace("fd:4294967298", EINVAL);
    assert_no_trace("fd:987654", EBADF);
}

/* After a lost line nothing more is written, even if the disk has room again: a trace has no holes. */
static void after_a_write_error_the_trace_is_silent(void **state)
{
    struct file *file = *state;
    struct trace *trace = open_controlled(file);
    line(trace, 0);
    trace_flush(trace);
    writes.fail_at = writes.calls + 1;
    writes.error = ENOSPC;
    errno = ERANGE;
    for (int i = 1; i < 5000; i++)  /* several buffers full */
        line(trace, i);
    trace_flush(trace);
    assert_int_equal(errno, ERANGE);
    assert_int_equal(writes.calls, writes.fail_at);
    trace_close(trace);
    assert_lines(file, 1);
}

static void interrupted_and_short_writes_lose_nothing(void **state)
{
    struct file *file = *state;
    struct trace *trace = open_controlled(file);
    writes.most = 1000;
    writes.interrupt_every = 3;
    for (int i = 0; i < 5000; i++)
        line(trace, i);
    trace_close(trace);
    assert_lines(file, 5000);
}

/* A pipe that somebody made non-blocking. Its reader comes only when it is full. */
static void a_nonblocking_pipe_loses_nothing(void **state)
{
    struct file *file = *state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    writes.fd = ends[1];
    writes.reader = ends[0];
    writes.reader_copies_to = file->fd;
    char path[16];
    sprintf(path, "fd:%d", ends[1]);
    struct trace *trace = trace_open(path, "test", 7);
    assert_non_null(trace);
    for (int i = 0; i < 20000; i++)
        line(trace, i);
    trace_close(trace);
    assert_true(writes.times_full > 0);
    empty_pipe();
    close(ends[0]);
    close(ends[1]);
    assert_lines(file, 20000);
}

#define with_file(test) cmocka_unit_test_setup_teardown(test, make_file, remove_file)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_file(the_first_line_names_version_program_and_seed),
        with_file(a_line_is_built_key_by_key),
        with_file(integers_reach_their_limits),
        with_file(src_is_the_line_of_the_call),
        with_file(an_unknown_src_is_left_out),
        with_file(many_src_do_not_mix_up),
        with_file(every_ascii_byte_is_escaped_or_kept),
        with_file(valid_utf8_stays_as_it_is),
        with_file(malformed_utf8_becomes_fffd),
        with_file(a_string_may_hold_zeros_and_end_anywhere),
        with_file(any_bytes_make_valid_json),
        with_file(a_line_may_be_longer_than_the_buffer),
        with_file(json_may_be_longer_than_the_buffer),
        with_file(lines_are_written_when_the_buffer_is_full),
        with_file(flush_writes_whole_lines_only),
        with_file(a_line_without_an_end_is_dropped),
        with_file(a_crash_handler_keeps_the_trace),
        with_file(a_descriptor_is_used_as_it_is),
        with_file(a_dash_is_stderr),
        with_file(a_file_is_emptied_first_and_closed_last),
        cmocka_unit_test(what_cannot_be_opened_is_told),
        with_file(after_a_write_error_the_trace_is_silent),
        with_file(interrupted_and_short_writes_lose_nothing),
        with_file(a_nonblocking_pipe_loses_nothing),
    };
    return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
