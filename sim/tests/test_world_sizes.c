/* How large a request may be: 414, 400 and 413, before its body is there. */
#include "world_rig.h"

#define SIZES "'max_request':{'url':6,'header':10,'body':5}"

static void send(struct rig *rig, const char *url, const char *headers, const char *body, uint32_t session)
{
    char data[600];
    int size = snprintf(data, sizeof data, "POST%s%s%s", url, headers, body);
    struct world_request request = {
        .op = WORLD_HTTP, .session = session, .data = data, .size = (size_t)size,
        .lengths = {4, (uint32_t)strlen(url), (uint32_t)strlen(headers), (uint32_t)strlen(body)},
    };
    assert_true(rig->world->submit(rig->world, &request) > 0);
}

static void test_at_the_limit_and_one_beyond(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'sites':[{'url':'http://a.test'," SIZES ",'routes':[{'path':'/'}]}]"));
    send(rig, "http://a.test/?2345", "ABCDE: 890\nX: y\n", "12345", 0);
    send(rig, "http://a.test/?23456", "", "", 0);
    send(rig, "http://a.test/", "X: y\nABCDE: 8901\n", "", 0);
    send(rig, "http://a.test/", "", "123456", 0);
    send(rig, "http://a.test/?23456", "ABCDE: 8901\n", "123456", 0);        /* the first thing that is wrong */
    rig_expect(rig, "0ms #1 200 end\n0ms #2 414 end\n0ms #3 400 end\n0ms #4 413 end\n0ms #5 414 end\n");
    rig_close(rig);
}

/* At 10 bytes a second the body takes 600 ms; the answer does not wait for it, nor for a worker, nor for a route. */
static void test_the_answer_is_early_and_the_connection_closed(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'sites':[{'url':'http://a.test','rtt':'20ms','workers':1,'bandwidth':10,"
                                     "'limit_req':{'rate':'100r/s'}," SIZES
                                     ",'routes':[{'path':'/','latency':'100ms','fault':{'kind':'hang','times':1}}]}]"));
    send(rig, "http://a.test/", "", "123456", 7);
    rig_expect(rig, "40ms #1 413 end\n");
    expect_last_lines(rig, "40ms http.end op=1 rc=0 status=413 bytes=0\n40ms http.closed conn=1\n");
    send(rig, "http://a.test/", "", "12345", 7);
    rig_expect_until(rig, MS(1000), "");
    rig->world->cancel(rig->world, 2);
    send(rig, "http://a.test/", "", "12345", 7);
    rig_expect(rig, "1000ms #2 end ECANCELED\n1640ms #3 200 end\n");
    rig_close(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_at_the_limit_and_one_beyond),
        cmocka_unit_test(test_the_answer_is_early_and_the_connection_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
