/* Hosts with two addresses, not all of which answer: as libcurl tries them (200 ms seen with 7.88.1). */
#include "world_rig.h"

static void test_who_answers_first(void **state)
{
    (void)state;
    static const struct { const char *addresses, *connect, *end; } cases[] = {
        {"'up'", "20ms", "30ms #1 200 end\n"}, {"'up','up'", "20ms", "30ms #1 200 end\n"},
        {"'up','dead'", "20ms", "30ms #1 200 end\n"}, {"'refused','up'", "20ms", "50ms #1 200 end\n"},
        {"'dead','up'", "20ms", "230ms #1 200 end\n"}, {"'up','up'", "500ms", "510ms #1 200 end\n"},
        {"'refused','up'", "500ms", "710ms #1 200 end\n"}, {"'refused'", "20ms", "20ms #1 end ECONNREFUSED\n"},
        {"'refused','refused'", "20ms", "40ms #1 end ECONNREFUSED\n"},
        {"'dead'", "20ms", "131000ms #1 end ETIMEDOUT\n"},
        {"'refused','dead'", "20ms", "131020ms #1 end ETIMEDOUT\n"},
        {"'dead','refused'", "20ms", "131000ms #1 end ETIMEDOUT\n"},
        {"'dead','dead'", "20ms", "131200ms #1 end ETIMEDOUT\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char json[300];
        snprintf(json, sizeof json, WORLD("'sites':[{'url':'http://a.test','connect':'%s','addresses':[%s],"
                                          "'routes':[{'path':'/','latency':'10ms'}]}]"), cases[i].connect,
                 cases[i].addresses);
        struct rig *rig = rig_open(json);
        rig_get(rig, "http://a.test/");
        rig_expect(rig, cases[i].end);
        rig_close(rig);
    }
}

static void test_a_session_pays_once(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'sites':[{'url':'http://a.test','rtt':'20ms','addresses':['dead','up'],"
                                     "'routes':[{'path':'/'}]}]"));
    rig_get_in(rig, "http://a.test/", 1);
    rig_expect(rig, "240ms #1 200 end\n");
    rig_get_in(rig, "http://a.test/", 1);
    rig_expect(rig, "260ms #2 200 end\n");
    rig_close(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_answers_first),
        cmocka_unit_test(test_a_session_pays_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
