/* Bodies whose length nobody tells beforehand: chunked, and up to the end of the connection. */
#include "world_rig.h"

static void expect_head(struct rig *rig, const char *url, const char *head)
{
    struct world_completion out[1];
    rig_get(rig, url);
    assert_int_equal(rig->world->wait(rig->world, INT64_MAX, out, 1), 1);
    assert_int_equal(out[0].head, strlen(head));
    assert_memory_equal(out[0].data, head, strlen(head));
}

static void test_heads(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'sites':[{'url':'http://a.test','routes':["
                                     "{'path':'/c','body':'hello','framing':'chunked','trailers':{'X':'y'}},"
                                     "{'path':'/e','body':'hello','framing':'close','headers':{'A':'b'}}]}]"));
    expect_head(rig, "http://a.test/c", "Transfer-Encoding: chunked\n");
    expect_head(rig, "http://a.test/e", "A: b\n");
    rig_close(rig);
}

static void test_which_connections_are_kept(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'sites':[{'url':'http://a.test','rtt':'10ms','routes':["
                                     "{'path':'/c','body':'hello','framing':'chunked'},"
                                     "{'path':'/e','body':'hello','framing':'close'}]}]"));
    rig_get_in(rig, "http://a.test/c", 1);
    rig_expect(rig, "20ms #1 200 \"hello\" end\n");
    rig_get_in(rig, "http://a.test/e", 1);
    rig_expect(rig, "30ms #2 200 \"hello\" end\n");
    expect_last_lines(rig, "30ms http.closed conn=1\n");
    rig_get_in(rig, "http://a.test/c", 1);
    rig_expect(rig, "50ms #3 200 \"hello\" end\n");
    rig_close(rig);
}

/* Where only the end of the connection says that it is all, a polite end is all, and an impolite one is none. */
static void test_what_a_cut_looks_like(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'sites':[{'url':'http://a.test','routes':["
        "{'path':'/1','body':'hello','framing':'chunked','fault':{'kind':'truncate','after':3}},"
        "{'path':'/2','body':'hello','framing':'close','fault':{'kind':'truncate','after':3}},"
        "{'path':'/3','body':'hello','framing':'chunked','fault':{'kind':'reset','after':5}},"
        "{'path':'/4','body':'hello','framing':'close','fault':{'kind':'reset','after':5}},"
        "{'path':'/5','body':'hello','framing':'close','fault':{'kind':'reset','after':2}}]}]"));
    for (int i = 1; i <= 5; i++) {
        char url[40];
        sprintf(url, "http://a.test/%d", i);
        rig_get(rig, url);
    }
    rig_expect(rig, "0ms #1 200 \"hel\" end EPROTO\n0ms #2 200 \"hel\" end\n0ms #3 200 \"hello\" end\n"
                    "0ms #4 200 \"hello\" end ECONNRESET\n0ms #5 200 \"he\" end ECONNRESET\n");
    rig_close(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heads),
        cmocka_unit_test(test_which_connections_are_kept),
        cmocka_unit_test(test_what_a_cut_looks_like),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
