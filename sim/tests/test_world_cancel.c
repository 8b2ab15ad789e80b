/* Giving requests up, wherever they are: the end comes at once, and what they held goes to the next. */
#include "world_rig.h"

/* resolve 0..5, connect ..35, there ..36, queue, latency ..46, back ..47, body ..52 */
#define SITE(more) \
    WORLD("'sites':[{'url':'http://a.test','rtt':'2ms','connect':'35ms','workers':1," more \
                         "'routes':[{'path':'/','latency':'10ms','body':'hello','bandwidth':1000,'chunk':1}," \
                         "{'path':'/now'}]}]")

static void cancel_at(struct rig *rig, int64_t time, uint64_t id)
{
    rig_run_until(rig, time);
    assert_int_equal(rig->world->now(rig->world), time);
    rig->world->cancel(rig->world, id);
}

static void test_before_the_connection(void **state)
{
    (void)state;
    static const int times[] = {0, 3, 20, 34};
    for (size_t i = 0; i < 4; i++) {
        struct rig *rig = rig_open(SITE(""));
        uint64_t id = rig_get(rig, "http://a.test/");
        char expected[100];
        cancel_at(rig, MS(times[i]), id);
        sprintf(expected, "%dms #1 end ECANCELED\n", times[i]);
        rig_expect(rig, expected);
        sprintf(expected, "method=GET\n%dms http.cancelled op=1\n", times[i]);
        expect_last_lines(rig, expected);
        rig_close(rig);
    }
}

static void test_on_the_way_there(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE(""));
    uint64_t id = rig_get(rig, "http://a.test/");
    cancel_at(rig, MS(35), id);
    rig_expect(rig, "35ms #1 end ECANCELED\n");
    expect_last_lines(rig,
                      "35ms http.connected op=1 conn=1 reused=0\n35ms http.cancelled op=1\n35ms http.closed conn=1\n");
    rig_close(rig);
}

static void test_while_it_waits_for_a_worker(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE(""));
    rig_get(rig, "http://a.test/");
    uint64_t id = rig_get(rig, "http://a.test/");
    rig_get(rig, "http://a.test/now");
    cancel_at(rig, MS(40), id);
    rig_expect_until(rig, MS(47), "40ms #2 end ECANCELED\n47ms #1 200\n47ms #3 200 end\n");
    rig_close(rig);
}

static void test_the_worker_goes_to_the_next(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE(""));
    uint64_t id = rig_get(rig, "http://a.test/");
    rig_get(rig, "http://a.test/now");
    cancel_at(rig, MS(40), id);
    rig_expect(rig, "40ms #1 end ECANCELED\n41ms #2 200 end\n");
    rig_get(rig, "http://a.test/now");   /* and is free after that */
    rig_expect(rig, "78ms #3 200 end\n");
    rig_close(rig);
}

/* The worker is done with it, the answer on its way: nothing is given back twice. */
static void test_on_the_way_back(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE("'max_connections':1,"));
    uint64_t id = rig_get(rig, "http://a.test/");
    rig_get(rig, "http://a.test/now");
    cancel_at(rig, MS(46), id);
    rig_expect(rig, "46ms #1 end ECANCELED\n47ms #2 200 end\n");
    rig_get(rig, "http://a.test/");
    rig_get(rig, "http://a.test/");
    rig_expect_until(rig, MS(120),
                     "94ms #3 200\n95ms #3 \"h\"\n96ms #3 \"e\"\n97ms #3 \"l\"\n98ms #3 \"l\"\n99ms #3 \"o\" end\n"
                     "110ms #4 200\n111ms #4 \"h\"\n112ms #4 \"e\"\n113ms #4 \"l\"\n114ms #4 \"l\"\n"
                     "115ms #4 \"o\" end\n");
    rig_close(rig);
}

static void test_amid_the_body(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE(""));
    uint64_t id = rig_get(rig, "http://a.test/");
    cancel_at(rig, MS(49), id);
    rig_expect(rig, "49ms #1 end ECANCELED\n");
    expect_last_lines(rig, "49ms http.cancelled op=1\n49ms http.closed conn=1\n");
    rig_close(rig);
}

/* Pieces that have arrived are still handed over, then the end. */
static void test_amid_the_body_with_a_piece_not_handed_over(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE(""));
    uint64_t id = rig_get(rig, "http://a.test/");
    rig_run_until(rig, MS(47));
    rig->world->block(rig->world, MS(2));
    rig->world->cancel(rig->world, id);
    rig_expect(rig, "49ms #1 \"h\"\n49ms #1 \"e\" end ECANCELED\n");
    rig_close(rig);
}

static void test_done_but_not_handed_over(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE(""));
    uint64_t id = rig_get(rig, "http://a.test/now");
    rig->world->block(rig->world, MS(100));
    rig->world->cancel(rig->world, id);
    rig_expect(rig, "100ms #1 200 end\n");
    expect_last_lines(rig, "37ms http.end op=1 rc=0 status=200 bytes=0\n37ms http.closed conn=1\n");
    rig_close(rig);
}

static void test_done_unknown_or_twice(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE(""));
    rig->world->cancel(rig->world, 1);
    uint64_t id = rig_get(rig, "http://a.test/now");
    rig->world->cancel(rig->world, id);
    rig->world->cancel(rig->world, id);
    rig->world->cancel(rig->world, id + 1);
    rig_expect(rig, "0ms #1 end ECANCELED\n");
    rig->world->cancel(rig->world, id);
    rig_expect(rig, "");
    rig_close(rig);
}

static void test_in_the_line_of_connections(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE("'max_connections':1,'backlog':1,"));
    rig_get(rig, "http://a.test/");
    uint64_t id = rig_get(rig, "http://a.test/now");
    cancel_at(rig, MS(40), id);
    rig_get(rig, "http://a.test/now");   /* there is a place in the line again */
    rig_expect_until(rig, MS(46), "40ms #2 end ECANCELED\n");
    rig_run_until(rig, MS(60));
    rig_expect(rig, "77ms #3 200 end\n");
    rig_close(rig);
}

/* Its turn has come, at this very instant: the place goes on to the next. */
static void test_just_accepted(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE("'max_connections':1,"));
    uint64_t first = rig_get(rig, "http://a.test/"), second = rig_get(rig, "http://a.test/now");
    rig_get(rig, "http://a.test/now");
    cancel_at(rig, MS(45), first);
    rig->world->cancel(rig->world, second);
    rig_expect(rig, "45ms #1 end ECANCELED\n45ms #2 end ECANCELED\n46ms #3 200 end\n");
    expect_last_lines(rig, "45ms http.cancelled op=1\n45ms http.closed conn=1\n45ms http.cancelled op=2\n"
                           "45ms http.closed conn=2\n46ms http.end op=3 rc=0 status=200 bytes=0\n"
                           "46ms http.closed conn=3\n");
    rig_close(rig);
}

static void test_in_a_session(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE(""));
    uint64_t ids[4];
    for (int i = 0; i < 4; i++)
        ids[i] = rig_request(rig, "GET", "http://a.test/now", 1, 1);
    cancel_at(rig, MS(10), ids[1]);   /* it waited for the connection */
    rig_expect_until(rig, MS(36), "10ms #2 end ECANCELED\n");
    rig->world->cancel(rig->world, ids[0]);   /* it used it: closed, and #3 opens another */
    rig_expect_until(rig, MS(73), "36ms #1 end ECANCELED\n73ms #3 200 end\n");
    rig_expect(rig, "75ms #4 200 end\n");
    rig_close(rig);
}

static void test_a_session_whose_connection_is_being_opened(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE("'max_connections':1,"));
    rig_get(rig, "http://a.test/");
    uint64_t id = rig_request(rig, "GET", "http://a.test/now", 1, 1);
    rig_request(rig, "GET", "http://a.test/now", 1, 1);
    cancel_at(rig, MS(40), id);   /* it stood in the server's line; now #3 opens a connection, and gets there at 75 */
    rig_expect_until(rig, MS(41), "40ms #2 end ECANCELED\n");
    rig_run_until(rig, MS(60));
    rig_expect(rig, "77ms #3 200 end\n");
    rig_close(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_before_the_connection),
        cmocka_unit_test(test_on_the_way_there),
        cmocka_unit_test(test_while_it_waits_for_a_worker),
        cmocka_unit_test(test_the_worker_goes_to_the_next),
        cmocka_unit_test(test_on_the_way_back),
        cmocka_unit_test(test_amid_the_body),
        cmocka_unit_test(test_amid_the_body_with_a_piece_not_handed_over),
        cmocka_unit_test(test_done_but_not_handed_over),
        cmocka_unit_test(test_done_unknown_or_twice),
        cmocka_unit_test(test_in_the_line_of_connections),
        cmocka_unit_test(test_just_accepted),
        cmocka_unit_test(test_in_a_session),
        cmocka_unit_test(test_a_session_whose_connection_is_being_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
