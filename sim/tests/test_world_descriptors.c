/* So many connections at a time, and no descriptor for one more. */
#include "world_rig.h"

#define TWO WORLD("'descriptors':2,'sites':[{'url':'http://a.test','rtt':'20ms','routes':[{'path':'/'}," \
                  "{'path':'/hang','fault':{'kind':'hang'}}]}," \
                  "{'url':'http://b.test','rtt':'20ms','fault':{'kind':'refused'}}]")

static void test_one_more_fails_at_once_and_the_others_do_not_mind(void **state)
{
    (void)state;
    struct rig *rig = rig_open(TWO);
    for (int i = 0; i < 3; i++)
        rig_get(rig, "http://a.test/");
    rig_expect(rig, "0ms #3 end EMFILE\n40ms #1 200 end\n40ms #2 200 end\n");
    for (int i = 0; i < 2; i++)
        rig_get(rig, "http://a.test/");
    rig_expect(rig, "80ms #4 200 end\n80ms #5 200 end\n");
    rig_close(rig);
}

/* A connection that lies idle has one, as has one that is tried; who is cancelled or refused gives it back. */
static void test_who_has_one(void **state)
{
    (void)state;
    struct rig *rig = rig_open(TWO);
    rig_get_in(rig, "http://a.test/", 1);
    rig_expect(rig, "40ms #1 200 end\n");
    uint64_t hangs = rig_get(rig, "http://a.test/hang");
    rig_get(rig, "http://a.test/");
    rig_get_in(rig, "http://a.test/", 1);           /* over the idle one */
    rig_expect_until(rig, MS(100), "40ms #3 end EMFILE\n60ms #4 200 end\n");
    rig->world->cancel(rig->world, hangs);
    rig_get(rig, "http://b.test/");
    rig_get(rig, "http://b.test/");
    rig_expect(rig, "100ms #2 end ECANCELED\n100ms #6 end EMFILE\n120ms #5 end ECONNREFUSED\n");
    struct world_request close = {.op = WORLD_SESSION_CLOSE, .session = 1};
    rig->world->submit(rig->world, &close);
    rig_get(rig, "http://a.test/");
    rig_get(rig, "http://a.test/");
    rig_expect(rig, "160ms #8 200 end\n160ms #9 200 end\n");
    rig_close(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_more_fails_at_once_and_the_others_do_not_mind),
        cmocka_unit_test(test_who_has_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
