/* Limits as nginx keeps them: its leaky bucket (limit_req) and its count of requests in hand (limit_conn). */
#include "world_rig.h"

#define SITE(limits, routes) WORLD("'sites':[{'url':'http://a.test'," limits ",'routes':[" routes "]}]")

/* How many of those who ask so often a second, for ten seconds, are let in. */
static int let_in(const char *json, int a_second)
{
    struct rig *rig = rig_open(json);
    int ok = 0;
    for (int i = 0; i < 10 * a_second; i++) {
        rig_run_until(rig, MS(1000) * i / a_second);
        rig->length = 0;
        rig->log[0] = '\0';
        rig_get(rig, "http://a.test/");
        rig_run_until(rig, rig->world->now(rig->world));
        ok += strstr(rig->log, " 200 ") != NULL;
        assert_true(strstr(rig->log, " 200 ") || strstr(rig->log, " 503 "));
    }
    rig_close(rig);
    return ok;
}

/* As seen with nginx 1.22.1: who asks faster than the rate gets less than who keeps to it. */
static void test_without_a_burst_the_hasty_get_less(void **state)
{
    (void)state;
    static const char json[] = SITE("'limit_req':{'rate':'5r/s'}", "{'path':'/'}");
    static const int seen[][2] = {{4, 40}, {5, 50}, {6, 30}, {9, 45}, {10, 50}, {50, 50}};
    for (size_t i = 0; i < sizeof seen / sizeof seen[0]; i++)
        assert_int_equal(let_in(json, seen[i][0]), seen[i][1]);
}

/* The burst is worth its requests once; then the rate holds, whatever one asks. */
static void test_with_a_burst_and_nodelay(void **state)
{
    (void)state;
    static const char json[] = SITE("'limit_req':{'rate':'5r/s','burst':3,'nodelay':true}", "{'path':'/'}");
    assert_int_equal(let_in(json, 4), 40);
    assert_int_equal(let_in(json, 6), 53);
    assert_int_equal(let_in(json, 50), 53);
}

static void test_a_burst_lets_in_late(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE("'rtt':'20ms','limit_req':{'rate':'5r/s','burst':2}", "{'path':'/','body':'x'}"));
    for (int i = 0; i < 4; i++)
        rig_get(rig, "http://a.test/");
    rig_expect(rig, "40ms #1 200 \"x\" end\n40ms #4 503 end\n240ms #2 200 \"x\" end\n440ms #3 200 \"x\" end\n");
    rig_close(rig);
}

/* 30 a minute is one in two seconds; the answer may say when to come again. */
static void test_a_minute_and_when_to_come_again(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE("'limit_req':{'rate':'30r/m','status':429,'retry_after':true}", "{'path':'/'}"));
    struct world_completion out[1];
    rig_get(rig, "http://a.test/");
    rig_expect_until(rig, MS(500), "0ms #1 200 end\n");
    rig_get(rig, "http://a.test/");
    assert_int_equal(rig->world->wait(rig->world, INT64_MAX, out, 1), 1);
    assert_int_equal(out[0].status, 429);
    static const char expected[] = "Retry-After: 2\nContent-Length: 0\n";
    assert_int_equal(out[0].head, strlen(expected));
    assert_memory_equal(out[0].data, expected, strlen(expected));
    rig_expect_until(rig, MS(2000), "");
    rig_get(rig, "http://a.test/");
    rig_expect(rig, "2000ms #3 200 end\n");
    rig_close(rig);
}

/* nginx counts in whole milliseconds: at 3 a second that is one in 334 ms, since 999 thousandths are not enough. */
static void test_whole_milliseconds(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE("'limit_req':{'rate':'3r/s'}", "{'path':'/'}"));
    rig_get(rig, "http://a.test/");
    rig_expect_until(rig, MS(333), "0ms #1 200 end\n");
    rig_get(rig, "http://a.test/");
    rig_expect_until(rig, MS(334), "333ms #2 503 end\n");
    rig_get(rig, "http://a.test/");
    rig_expect(rig, "334ms #3 200 end\n");
    rig_close(rig);
}

static void test_who_gives_up_while_delayed_holds_nothing(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE("'limit_req':{'rate':'5r/s','burst':2},'limit_conn':{'requests':1}",
                                    "{'path':'/','latency':'10ms'}"));
    rig_get(rig, "http://a.test/");
    uint64_t late = rig_get(rig, "http://a.test/");
    rig_run_until(rig, MS(100));
    rig->world->cancel(rig->world, late);
    rig_expect_until(rig, MS(200), "100ms #2 end ECANCELED\n");
    rig_get(rig, "http://a.test/");
    rig_expect(rig, "410ms #3 200 end\n");
    rig_close(rig);
}

/* In hand: while it waits for a worker and is worked on, and until the last byte is out. */
static void test_so_many_in_hand(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE("'rtt':'20ms','workers':1,'limit_conn':{'requests':2}",
                                    "{'path':'/','latency':'100ms'},{'path':'/long','body_size':100,'bandwidth':1000},"
                                    "{'path':'/gone','fault':{'kind':'close'}},"
                                    "{'path':'/hang','fault':{'kind':'hang'}}"));
    for (int i = 0; i < 3; i++)
        rig_get(rig, "http://a.test/");
    rig_expect(rig, "40ms #3 503 end\n140ms #1 200 end\n240ms #2 200 end\n");
    rig_get(rig, "http://a.test/long");
    rig_get(rig, "http://a.test/hang");
    rig_get(rig, "http://a.test/gone");
    rig_expect_until(rig, MS(300), "280ms #4 200\n280ms #6 503 end\n");
    rig_expect_until(rig, MS(400), "380ms #4 +100 end\n");
    rig->world->cancel(rig->world, 5);
    rig_get(rig, "http://a.test/gone");
    rig_expect_until(rig, MS(500), "400ms #5 end ECANCELED\n440ms #7 end ECONNRESET\n");
    for (int i = 0; i < 3; i++)
        rig_get(rig, "http://a.test/");
    rig_expect(rig, "540ms #10 503 end\n640ms #8 200 end\n740ms #9 200 end\n");
    rig_close(rig);
}

#define ONE_AT_A_TIME SITE("'rtt':'20ms','limit_conn':{'requests':1}", \
    "{'path':'/'},{'path':'/short','body_size':5,'bandwidth':1000},{'path':'/long','body_size':100,'bandwidth':1000}," \
    "{'path':'/read','body_size':1000,'bandwidth':10000},{'path':'/large','body_size':4000000}")

/* A request for that path sets out at `at` ms; what the world says until then is passed over. */
static void get_at(struct rig *rig, int at, const char *path, uint32_t window)
{
    char data[64];
    int size = snprintf(data, sizeof data, "GEThttp://a.test%s", path);
    rig_run_until(rig, MS(at));
    const struct world_request request = {.op = WORLD_HTTP, .task = 1, .window = window, .data = data,
                                          .size = (size_t)size, .lengths = {3, (uint32_t)size - 3}};
    assert_true(rig->world->submit(rig->world, &request) > 0);
}

/* It arrives 30 ms after it set out; the last of its answer leaves as long afterwards as that takes to send, and what
 * comes before that moment is turned away. */
static void test_a_hand_is_free_when_the_last_byte_has_left(void **state)
{
    (void)state;
    static const struct { const char *path; int takes; } cases[] = {{"/short", 5}, {"/long", 100}};
    for (size_t i = 0; i < 2; i++) {
        struct rig *rig = rig_open(ONE_AT_A_TIME);
        get_at(rig, 0, cases[i].path, 0);
        get_at(rig, cases[i].takes - 1, "/", 0);
        get_at(rig, cases[i].takes + 1, "/", 0);
        rig_expect(rig, i == 0 ? "40ms #1 200\n44ms #2 503 end\n45ms #1 \"01234\" end\n46ms #3 200 end\n"
                               : "139ms #2 503 end\n140ms #1 +100 end\n141ms #3 200 end\n");
        rig_close(rig);
    }
}

/* Who reads slowly holds nobody up, as long as the kernels take what is not read. */
static void test_a_slow_reader_keeps_no_hand_busy(void **state)
{
    (void)state;
    struct rig *rig = rig_open(ONE_AT_A_TIME);
    get_at(rig, 0, "/read", 100);
    get_at(rig, 99, "/", 0);
    get_at(rig, 101, "/", 0);
    rig_expect(rig, "139ms #2 503 end\n141ms #3 200 end\n");
    get_at(rig, 1000, "/large", 100);           /* more than they take */
    get_at(rig, 3000, "/", 0);
    rig_expect(rig, "3040ms #5 503 end\n");
    const struct world_request read = {.op = WORLD_HTTP_READ, .id = 4, .count = 1200000};
    assert_int_equal(rig->world->submit(rig->world, &read), 4);
    get_at(rig, 4000, "/", 0);
    rig_expect(rig, "4040ms #6 200 end\n");
    rig_close(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_a_burst_the_hasty_get_less),
        cmocka_unit_test(test_with_a_burst_and_nodelay),
        cmocka_unit_test(test_a_burst_lets_in_late),
        cmocka_unit_test(test_a_minute_and_when_to_come_again),
        cmocka_unit_test(test_whole_milliseconds),
        cmocka_unit_test(test_who_gives_up_while_delayed_holds_nothing),
        cmocka_unit_test(test_so_many_in_hand),
        cmocka_unit_test(test_a_hand_is_free_when_the_last_byte_has_left),
        cmocka_unit_test(test_a_slow_reader_keeps_no_hand_busy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
