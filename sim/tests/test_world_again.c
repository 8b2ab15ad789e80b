/* Servers that close connections which a session has kept: what is sent again, how often, and what it costs. The
 * numbers are libcurl's (sim/world/REAL.md). */
#include "world_rig.h"

/* A site with the members given: way there and back 10 ms, connecting 20 ms. */
#define SITE(members, routes) \
    WORLD("'sites':[{'url':'http://a.test','rtt':'10ms','connect':'20ms'," members "'routes':[" routes "]}]")
#define PLAIN "{'path':'/','body':'x'}"
#define DIES(rest) "{'path':'/order','latency':'5ms','body':'done','fault':{'kind':'close'" rest "}}"

static uint64_t send_how(struct rig *rig, const char *method, const char *url, uint32_t session, enum world_sending how)
{
    char data[256];
    int length = snprintf(data, sizeof data, "%s%s", method, url);
    struct world_request request = {
        .op = WORLD_HTTP, .session = session, .sending = how, .data = data, .size = (size_t)length,
        .lengths = {(uint32_t)strlen(method), (uint32_t)strlen(url)},
    };
    return rig->world->submit(rig->world, &request);
}

/* n connections of session 1 lie idle from 30 ms on. */
static struct rig *with_idle(const char *json, int n)
{
    struct rig *rig = rig_open(json);
    char expected[1024] = "";
    for (int i = 1; i <= n; i++) {
        rig_get_in(rig, "http://a.test/", 1);
        snprintf(expected + strlen(expected), sizeof expected - strlen(expected), "30ms #%d 200 \"x\" end\n", i);
    }
    rig_expect(rig, expected);
    return rig;
}

static void test_on_a_new_connection_it_is_an_error(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE("", DIES("")));
    rig_get_in(rig, "http://a.test/order", 1);
    rig_expect(rig, "35ms #1 end ECONNRESET\n");
    rig_close(rig);
}

/* Over a kept one the server dies after 15 ms; then 20 to connect, and the same again: two executions, one answer. */
static void test_over_a_kept_one_it_is_sent_again(void **state)
{
    (void)state;
    static const char *const methods[] = {"GET", "POST", "DELETE"};
    for (size_t i = 0; i < 3; i++) {
        struct rig *rig = with_idle(SITE("", PLAIN "," DIES(",'times':1")), 1);
        send_how(rig, methods[i], "http://a.test/order", 1, WORLD_AGAIN);
        rig_expect(rig, "80ms #2 200 \"done\" end\n");
        expect_last_lines(rig, "45ms http.resent op=2\n45ms http.closed conn=1\n"
                               "65ms http.connected op=2 conn=2 reused=0\n"
                               "80ms http.end op=2 rc=0 status=200 bytes=4\n");
        rig_close(rig);
    }
}

/* One idle connection after the other, and then a new one: six executions and one answer, or no answer at all. */
static void test_five_times_more_at_most(void **state)
{
    (void)state;
    struct rig *rig = with_idle(SITE("", PLAIN "," DIES(",'times':5")), 5);
    rig_get_in(rig, "http://a.test/order", 1);
    rig_expect(rig, "140ms #6 200 \"done\" end\n");     /* 30 + 5 x 15 + 20 + 15 */
    rig_close(rig);
    rig = with_idle(SITE("", PLAIN "," DIES("")), 6);
    rig_get_in(rig, "http://a.test/order", 1);
    rig_expect(rig, "120ms #7 end ECONNRESET\n");       /* 30 + 6 x 15 */
    rig_close(rig);
}

static void test_once_takes_a_connection_of_its_own(void **state)
{
    (void)state;
    struct rig *rig = with_idle(SITE("", PLAIN "," DIES(",'times':1")), 1);
    send_how(rig, "POST", "http://a.test/order", 1, WORLD_ONCE);
    rig_expect(rig, "65ms #2 end ECONNRESET\n");
    send_how(rig, "POST", "http://a.test/order", 1, WORLD_ONCE);
    rig_expect(rig, "100ms #3 200 \"done\" end\n");
    rig_get_in(rig, "http://a.test/", 1);
    rig_expect(rig, "110ms #4 200 \"x\" end\n");        /* which the session then keeps like any other */
    rig_close(rig);
}

/* What was done at 30 ms is closed by the server at 125, which the client knows from 130 on. What it sends before 120
 * arrives in time. */
static void test_idle_for_too_long(void **state)
{
    (void)state;
    static const struct { int at; const char *end; } cases[] = {
        {120, "130ms #2 200 \"x\" end\n"},              /* arrives as the server closes: in time */
        {122, "162ms #2 200 \"x\" end\n"},              /* arrives behind that: 10 lost, 20 to connect, 10 */
        {129, "169ms #2 200 \"x\" end\n"},
        {130, "160ms #2 200 \"x\" end\n"},              /* known: a new connection at once */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig *rig = with_idle(SITE("'keep_alive':{'idle':'100ms'},", PLAIN), 1);
        rig_run_until(rig, MS(cases[i].at));
        rig_get_in(rig, "http://a.test/", 1);
        rig_expect(rig, cases[i].end);
        rig_close(rig);
    }
}

static void test_so_many_requests_a_connection(void **state)
{
    (void)state;
    struct rig *rig = with_idle(SITE("'keep_alive':{'requests':2},", PLAIN), 1);
    rig_get_in(rig, "http://a.test/", 1);
    rig_expect(rig, "40ms #2 200 \"x\" end\n");
    expect_last_lines(rig, "40ms http.end op=2 rc=0 status=200 bytes=1\n40ms http.closed conn=1\n");
    rig_get_in(rig, "http://a.test/", 1);
    rig_expect(rig, "70ms #3 200 \"x\" end\n");
    rig_close(rig);
}

static void test_connection_close(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE("", "{'path':'/','body':'x','headers':{'connection':'Close'}}"));
    for (int i = 1; i <= 2; i++) {
        char expected[64];
        rig_get_in(rig, "http://a.test/", 1);
        snprintf(expected, sizeof expected, "%dms #%d 200 \"x\" end\n", 30 * i, i);
        rig_expect(rig, expected);
    }
    rig_close(rig);
}

/* All of the answer is there when the connection breaks: no error, but the connection is gone. */
static void test_a_reset_behind_the_body(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE("", "{'path':'/','body':'x','fault':{'kind':'reset','after':1}}"));
    rig_get_in(rig, "http://a.test/", 1);
    rig_expect(rig, "30ms #1 200 \"x\" end\n");
    rig_get_in(rig, "http://a.test/", 1);
    rig_expect(rig, "60ms #2 200 \"x\" end\n");
    rig_close(rig);
}

/* libcurl uses none that has lain idle for 118 s. */
static void test_after_two_minutes_the_client_opens_another(void **state)
{
    (void)state;
    struct rig *rig = with_idle(SITE("", PLAIN), 1);
    rig_run_until(rig, MS(118029));
    rig_get_in(rig, "http://a.test/", 1);
    rig_expect(rig, "118039ms #2 200 \"x\" end\n");
    rig_run_until(rig, MS(236039));
    rig_get_in(rig, "http://a.test/", 1);
    rig_expect(rig, "236069ms #3 200 \"x\" end\n");
    rig_close(rig);
}

/* A head that is larger than a client takes. */
static void test_a_head_that_is_too_large(void **state)
{
    (void)state;
    enum { LINE = 100 * 1024 };
    char *json = malloc(4 * LINE);
    for (int i = 0; i < 2; i++) {
        int n = sprintf(json, "%s", SITE("", "{'path':'/','body':'x','headers':{'X':'"));
        n -= 4;                                         /* its "]}]}" */
        memset(json + n, 'v', LINE - 5 - 1 + (size_t)i);
        sprintf(json + n + LINE - 6 + i, "'}}]}]}");
        struct rig *rig = rig_open(json);
        rig_get(rig, "http://a.test/");
        struct world_completion out[4];
        assert_int_equal(rig->world->wait(rig->world, INT64_MAX, out, 4), 1);
        assert_int_equal(out[0].rc, i ? -EMSGSIZE : 0);
        rig_close(rig);
    }
    free(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_on_a_new_connection_it_is_an_error),
        cmocka_unit_test(test_over_a_kept_one_it_is_sent_again),
        cmocka_unit_test(test_five_times_more_at_most),
        cmocka_unit_test(test_once_takes_a_connection_of_its_own),
        cmocka_unit_test(test_idle_for_too_long),
        cmocka_unit_test(test_so_many_requests_a_connection),
        cmocka_unit_test(test_connection_close),
        cmocka_unit_test(test_a_reset_behind_the_body),
        cmocka_unit_test(test_after_two_minutes_the_client_opens_another),
        cmocka_unit_test(test_a_head_that_is_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
