/* test_stream.c - answers read piece by piece: bytes and lines, back-pressure, errors, cancelling, closing, leaks. */
#include "check.h"

#include <malloc.h>

#define SITE(routes) \
    "{\"world\":\"looplab/world/v1\",\"sites\":[{\"url\":\"http://a.test\",\"rtt\":\"10ms\",\"connect\":\"20ms\"," \
    "\"routes\":[" routes "]}]}"
#define ROUTE(path, rest) "{\"path\":\"" path "\"" rest "}"
#define A "http://a.test"
#define REQUEST(...) (&(struct co_request){__VA_ARGS__})

enum { WINDOW = 65536 };

/* ---- Reading ----------------------------------------------------------------------------------------------------- */

static const char worlds[] = SITE(
    ROUTE("/", ",\"body\":\"hello world\",\"headers\":{\"X-One\":\"1\"},\"latency\":\"100ms\"") ","
    ROUTE("/none", "") "," ROUTE("/404", ",\"status\":404,\"body\":\"no\"") ","
    ROUTE("/drip", ",\"body\":\"abcdef\",\"fault\":{\"kind\":\"drip\",\"bytes\":2,\"every\":\"1s\"}") ","
    ROUTE("/chunks", ",\"body_size\":200000,\"bandwidth\":100000,\"chunk\":1000") ","
    ROUTE("/large", ",\"body_size\":5242880") ","
    ROUTE("/lines", ",\"body\":\"one\\ntwo\\r\\n\\n\\r\\nfive\\rsix\\nlast\"") ","
    ROUTE("/drip-lines",
          ",\"body\":\"one\\ntwo\\nend\\n\",\"fault\":{\"kind\":\"drip\",\"bytes\":1,\"every\":\"1s\"}") ","
    ROUTE("/long", ",\"body_size\":300000") ","
    ROUTE("/reset", ",\"body\":\"0123456789\",\"fault\":{\"kind\":\"reset\",\"after\":4}") ","
    ROUTE("/cut", ",\"body\":\"one\\ntwo\\n\",\"fault\":{\"kind\":\"truncate\",\"after\":6}") ","
    ROUTE("/hang", ",\"fault\":{\"kind\":\"hang\"}") "," ROUTE("/close", ",\"fault\":{\"kind\":\"close\"}") ","
    ROUTE("/to", ",\"redirect\":\"/\",\"body\":\"this is not wanted\"") ","
    ROUTE("/to-slowly", ",\"redirect\":\"/\",\"body\":\"0123456789\",\"bandwidth\":1") ","
    ROUTE("/round", ",\"redirect\":\"/round\",\"latency\":\"100ms\"") ","
    ROUTE("/cpu", ",\"body\":\"0123456789\",\"cpu\":\"50ms\"") ","
    ROUTE("/echo", ",\"echo\":true"));

static int reads(void *job)
{
    (void)job;
    char buffer[100] = "";
    struct co_response view;
    CO_STREAM(stream);
    expect_is(co_stream_open(REQUEST(.url = A "/"), &stream), 0);
    expect_is(co_now(), CO_MS(130));
    expect_is(stream.status, 200);
    view = (struct co_response){.headers = stream.headers};
    expect_text(co_response_header(&view, "x-one", buffer, sizeof buffer), "1");
    expect_is(co_stream_read(&stream, buffer, 5), 5);
    expect(memcmp(buffer, "hello", 5) == 0);
    expect_is(co_stream_read(&stream, buffer, 0), -EINVAL);
    expect_is(co_stream_read(&stream, NULL, 5), -EINVAL);
    expect_is(co_stream_read(&stream, buffer, sizeof buffer), 6);
    expect(memcmp(buffer, " world", 6) == 0);
    expect_is(co_stream_read(&stream, buffer, sizeof buffer), 0);
    expect_is(co_stream_read(&stream, buffer, sizeof buffer), 0);       /* the end stays the end */
    co_stream_close(&stream);
    expect(!stream.flow && !stream.headers && !stream.status);
    expect_is(co_stream_read(&stream, buffer, sizeof buffer), -EBADF);
    expect_is(co_stream_read_line(&stream, buffer, sizeof buffer), -EBADF);
    co_stream_close(&stream);                                           /* once more: nothing */

    expect_is(co_stream_open(REQUEST(.url = A "/none"), &stream), 0);
    expect_is(co_stream_read(&stream, buffer, 5), 0);
    co_stream_close(&stream);
    expect_is(co_stream_open(REQUEST(.url = A "/404"), &stream), 0);
    expect_is(stream.status, 404);
    expect_is(co_stream_read(&stream, buffer, 5), 2);
    co_stream_close(&stream);
    expect_is(co_stream_open(REQUEST(.url = A "/echo", .method = "POST", .body = "sent", .length = 4), &stream), 0);
    expect_is(co_stream_read(&stream, buffer, 9), 4);
    expect(memcmp(buffer, "sent", 4) == 0);
    return 0;
}

static void a_stream_is_read_to_its_end(void **state)
{
    (void)state;
    struct child *child = forked_world(worlds, reads, NULL);
    assert_int_equal(child->rc, 0);
    assert_string_equal(child->err, "");
}

static int reads_as_it_comes(void *job)
{
    (void)job;
    char buffer[100];
    CO_STREAM(stream);
    expect_is(co_stream_open(REQUEST(.url = A "/drip"), &stream), 0);
    for (int rc; (rc = co_stream_read(&stream, buffer, sizeof buffer)) > 0;)
        note("%.*s", rc, buffer);
    note("end");
    return 0;
}

static void pieces_are_handed_out_when_they_come(void **state)
{
    (void)state;
    check_world_notes(worlds, reads_as_it_comes, "ab@1030 cd@2030 ef@3030 end@3030 ");
}

/* The same bytes, whatever the size of the reader's buffer. */
static int reads_large(void *job)
{
    static const char pattern[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-\n";
    static char buffer[100000];
    size_t size = (size_t)(intptr_t)job, total = 0, wrong = 0;
    CO_STREAM(stream);
    expect_is(co_stream_open(REQUEST(.url = A "/large"), &stream), 0);
    int64_t before = co_now();
    for (int rc; (rc = co_stream_read(&stream, buffer, size)) != 0; total += (size_t)rc) {
        if (rc < 0)
            return rc;
        for (int i = 0; i < rc; i++)
            wrong += buffer[i] != pattern[(total + (size_t)i) % 64];
    }
    expect_is(total, 5242880);
    expect_is(wrong, 0);
    expect_is(co_now(), before);
    return 0;
}

static void every_byte_comes_once(void **state)
{
    (void)state;
    static const int sizes[] = {1000, 777, 65535, 65536, 65537, 100000, 32768};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        assert_int_equal(run_world(worlds, reads_large, MSEC(sizes[i])), 0);
}

static size_t in_use(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static int large_in_little_memory(void *job)
{
    (void)job;
    char buffer[1000];
    size_t before = in_use(), most = 0;
    CO_STREAM(stream);
    expect_is(co_stream_open(REQUEST(.url = A "/large"), &stream), 0);
    for (int rc; (rc = co_stream_read(&stream, buffer, sizeof buffer)) > 0;)
        most = in_use() > most ? in_use() : most;
    if (!UNDER_ASAN && !UNDER_TSAN && !UNDER_VALGRIND)
        expect(most - before < WINDOW + 8192);
    return 0;
}

static void a_large_body_takes_little_memory(void **state)
{
    (void)state;
    assert_int_equal(run_world(worlds, large_in_little_memory, NULL), 0);
}

/* ---- Lines ------------------------------------------------------------------------------------------------------- */

static int reads_lines(void *job)
{
    const char *url = job;
    char line[8];
    int rc;
    CO_STREAM(stream);
    expect_is(co_stream_open(REQUEST(.url = url), &stream), 0);
    while ((rc = co_stream_read_line(&stream, line, sizeof line)) > 0) {
        expect_is(rc, 1);
        note("<%s>", line);
    }
    expect_text(line, "");
    note("%s", co_strerror(rc));
    return 0;
}

static void lines_end_with_a_line_feed(void **state)
{
    (void)state;
    assert_int_equal(run_world(worlds, reads_lines, (void *)(A "/lines")), 0);
    assert_string_equal(board->text, "<one>@30 <two>@30 <>@30 <>@30 <five\rsi>@30 <last>@30 success@30 ");
    assert_int_equal(run_world(worlds, reads_lines, (void *)(A "/drip-lines")), 0);
    assert_string_equal(board->text, "<one>@4030 <two>@8030 <end>@12030 success@12030 ");
    assert_int_equal(run_world(worlds, reads_lines, (void *)(A "/none")), 0);
    assert_string_equal(board->text, "success@30 ");
    assert_int_equal(run_world(worlds, reads_lines, (void *)(A "/cut")), 0);
    assert_string_equal(board->text, "<one>@30 the answer broke off before its end@30 ");     /* no half line */
}

/* 200,000 bytes of 'x', and a "\n" behind them. */
static int reads_long_line(void *job)
{
    enum { LONG = 200000 };
    char *body = malloc(LONG + 6), *line = malloc(LONG + 100);
    memset(body, 'x', LONG);
    memcpy(body + LONG, job, 6);                                /* "\nnext" or "\r\nnex" */
    static const size_t sizes[] = {1, 2, 1000, 65536, 65537, 65538, 131072, LONG, LONG + 1, LONG + 2, LONG + 100};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        CO_STREAM(stream);
        expect_is(co_stream_open(REQUEST(.url = A "/echo", .body = body, .length = LONG + 5), &stream), 0);
        memset(line, '?', LONG + 100);
        expect_is(co_stream_read_line(&stream, line, sizes[i]), 1);
        size_t expected = sizes[i] - 1 < LONG ? sizes[i] - 1 : LONG;
        if (strlen(line) != expected)
            fprintf(stderr, "size %zu:\n", sizes[i]);
        expect_is(strlen(line), expected);
        expect_is(strspn(line, "x"), expected);
        expect_is(co_stream_read_line(&stream, line, 100), 1);
        expect_text(line, strchr(job, '\n') + 1);
        expect_is(co_stream_read_line(&stream, line, 0), -EINVAL);
        expect_is(co_stream_read_line(&stream, NULL, 5), -EINVAL);
        expect_is(co_stream_read_line(&stream, line, 100), 0);
    }
    free(body);
    free(line);
    return 0;
}

static void a_line_is_cut_to_size(void **state)
{
    (void)state;
    assert_int_equal(run_world(worlds, reads_long_line, (void *)"\nnext"), 0);
    assert_int_equal(run_world(worlds, reads_long_line, (void *)"\r\nnex"), 0);
}

static int lines_and_bytes(void *job)
{
    (void)job;
    char line[100];
    int n = 0, rc;
    CO_STREAM(stream);
    expect_is(co_stream_open(REQUEST(.url = A "/long"), &stream), 0);
    expect_is(co_stream_read(&stream, line, 7), 7);
    while ((rc = co_stream_read_line(&stream, line, sizeof line)) > 0) {
        n++;
        if (n == 1)
            expect_is(strlen(line), 63 - 7);
        else if (n <= 300000 / 64)
            expect_is(strlen(line), 63);
        else
            expect_is(strlen(line), 300000 % 64);
    }
    expect_is(rc, 0);
    expect_is(n, 300000 / 64 + 1);
    return 0;
}

/* Lines whose ends fall anywhere in the ring, its wrap in the middle of one included. */
static int lines_round_the_ring(void *job)
{
    (void)job;
    enum { LINE = 37, LINES = 10000 };
    char *body = malloc(LINE * LINES + 1), line[100];
    for (int i = 0; i < LINES; i++)
        sprintf(body + LINE * i, "%036d\n", i);
    CO_STREAM(stream);
    expect_is(co_stream_open(REQUEST(.url = A "/echo", .body = body, .length = LINE * LINES), &stream), 0);
    for (int i = 0; i < LINES; i++) {
        expect_is(co_stream_read_line(&stream, line, sizeof line), 1);
        expect(atoi(line) == i && strlen(line) == LINE - 1);
    }
    expect_is(co_stream_read_line(&stream, line, sizeof line), 0);
    free(body);
    return 0;
}

static void lines_and_bytes_may_be_mixed(void **state)
{
    (void)state;
    assert_int_equal(run_world(worlds, lines_round_the_ring, NULL), 0);
    assert_int_equal(run_world(worlds, lines_and_bytes, NULL), 0);
}

/* A cancel in the middle of a line loses nothing. */
static int cancelled_in_a_line(void *job)
{
    (void)job;
    char line[100];
    struct co_timeout limit;
    CO_STREAM(stream);
    expect_is(co_stream_open(REQUEST(.url = A "/drip-lines"), &stream), 0);
    for (int rc = -ETIMEDOUT; rc == -ETIMEDOUT;) {
        co_timeout_begin(&limit, CO_MS(1500));
        rc = co_timeout_end(&limit, co_stream_read_line(&stream, line, sizeof line));
        note("%s", rc == 1 ? line : co_strerror(rc));
    }
    return 0;
}

static void a_cancel_in_a_line_loses_nothing(void **state)
{
    (void)state;
    check_world_notes(worlds, cancelled_in_a_line, "timed out@1530 timed out@3030 one@4030 ");
}

/* ---- Back-pressure ----------------------------------------------------------------------------------------------- */

static const char slow[] = SITE(ROUTE("/", ",\"body_size\":1000000,\"bandwidth\":1000000") ","
                                ROUTE("/chunks", ",\"body_size\":1000000,\"bandwidth\":1000000,\"chunk\":1000") ","
                                ROUTE("/large", ",\"body_size\":10000000,\"bandwidth\":1000000"));

/* Sleeps for 10 s over an open stream, then reads all of it on time. Returns how long that takes. */
static int64_t read_after_a_sleep(const char *url, size_t size)
{
    static char buffer[200000];
    CO_STREAM(stream);
    expect_is(co_stream_open(REQUEST(.url = url), &stream), 0);
    expect_is(co_sleep(CO_SEC(10)), 0);                         /* meanwhile 65536 bytes come to the program, no more */
    expect_is(co_stream_read(&stream, buffer, sizeof buffer), WINDOW);
    int64_t before = co_now();
    size_t left = size - WINDOW;
    for (int rc; left && (rc = co_stream_read(&stream, buffer, sizeof buffer)) > 0;)
        left -= (size_t)rc;
    expect_is(left, 0);
    expect_is(co_stream_read(&stream, buffer, sizeof buffer), 0);
    return co_now() - before;
}

static int sleeps_over_it(void *job)
{
    (void)job;
    expect_is(read_after_a_sleep(A "/chunks", 1000000), 0);     /* the kernels had room for the rest */
    /* They take 2.9 MB. Then the server waits, and goes on when it is read, not where it would have been. */
    expect_is(read_after_a_sleep(A "/large", 10000000), CO_US(10000000 - WINDOW - 2900000));
    return 0;
}

static void a_slow_reader_stops_the_server(void **state)
{
    (void)state;
    assert_int_equal(run_world(slow, sleeps_over_it, NULL), 0);
}

/* 10,000 bytes each 100 ms: a tenth of what the server could send. */
static int reads_slowly(void *job)
{
    (void)job;
    static char buffer[10000];
    size_t total = 0;
    int64_t t = 0;
    CO_STREAM(stream);
    expect_is(co_stream_open(REQUEST(.url = A "/"), &stream), 0);
    for (int rc; (rc = co_stream_read(&stream, buffer, sizeof buffer)) > 0; total += (size_t)rc) {
        t = co_now();
        expect_is(co_sleep(CO_MS(100)), 0);
    }
    expect_is(total, 1000000);
    expect(t > CO_MS(9900) && t < CO_MS(10400));
    return 0;
}

static void the_slower_one_sets_the_pace(void **state)
{
    (void)state;
    char *trace = only(traced_world(slow, reads_slowly, NULL), "world");
    const char *end = strstr(trace, "http.end");
    assert_non_null(end);
    while (end[-1] != '\n')
        end--;
    assert_true(atoll(end + 5) > CO_MS(9000));                  /* the server ends when little is left to be read */
    free(trace);
}

/* ---- Errors ------------------------------------------------------------------------------------------------------ */

static int fails(void *job)
{
    (void)job;
    char buffer[100];
    static const struct { const char *url; int rc; int64_t ns; } cases[] = {
        {"http://nowhere.test/", -CO_ENOHOST, 0}, {A "/close", -ECONNRESET, CO_MS(30)},
        {A "/hang", -ETIMEDOUT, CO_SEC(30)}, {A "/round", -ELOOP, 11 * CO_MS(130)}, {"a.test", -EINVAL, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct co_stream stream = {.status = 5};
        int64_t before = co_now();
        expect_is(co_stream_open(REQUEST(.url = cases[i].url), &stream), cases[i].rc);
        expect(!stream.status && !stream.headers && !stream.flow);
        expect_is(co_now() - before, cases[i].ns);
    }
    CO_STREAM(reset);
    expect_is(co_stream_open(REQUEST(.url = A "/reset"), &reset), 0);
    expect_is(co_stream_read(&reset, buffer, 3), 3);            /* what has come is read first */
    expect_is(co_stream_read(&reset, buffer, 3), 1);
    expect_is(co_stream_read(&reset, buffer, 3), -ECONNRESET);
    expect_is(co_stream_read(&reset, buffer, 3), -ECONNRESET);
    CO_STREAM(cut);
    expect_is(co_stream_open(REQUEST(.url = A "/cut"), &cut), 0);
    expect_is(co_stream_read_line(&cut, buffer, sizeof buffer), 1);
    expect_is(co_stream_read_line(&cut, buffer, sizeof buffer), -EPROTO);
    expect_is(co_stream_read(&cut, buffer, sizeof buffer), 2);  /* half a line, for who wants it */
    expect_is(co_stream_read(&cut, buffer, sizeof buffer), -EPROTO);
    return 0;
}

static void every_error_of_a_stream(void **state)
{
    (void)state;
    struct child *child = forked_world(worlds, fails, NULL);
    assert_int_equal(child->rc, 0);
    assert_string_equal(child->err, "");
}

static int only_the_head_is_limited(void *job)
{
    (void)job;
    char buffer[100];
    int n = 0;
    CO_STREAM(stream);
    expect_is(co_stream_open(REQUEST(.url = A "/hang", .timeout = CO_MS(70)), &stream), -ETIMEDOUT);
    expect_is(co_now(), CO_MS(70));
    expect_is(co_stream_open(REQUEST(.url = A "/drip-lines", .timeout = CO_MS(30)), &stream), 0);
    while (co_stream_read(&stream, buffer, sizeof buffer) > 0)
        n++;
    expect_is(n, 12);                                           /* twelve seconds */
    return 0;
}

static void the_limit_is_on_the_wait_for_the_head(void **state)
{
    (void)state;
    assert_int_equal(run_world(worlds, only_the_head_is_limited, NULL), 0);
}

static int follows(void *job)
{
    (void)job;
    char buffer[100];
    CO_STREAM(stream);
    expect_is(co_stream_open(REQUEST(.url = A "/to"), &stream), 0);
    expect_is(stream.status, 200);
    expect_is(co_now(), CO_MS(30 + 130));
    expect_is(co_stream_read(&stream, buffer, sizeof buffer), 11);
    expect(memcmp(buffer, "hello world", 11) == 0);
    co_stream_close(&stream);
    expect_is(co_stream_open(REQUEST(.url = A "/to", .max_redirects = -1), &stream), 0);
    expect_is(stream.status, 302);
    expect_is(co_stream_read(&stream, buffer, sizeof buffer), 18);
    return 0;
}

static int leaves_a_body_behind(void *job)
{
    (void)job;
    CO_STREAM(stream);
    expect_is(co_stream_open(REQUEST(.url = A "/to-slowly"), &stream), 0);
    expect_is(co_now(), CO_MS(30 + 130));
    return 0;
}

static void redirects_lead_on(void **state)
{
    (void)state;
    assert_int_equal(run_world(worlds, follows, NULL), 0);
    /* The body of a redirect is not waited for: it is given up. */
    char *trace = only(traced_world(worlds, leaves_a_body_behind, NULL), "world");
    assert_has(trace, "{\"t\":30000000,\"ev\":\"http.cancelled\",\"op\":1}\n");
    free(trace);
}

static int handles(void *job)
{
    (void)job;
    char buffer[100];
    CO_STREAM(stream);
    expect_is(co_stream_open(REQUEST(.url = A "/cpu"), &stream), 0);
    expect_is(co_stream_read(&stream, buffer, sizeof buffer), 10);
    expect_is(co_now(), CO_MS(30 + 50));                        /* once, when all of it is there */
    expect_is(co_stream_read(&stream, buffer, sizeof buffer), 0);
    expect_is(co_now(), CO_MS(30 + 50));
    return 0;
}

static void handling_an_answer_costs_its_cpu_once(void **state)
{
    (void)state;
    assert_int_equal(run_world(worlds, handles, NULL), 0);
}

/* ---- Cancelling, closing ----------------------------------------------------------------------------------------- */

static int a_timeout_does_not_end_it(void *job)
{
    (void)job;
    char buffer[100];
    struct co_timeout limit;
    CO_STREAM(stream);
    expect_is(co_stream_open(REQUEST(.url = A "/drip"), &stream), 0);
    co_timeout_begin(&limit, CO_MS(400));
    expect_is(co_timeout_end(&limit, co_stream_read(&stream, buffer, sizeof buffer)), -ETIMEDOUT);
    expect_is(co_now(), CO_MS(430));
    expect_is(co_stream_read(&stream, buffer, sizeof buffer), 2);       /* the read was given up, the stream was not */
    expect_is(co_now(), CO_MS(1030));
    co_timeout_begin(&limit, CO_SEC(1));
    expect_is(co_timeout_end(&limit, co_stream_read(&stream, buffer, sizeof buffer)), 2);   /* just in time */
    co_timeout_begin(&limit, 0);
    expect_is(co_timeout_end(&limit, co_stream_read(&stream, buffer, sizeof buffer)), -ETIMEDOUT);
    expect_is(co_stream_read(&stream, buffer, sizeof buffer), 2);
    expect_is(co_now(), CO_MS(3030));
    return 0;
}

static void a_cancelled_read_leaves_the_stream_open(void **state)
{
    (void)state;
    assert_int_equal(run_world(worlds, a_timeout_does_not_end_it, NULL), 0);
}

static int opens(void *job)
{
    char buffer[10];
    CO_STREAM(stream);
    int rc = co_stream_open(REQUEST(.url = job), &stream);
    while (rc >= 0 && (rc = co_stream_read(&stream, buffer, sizeof buffer)) > 0)
        ;
    return rc;
}

/* connect 20, rtt 10, latency 100; then a byte each second */
static int cancels_anywhere(void *job)
{
    (void)job;
    static const struct { const char *url; int ms; } cases[] = {
        {A "/", 0}, {A "/", 10}, {A "/", 20}, {A "/", 27}, {A "/", 100}, {A "/drip-lines", 30}, {A "/drip-lines", 5030},
        {A "/drip-lines", 5500}, {A "/round", 30}, {A "/round", 130}, {A "/round", 150}, {A "/hang", 50},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CO_GROUP(group);
        co_task *task = co_spawn(&group, opens, (void *)cases[i].url);
        expect_is(co_sleep(CO_MS(cases[i].ms)), 0);
        co_cancel(task);
        int rc;
        int64_t before = co_now();
        expect_is(co_await(task, &rc), 0);
        expect_is(rc, -ECANCELED);
        expect_is(co_now(), before);
    }
    return 0;
}

static void a_stream_is_cancelled_in_any_phase(void **state)
{
    (void)state;
    struct child *child = forked_world(worlds, cancels_anywhere, NULL);
    assert_int_equal(child->rc, 0);
    assert_string_equal(child->err, "");
    char *trace = only(traced_world(worlds, cancels_anywhere, NULL), "world");
    assert_int_equal(count_of(trace, "\"reused\":0"), count_of(trace, "http.closed"));
    assert_int_equal(count_of(trace, "http.start"), count_of(trace, "http.end") + count_of(trace, "http.cancelled"));
    free(trace);
}

static int in_a_session(void *job)
{
    (void)job;
    char buffer[1000];
    CO_SESSION(session, 1);
    for (int i = 0; i < 2; i++) {
        CO_STREAM(stream);
        expect_is(co_stream_open(REQUEST(.url = A "/chunks", .session = &session), &stream), 0);
        note("open");
        for (int rc; (rc = co_stream_read(&stream, buffer, sizeof buffer)) > 0;)
            ;
    }
    note("twice");
    {
        CO_STREAM(stream);
        expect_is(co_stream_open(REQUEST(.url = A "/chunks", .session = &session), &stream), 0);
        expect_is(co_stream_read(&stream, buffer, 10), 10);
    }
    note("half");
    CO_STREAM(stream);
    expect_is(co_stream_open(REQUEST(.url = A "/chunks", .session = &session), &stream), 0);
    note("open");
    return 0;
}

static void read_to_its_end_a_connection_is_used_again(void **state)
{
    (void)state;
    /* 30 ms with a connection to set up, 10 ms without; 2 s for the body, 10 ms for the first 1000 bytes */
    check_world_notes(worlds, in_a_session, "open@30 open@2040 twice@4040 half@4060 open@4090 ");
}

static struct co_stream shared;

static int reads_shared(void *job)
{
    char buffer[100];
    int rc = co_stream_read(&shared, buffer, sizeof buffer);
    note("%s:%s", (const char *)job, co_strerror(rc));
    return 0;
}

static int two_readers(void *job)
{
    (void)job;
    expect_is(co_stream_open(REQUEST(.url = A "/drip"), &shared), 0);
    CO_GROUP(group);
    co_spawn(&group, reads_shared, (void *)"one");
    co_spawn(&group, reads_shared, (void *)"two");
    expect_is(co_sleep(CO_MS(1500)), 0);
    co_task *cancelled = co_spawn(&group, reads_shared, (void *)"three");
    expect_is(co_yield(), 0);
    co_cancel(cancelled);
    expect_is(co_yield(), 0);
    co_spawn(&group, reads_shared, (void *)"four");
    expect_is(co_yield(), 0);
    co_stream_close(&shared);                                   /* under four's hands */
    return co_join(&group);
}

static int closed_when_woken(void *job)
{
    (void)job;
    expect_is(co_stream_open(REQUEST(.url = A "/drip"), &shared), 0);
    CO_GROUP(group);
    co_spawn(&group, reads_shared, (void *)"woken");
    /* Bytes have come at this instant, the reader is ready behind us. */
    expect_is(co_sleep(CO_SEC(1)), 0);
    co_stream_close(&shared);
    return co_join(&group);
}

static int closed_while_busy(void *job)
{
    (void)job;
    struct co_response resp;
    expect_is(co_stream_open(REQUEST(.url = A "/drip"), &shared), 0);
    CO_GROUP(group);
    co_spawn(&group, reads_shared, (void *)"busy");
    expect_is(co_sleep(CO_MS(500)), 0);
    expect_is(http_get_blocking(A "/chunks", &resp), 0);        /* bytes come, and nobody can see them */
    co_response_free(&resp);
    co_stream_close(&shared);
    return co_join(&group);
}

static void one_reads_at_a_time(void **state)
{
    (void)state;
    check_world_notes(worlds, two_readers,
                      "two:another task waits for the same stream@30 one:success@1030 three:cancelled@1530 "
                      "four:not open, or not for that@1530 ");
    check_world_notes(worlds, closed_when_woken, "woken:not open, or not for that@1030 ");
    check_world_notes(worlds, closed_while_busy, "busy:not open, or not for that@2560 ");
}

static int busy_then_reads(void *job)
{
    (void)job;
    char buffer[100];
    CO_STREAM(stream);
    expect_is(co_stream_open(REQUEST(.url = A "/drip"), &stream), 0);
    co_cpu(CO_MS(2500));
    expect_is(co_stream_read(&stream, buffer, sizeof buffer), 4);       /* what came meanwhile, at once */
    expect_is(co_now(), CO_MS(2530));
    expect_is(co_stream_read(&stream, buffer, sizeof buffer), 2);
    expect_is(co_now(), CO_MS(3030));
    return 0;
}

static void a_busy_loop_reads_later(void **state)
{
    (void)state;
    assert_int_equal(run_world(worlds, busy_then_reads, NULL), 0);
}

/* ---- Reports ----------------------------------------------------------------------------------------------------- */

static int forgets_to_close(void *job)
{
    (void)job;
    struct co_stream forgotten = {0};
    CO_STREAM(closed);
    MARK(0); int rc = co_stream_open(REQUEST(.url = A "/drip"), &forgotten);
    return rc < 0 ? rc : co_stream_open(REQUEST(.url = A "/drip"), &closed);
}

static void a_stream_that_is_never_closed_is_a_leak(void **state)
{
    (void)state;
    struct child *child = forked_world(worlds, forgets_to_close, NULL);
    assert_int_equal(child->rc, 0);
    assert_has(child->err,
               "program: leak: the stream of test_stream.c:%d was never closed: use CO_STREAM or co_stream_close\n",
               board->line[0]);
    assert_int_equal(count_of(child->err, "\n"), 1);
    char *trace = only(traced_world(worlds, forgets_to_close, NULL), "runtime");
    assert_has(trace, "\"ev\":\"leak\",\"what\":\"stream\"}");
    free(trace);
}

static int waits_for_ever(void *job)
{
    (void)job;
    CO_STREAM(stream);
    MARK(0); int rc = co_stream_open(REQUEST(.url = A "/hang", .timeout = CO_FOREVER), &stream);
    return rc;
}

static void a_stream_that_never_comes_is_a_deadlock(void **state)
{
    (void)state;
    struct child *child = forked_world(worlds, waits_for_ever, NULL);
    assert_int_equal(child->rc, -EDEADLK);
    assert_has(child->err, "waits at test_stream.c:%d since 0 ms for more of a stream, which never comes\n",
               board->line[0]);
}

static void waiting_for_a_stream_is_traced(void **state)
{
    (void)state;
    char *trace = only(traced_world(worlds, reads_as_it_comes, NULL), "runtime");
    assert_has(trace,
               "{\"t\":0,\"ev\":\"await\",\"task\":1,\"on\":\"stream\",\"op\":1}\n"
               "{\"t\":30000000,\"ev\":\"ready\",\"task\":1,\"by\":0}\n");
    free(trace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_is_read_to_its_end),
        cmocka_unit_test(pieces_are_handed_out_when_they_come),
        cmocka_unit_test(every_byte_comes_once),
        cmocka_unit_test(a_large_body_takes_little_memory),
        cmocka_unit_test(lines_end_with_a_line_feed),
        cmocka_unit_test(a_line_is_cut_to_size),
        cmocka_unit_test(lines_and_bytes_may_be_mixed),
        cmocka_unit_test(a_cancel_in_a_line_loses_nothing),
        cmocka_unit_test(a_slow_reader_stops_the_server),
        cmocka_unit_test(the_slower_one_sets_the_pace),
        cmocka_unit_test(every_error_of_a_stream),
        cmocka_unit_test(the_limit_is_on_the_wait_for_the_head),
        cmocka_unit_test(redirects_lead_on),
        cmocka_unit_test(handling_an_answer_costs_its_cpu_once),
        cmocka_unit_test(a_cancelled_read_leaves_the_stream_open),
        cmocka_unit_test(a_stream_is_cancelled_in_any_phase),
        cmocka_unit_test(read_to_its_end_a_connection_is_used_again),
        cmocka_unit_test(one_reads_at_a_time),
        cmocka_unit_test(a_busy_loop_reads_later),
        cmocka_unit_test(a_stream_that_is_never_closed_is_a_leak),
        cmocka_unit_test(a_stream_that_never_comes_is_a_deadlock),
        cmocka_unit_test(waiting_for_a_stream_is_traced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
