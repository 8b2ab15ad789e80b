/* Windows: a server stops when so much of a body is unread, and goes on when
 * some was read. Bodies from both sides of it. */
#include "world_rig.h"

#define SITE(routes) WORLD("'sites':[{'url':'http://a.test','rtt':'10ms','connect':'0ms','routes':[" routes "]}]")

static uint64_t get(struct rig *rig, const char *url, uint32_t session, uint32_t window)
{
    char data[200];
    int size = snprintf(data, sizeof data, "GET%s", url);
    return rig->world->submit(rig->world,
                              &(struct world_request){.op = WORLD_HTTP, .task = 1, .session = session, .window = window,
        .lengths = {3, (uint32_t)size - 3}, .data = data, .size = (size_t)size});
}

static void was_read(struct rig *rig, uint64_t id, uint64_t count)
{
    const struct world_request request = {.op = WORLD_HTTP_READ, .id = id, .count = count};
    assert_int_equal(rig->world->submit(rig->world, &request), id);
}

/* Without a bandwidth: as much as fits comes with the head, the rest whenever there is room, at once. */
static void test_a_body_without_bandwidth(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE("{'path':'/','body':'0123456789'}"));
    get(rig, "http://a.test/", 0, 4);
    rig_expect_until(rig, MS(50), "10ms #1 200 \"0123\"\n");
    was_read(rig, 1, 1);
    rig_expect_until(rig, MS(50), "50ms #1 \"4\"\n");
    was_read(rig, 1, 2);
    was_read(rig, 1, 1);
    rig_expect_until(rig, MS(70), "50ms #1 \"567\"\n");
    was_read(rig, 1, 4);
    rig_expect(rig, "70ms #1 \"89\" end\n");
    was_read(rig, 1, 5);        /* too late: nothing */
    rig_expect(rig, "");
    rig_close(rig);
}

static void test_a_window_as_large_as_the_body(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE("{'path':'/','body':'0123456789'},{'path':'/none'}"));
    get(rig, "http://a.test/", 0, 10);
    rig_expect(rig, "10ms #1 200 \"0123456789\" end\n");
    get(rig, "http://a.test/", 0, 9);
    rig_expect(rig, "20ms #2 200 \"012345678\"\n");
    was_read(rig, 2, 1);
    rig_expect(rig, "20ms #2 \"9\" end\n");
    get(rig, "http://a.test/none", 0, 1);
    rig_expect(rig, "30ms #3 200 end\n");
    rig_close(rig);
}

/* 10 bytes take 10 ms: who reads on time loses nothing, who is late is waited for. */
static void test_a_bandwidth(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE("{'path':'/','body_size':30,'bandwidth':1000}"));
    get(rig, "http://a.test/", 0, 10);
    rig_expect_until(rig, MS(20), "10ms #1 200\n20ms #1 \"0123456789\"\n");
    was_read(rig, 1, 10);
    rig_expect_until(rig, MS(30), "30ms #1 \"abcdefghij\"\n");
    rig_expect_until(rig, MS(95), "");
    was_read(rig, 1, 10);       /* it has come meanwhile */
    rig_expect(rig, "95ms #1 \"klmnopqrst\" end\n");
    rig_close(rig);
}

/* What was cut by the window is not made whole afterwards: the piece on its way stays what it is. */
static void test_a_piece_on_its_way_stays(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE("{'path':'/','body_size':30,'bandwidth':1000}"));
    get(rig, "http://a.test/", 0, 10);
    rig_expect_until(rig, MS(15), "10ms #1 200\n");
    was_read(rig, 1, 3);
    rig_expect_until(rig, MS(20), "20ms #1 \"0123456789\"\n");
    rig_expect_until(rig, MS(30), "23ms #1 \"abc\"\n");
    was_read(rig, 1, 20);
    rig_expect(rig, "40ms #1 \"defghijklmnopqrst\" end\n");
    rig_close(rig);
}

/* Rounding: 7 bytes at 3 a second, one by one, without a stop: the last arrives when all together would have. */
static void test_no_time_is_lost_to_rounding(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE("{'path':'/','body':'0123456','bandwidth':3}"));
    get(rig, "http://a.test/", 0, 1);
    rig_run_until(rig, MS(10));
    for (int i = 0; i < 6; i++) {
        assert_int_equal(rig_wait(rig, INT64_MAX, 64), 1);
        was_read(rig, 1, 1);
    }
    rig_expect(rig, "2343333334ns #1 \"6\" end\n");
    rig_close(rig);
}

static void test_chunks(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE("{'path':'/','body':'0123456789','bandwidth':1000,'chunk':4},"
                                    "{'path':'/fast','body':'0123456789','chunk':4}"));
    get(rig, "http://a.test/", 0, 6);
    rig_expect_until(rig, MS(40), "10ms #1 200\n14ms #1 \"0123\"\n16ms #1 \"45\"\n");
    was_read(rig, 1, 6);
    rig_expect(rig, "40ms #1 \"6789\" end\n");
    get(rig, "http://a.test/fast", 0, 6);
    rig_expect_until(rig, MS(60), "50ms #2 200 \"0123\"\n50ms #2 \"45\"\n");
    was_read(rig, 2, 6);
    rig_expect(rig, "60ms #2 \"6789\" end\n");
    rig_close(rig);
}

static void test_drips(void **state)
{
    (void)state;
    struct rig *rig =
        rig_open(SITE("{'path':'/','body':'0123456789','fault':{'kind':'drip','bytes':2,'every':'100ms'}}"));
    get(rig, "http://a.test/", 0, 5);
    rig_expect_until(rig, MS(990), "10ms #1 200\n110ms #1 \"01\"\n210ms #1 \"23\"\n310ms #1 \"4\"\n");
    was_read(rig, 1, 4);
    rig_expect_until(rig, MS(1200), "990ms #1 \"5678\"\n");
    was_read(rig, 1, 4);
    rig_expect(rig, "1200ms #1 \"9\" end\n");
    rig_close(rig);
}

static void test_faults_in_a_body(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE("{'path':'/reset','body':'0123456789','fault':{'kind':'reset','after':6}},"
                                    "{'path':'/cut','body':'0123456789','fault':{'kind':'truncate','after':6}}"));
    get(rig, "http://a.test/reset", 0, 4);
    get(rig, "http://a.test/cut", 0, 4);
    rig_expect_until(rig, MS(20), "10ms #1 200 \"0123\"\n10ms #2 200 \"0123\"\n");
    was_read(rig, 1, 2);
    was_read(rig, 2, 1);
    rig_expect_until(rig, MS(30), "20ms #1 \"45\" end ECONNRESET\n20ms #2 \"4\"\n");
    was_read(rig, 2, 1);
    rig_expect(rig, "30ms #2 \"5\" end EPROTO\n");
    rig_close(rig);
}

/* While the loop computes, nobody reads: no more is handed over than the window holds, and the rest waits outside. */
static void test_a_busy_loop_lets_the_window_fill(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE("{'path':'/','body_size':1000000,'bandwidth':1000000}"));
    get(rig, "http://a.test/", 0, 65536);
    rig->world->block(rig->world, MS(1000));
    rig_expect_until(rig, MS(1000), "1000ms #1 200\n1000ms #1 +65536\n");
    was_read(rig, 1, 65536);
    rig_expect_until(rig, MS(1100), "1000ms #1 +65536\n");
    rig_close(rig);
}

/* The kernels take 2.9 MB besides the window; then the server waits, and goes on from there when the program reads. */
static void test_a_reader_that_sleeps_stops_the_server_when_the_kernels_are_full(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE("{'path':'/','body_size':10000000,'bandwidth':1000000}"));
    uint64_t id = get(rig, "http://a.test/", 0, 65536), delivered = 0;
    for (int i = 0; i < 1000 && rig_wait(rig, MS(5000), 64) > 0; i++)
        rig->length = 0;
    assert_int_equal(rig->world->now(rig->world), MS(5000));
    was_read(rig, id, 65536);
    for (bool over = false; !over;) {
        struct world_completion out[8];
        size_t n = rig->world->wait(rig->world, INT64_MAX, out, 8);
        assert_true(n > 0);
        for (size_t j = 0; j < n && !over; j++) {
            delivered += out[j].size - out[j].head;
            over = out[j].parts & WORLD_END;
            if (!over)
                was_read(rig, id, out[j].size - out[j].head);
        }
    }
    assert_int_equal(delivered, 10000000 - 65536);
    assert_int_equal(rig->world->now(rig->world), MS(5000) + (10000000 - 65536 - 2900000) * 1000ll);
    rig_close(rig);
}

/* What comes without a chunk comes in small pieces all the same: what arrives in a millisecond, at least a segment. */
static void test_the_first_byte_comes_early(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE("{'path':'/','body_size':655360,'bandwidth':655360},"
                                    "{'path':'/quick','body_size':100000,'bandwidth':10000000}"));
    get(rig, "http://a.test/", 0, 65536);
    rig_expect_until(rig, MS(14), "10ms #1 200\n12209473ns #1 +1448\n");
    get(rig, "http://a.test/quick", 0, 65536);
    rig_expect_until(rig, 25500000, "14418946ns #1 +1448\n16628418ns #1 +1448\n18837891ns #1 +1448\n"
                     "21047364ns #1 +1448\n23256836ns #1 +1448\n24ms #2 200\n25ms #2 +10000\n25466309ns #1 +1448\n");
    rig_close(rig);
}

/* At no time has more been delivered than was read and the window. */
static void test_never_more_than_the_window(void **state)
{
    (void)state;
    struct rig *rig =
        rig_open(SITE("{'path':'/','body_size':1000000,'bandwidth':1000000,'chunk':1000},"
                      "{'path':'/at-once','body_size':1000000}"));
    static const char *const urls[] = {"http://a.test/", "http://a.test/at-once"};
    for (size_t i = 0; i < 2; i++) {
        uint64_t id = get(rig, urls[i], 0, 65536), delivered = 0, read = 0, seed = 1;
        for (bool over = false; !over;) {
            struct world_completion out[8];
            size_t n = rig->world->wait(rig->world, rig->world->now(rig->world) + MS(3), out, 8);
            for (size_t j = 0; j < n; j++) {
                delivered += out[j].size - out[j].head;
                over = out[j].parts & WORLD_END;
            }
            assert_true(delivered <= read + 65536);
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            uint64_t some = (seed >> 33) % 20000;
            if (some > delivered - read)
                some = delivered - read;
            read += some;
            if (!over)
                was_read(rig, id, some);
        }
        assert_int_equal(delivered, 1000000);
    }
    rig_close(rig);
}

/* A stopped body can be given up: its connection is closed, and the next in line gets the worker and the place. */
static void test_cancelling_a_stopped_one(void **state)
{
    (void)state;
    struct rig *rig =
        rig_open(WORLD("'sites':[{'url':'http://a.test','max_connections':1,"
                       "'routes':[{'path':'/',"
                       "'body':'0123456789'}]}]"));
    uint64_t id = get(rig, "http://a.test/", 1, 4);
    get(rig, "http://a.test/", 2, 0);
    rig_expect_until(rig, MS(50), "0ms #1 200 \"0123\"\n");
    rig->world->cancel(rig->world, id);
    was_read(rig, id, 4);
    rig_expect(rig, "50ms #1 end ECANCELED\n50ms #2 200 \"0123456789\" end\n");
    rig_close(rig);
}

static void test_read_to_the_end_a_connection_is_used_again(void **state)
{
    (void)state;
    struct rig *rig =
        rig_open(WORLD("'sites':[{'url':'http://a.test','connect':'30ms',"
                       "'routes':[{'path':'/',"
                       "'body':'0123456789'}]}]"));
    uint64_t id = get(rig, "http://a.test/", 1, 4);
    rig_expect_until(rig, MS(50), "30ms #1 200 \"0123\"\n");
    get(rig, "http://a.test/", 1, 0);           /* the first connection is not free yet */
    rig_expect_until(rig, MS(90), "80ms #2 200 \"0123456789\" end\n");
    was_read(rig, id, 4);
    was_read(rig, id, 4);
    rig_expect_until(rig, MS(90), "90ms #1 \"456789\" end\n");
    get(rig, "http://a.test/", 1, 0);
    get(rig, "http://a.test/", 1, 0);
    rig_expect(rig, "90ms #3 200 \"0123456789\" end\n90ms #4 200 \"0123456789\" end\n");
    rig_close(rig);
}

/* What fits into the window has come, read or not: its connection is free. One byte more, and it is not. */
static void test_given_up_a_connection_is_kept_where_all_had_come(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE("{'path':'/','body':'0123456789'}"));
    uint64_t id = get(rig, "http://a.test/", 1, 10);
    rig_expect(rig, "10ms #1 200 \"0123456789\" end\n");
    rig->world->cancel(rig->world, id);                 /* too late: it is over */
    id = get(rig, "http://a.test/", 1, 9);
    rig_expect_until(rig, MS(30), "20ms #2 200 \"012345678\"\n");
    get(rig, "http://a.test/", 1, 10);                  /* while it is under way, another one is opened */
    rig_expect_until(rig, MS(50), "40ms #3 200 \"0123456789\" end\n");
    rig->world->cancel(rig->world, id);
    get(rig, "http://a.test/", 1, 10);
    rig_expect(rig, "50ms #2 end ECANCELED\n60ms #4 200 \"0123456789\" end\n");
    expect_last_lines(rig, "30ms http.connected op=3 conn=2 reused=0\n"
                           "40ms http.end op=3 rc=0 status=200 bytes=10\n"
                           "50ms http.cancelled op=2\n"
                           "50ms http.closed conn=1\n"
                           "50ms http.start op=4 task=1 url=http://a.test/ method=GET session=1\n"
                           "50ms http.connected op=4 conn=2 reused=1\n"
                           "60ms http.end op=4 rc=0 status=200 bytes=10\n");
    rig_close(rig);
}

static void test_reading_what_is_not_there(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE("{'path':'/','body':'0123456789'}"));
    was_read(rig, 77, 5);
    uint64_t id = get(rig, "http://a.test/", 0, 0);     /* no window: reading changes nothing */
    was_read(rig, id, 5);
    rig_expect(rig, "10ms #1 200 \"0123456789\" end\n");
    id = get(rig, "http://a.test/", 0, 4);
    was_read(rig, id, 0);
    rig_expect_until(rig, MS(30), "20ms #2 200 \"0123\"\n");
    was_read(rig, id, UINT64_MAX);
    rig_expect(rig, "30ms #2 \"456789\" end\n");
    rig_close(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_body_without_bandwidth),
        cmocka_unit_test(test_a_window_as_large_as_the_body),
        cmocka_unit_test(test_a_bandwidth),
        cmocka_unit_test(test_a_piece_on_its_way_stays),
        cmocka_unit_test(test_no_time_is_lost_to_rounding),
        cmocka_unit_test(test_chunks),
        cmocka_unit_test(test_drips),
        cmocka_unit_test(test_faults_in_a_body),
        cmocka_unit_test(test_a_busy_loop_lets_the_window_fill),
        cmocka_unit_test(test_a_reader_that_sleeps_stops_the_server_when_the_kernels_are_full),
        cmocka_unit_test(test_the_first_byte_comes_early),
        cmocka_unit_test(test_never_more_than_the_window),
        cmocka_unit_test(test_cancelling_a_stopped_one),
        cmocka_unit_test(test_read_to_the_end_a_connection_is_used_again),
        cmocka_unit_test(test_given_up_a_connection_is_kept_where_all_had_come),
        cmocka_unit_test(test_reading_what_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
