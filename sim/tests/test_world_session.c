/* Sessions: connections that are used again, limits on them, and who gets the next. */
#include "world_rig.h"

#define SITE(more) \
    WORLD("'sites':[{'url':'http://a.test','rtt':'2ms','connect':'35ms'," more "'routes':[" \
                         "{'path':'/','latency':'10ms'}," \
                          "{'path':'/reset','latency':'10ms','body':'x','fault':{'kind':'reset'}}]}," \
                         "{'url':'http://b.test','connect':'30ms','routes':[{'path':'/'}]}]")

static void close_session(struct rig *rig, uint32_t session)
{
    assert_true(rig->world->submit(rig->world, &(struct world_request){.op = WORLD_SESSION_CLOSE, .session = session})
                > 0);
}

static void test_reuse_saves_resolve_and_connect(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE(""));
    rig_request(rig, "GET", "http://a.test/", 1, 0);
    rig_expect(rig, "47ms #1 200 end\n");
    rig_request(rig, "GET", "http://a.test/", 1, 0);
    rig_expect(rig, "59ms #2 200 end\n");
    rig_expect_trace(rig, "0ms http.start op=1 task=1 url=http://a.test/ method=GET session=1\n"
                          "35ms http.connected op=1 conn=1 reused=0\n"
                          "47ms http.end op=1 rc=0 status=200 bytes=0\n"
                          "47ms http.start op=2 task=1 url=http://a.test/ method=GET session=1\n"
                          "47ms http.connected op=2 conn=1 reused=1\n"
                          "59ms http.end op=2 rc=0 status=200 bytes=0\n");
    rig_close(rig);
}

static void test_nothing_is_shared_with_others(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE(""));
    rig_request(rig, "GET", "http://a.test/", 1, 0);
    rig_expect(rig, "47ms #1 200 end\n");
    rig_request(rig, "GET", "http://a.test/", 2, 0);   /* another session,    */
    rig_request(rig, "GET", "http://a.test/", 0, 0);   /* none,               */
    rig_request(rig, "GET", "http://b.test/", 1, 0);   /* and another site    */
    rig_expect(rig, "77ms #4 200 end\n94ms #2 200 end\n94ms #3 200 end\n");
    rig_close(rig);
}

static void test_the_latest_used_connection_goes_first(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE(""));
    rig_request(rig, "GET", "http://a.test/", 1, 0);
    rig_request(rig, "GET", "http://a.test/", 1, 0);
    rig_run_until(rig, MS(50));
    rig_request(rig, "GET", "http://a.test/", 1, 0);
    rig_run_until(rig, MS(100));
    rig_expect_trace(rig, "0ms http.start op=1 task=1 url=http://a.test/ method=GET session=1\n"
                          "0ms http.start op=2 task=1 url=http://a.test/ method=GET session=1\n"
                          "35ms http.connected op=1 conn=1 reused=0\n"
                          "35ms http.connected op=2 conn=2 reused=0\n"
                          "47ms http.end op=1 rc=0 status=200 bytes=0\n"
                          "47ms http.end op=2 rc=0 status=200 bytes=0\n"
                          "50ms http.start op=3 task=1 url=http://a.test/ method=GET session=1\n"
                          "50ms http.connected op=3 conn=2 reused=1\n"
                          "62ms http.end op=3 rc=0 status=200 bytes=0\n");
    rig_close(rig);
}

static void test_a_broken_connection_is_not_kept(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE(""));
    rig_request(rig, "GET", "http://a.test/reset", 1, 0);
    rig_expect(rig, "47ms #1 200 end ECONNRESET\n");
    rig_request(rig, "GET", "http://a.test/", 1, 0);
    rig_expect(rig, "94ms #2 200 end\n");
    rig_close(rig);
}

static void test_max_per_host(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE(""));
    for (int i = 0; i < 5; i++)
        rig_request(rig, "GET", "http://a.test/", 1, 2);
    rig_request(rig, "GET", "http://b.test/", 1, 2);
    rig_expect(rig,
               "30ms #6 200 end\n47ms #1 200 end\n47ms #2 200 end\n59ms #3 200 end\n59ms #4 200 end\n"
               "71ms #5 200 end\n");
    rig_close(rig);
}

/* When the only connection breaks, who waits for it opens another. */
static void test_max_per_host_after_a_reset(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE(""));
    rig_request(rig, "GET", "http://a.test/reset", 1, 1);
    rig_request(rig, "GET", "http://a.test/", 1, 1);
    rig_request(rig, "GET", "http://a.test/", 1, 1);
    rig_expect(rig, "47ms #1 200 end ECONNRESET\n94ms #2 200 end\n106ms #3 200 end\n");
    rig_close(rig);
}

/* First come, first served: who asks later does not overtake because it asks for less. */
static void test_nobody_overtakes(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE(""));
    rig_request(rig, "GET", "http://a.test/", 1, 1);
    rig_request(rig, "GET", "http://a.test/", 1, 1);
    rig_request(rig, "GET", "http://a.test/", 1, 0);
    rig_expect(rig, "47ms #1 200 end\n59ms #2 200 end\n94ms #3 200 end\n");
    rig_close(rig);
}

static void test_closing_a_session(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE(""));
    rig_request(rig, "GET", "http://a.test/", 1, 0);
    rig_request(rig, "GET", "http://b.test/", 1, 0);
    rig_request(rig, "GET", "http://a.test/", 2, 0);
    rig_run_until(rig, MS(50));
    rig_request(rig, "GET", "http://a.test/", 2, 0);
    close_session(rig, 1);
    close_session(rig, 2);   /* its connection is in use: closed when that is done */
    close_session(rig, 3);   /* nothing to close */
    rig_expect(rig, "62ms #4 200 end\n");
    char *trace = rig_trace(rig);
    assert_non_null(strstr(trace,
                           "50ms http.connected op=4 conn=3 reused=1\n50ms http.closed conn=2\n"
                           "50ms http.closed conn=1\n"
                                  "62ms http.end op=4 rc=0 status=200 bytes=0\n62ms http.closed conn=3\n"));
    free(trace);
    rig_request(rig, "GET", "http://a.test/", 1, 0);
    rig_expect(rig, "109ms #8 200 end\n");
    rig_close(rig);
}

static void test_a_closed_session_can_go_on(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE(""));
    rig_request(rig, "GET", "http://a.test/", 1, 0);
    close_session(rig, 1);
    rig_request(rig, "GET", "http://a.test/", 1, 0);
    rig_expect(rig, "47ms #1 200 end\n47ms #3 200 end\n");
    rig_request(rig, "GET", "http://a.test/", 1, 0);
    rig_expect(rig, "59ms #4 200 end\n");
    rig_close(rig);
}

/* A server without room closes the connection that has lain idle for longest, as nginx does. */
static void test_idle_connections_count_at_the_server(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE("'max_connections':1,"));
    rig_request(rig, "GET", "http://a.test/", 1, 0);
    rig_request(rig, "GET", "http://a.test/", 2, 0);
    rig_expect(rig, "47ms #1 200 end\n58ms #2 200 end\n");
    rig_request(rig, "GET", "http://a.test/", 3, 0);
    rig_request(rig, "GET", "http://a.test/", 2, 0);
    rig_expect(rig, "70ms #4 200 end\n105ms #3 200 end\n");       /* #4 has the idle one, #3 waits for its place */
    rig_close(rig);
}

/* Those of a session that wait at the server have a connection, and have sent their request over it: they stay. */
static void test_waiting_at_the_server_gets_a_place_when_one_lies_idle(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE("'max_connections':2,"));
    for (int i = 0; i < 5; i++)
        rig_request(rig, "GET", "http://a.test/", 1, 0);
    rig_expect(rig, "47ms #1 200 end\n47ms #2 200 end\n58ms #3 200 end\n58ms #4 200 end\n69ms #5 200 end\n");
    close_session(rig, 1);
    rig_request(rig, "GET", "http://a.test/", 1, 1);   /* nothing is left that would count */
    rig_expect(rig, "116ms #7 200 end\n");
    rig_close(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reuse_saves_resolve_and_connect),
        cmocka_unit_test(test_nothing_is_shared_with_others),
        cmocka_unit_test(test_the_latest_used_connection_goes_first),
        cmocka_unit_test(test_a_broken_connection_is_not_kept),
        cmocka_unit_test(test_max_per_host),
        cmocka_unit_test(test_max_per_host_after_a_reset),
        cmocka_unit_test(test_nobody_overtakes),
        cmocka_unit_test(test_closing_a_session),
        cmocka_unit_test(test_a_closed_session_can_go_on),
        cmocka_unit_test(test_idle_connections_count_at_the_server),
        cmocka_unit_test(test_waiting_at_the_server_gets_a_place_when_one_lies_idle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
