/* Answers in turn: what the k-th request to a route gets. */
#include "world_rig.h"

static void test_so_many_get_the_first_then_the_next(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'sites':[{'url':'http://a.test','routes':[{'path':'/','body':'own',"
                                     "'latency':'1ms','answers':[{'status':503,'times':2,'body':'busy'},202,"
                                     "{'body_size':100000,'headers':{'A':'b'}}]}]}]"));
    for (int i = 0; i < 6; i++)
        rig_get(rig, "http://a.test/");
    rig_expect(rig, "1ms #1 503 \"busy\" end\n1ms #2 503 \"busy\" end\n1ms #3 202 end\n"
                    "1ms #4 200\n1ms #4 +65536\n1ms #4 +34464 end\n"
                    "1ms #5 200 \"own\" end\n1ms #6 200 \"own\" end\n");
    rig_close(rig);
}

/* Of 1000 requests about 300 are struck; which, that hangs on the seed and on their number alone. */
static void test_a_probability_draws_by_number(void **state)
{
    (void)state;
    char log[2][1001] = {{0}};
    for (int run = 0; run < 2; run++) {
        struct rig *rig = rig_open_with(WORLD("'sites':[{'url':'http://a.test','routes':[{'path':'/','latency':'1ms',"
                                              "'answers':[{'status':500,'probability':0.3}]},{'path':'/x'}]}]"), 7,
                                        NULL);
        int struck = 0;
        for (int i = 0; i < 1000; i++) {
            if (run == 1 && i % 3 == 0)
                rig_get(rig, "http://a.test/x");            /* other traffic changes nothing */
            rig->length = 0;
            rig->log[0] = '\0';
            rig_get(rig, "http://a.test/");
            rig_run_until(rig, INT64_MAX);
            log[run][i] = strstr(rig->log, " 500 end") ? 'x' : '.';
            struck += log[run][i] == 'x';
        }
        assert_in_range(struck, 250, 350);
        rig_close(rig);
    }
    assert_string_equal(log[0], log[1]);
}

/* What chance does not take is counted; who counts is who was not taken. */
static void test_chance_before_a_count(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'sites':[{'url':'http://a.test','routes':[{'path':'/',"
                                     "'answers':[{'status':500,'probability':0},{'status':429,'times':1},"
                                     "{'status':503,'probability':1}]}]}]"));
    for (int i = 0; i < 3; i++)
        rig_get(rig, "http://a.test/");
    rig_expect(rig, "0ms #1 429 end\n0ms #2 503 end\n0ms #3 503 end\n");
    rig_close(rig);
}

/* A request that is sent again is one more to the server; and who may not in gets no turn. */
static void test_who_is_turned_away_still_counts(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'sites':[{'url':'http://a.test','routes':[{'path':'/','echo':true,"
                                     "'require':{'A':'b'},'answers':[503]}]}]"));
    rig_get(rig, "http://a.test/");
    rig_expect(rig, "0ms #1 401 end\n");
    char data[] = "POSThttp://a.test/A: b\nhello";
    struct world_request request = {.op = WORLD_HTTP, .data = data, .size = sizeof data - 1, .lengths = {4, 14, 5, 5}};
    assert_true(rig->world->submit(rig->world, &request) > 0);
    rig_expect(rig, "0ms #2 200 \"hello\" end\n");
    rig_close(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_so_many_get_the_first_then_the_next),
        cmocka_unit_test(test_a_probability_draws_by_number),
        cmocka_unit_test(test_chance_before_a_count),
        cmocka_unit_test(test_who_is_turned_away_still_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
