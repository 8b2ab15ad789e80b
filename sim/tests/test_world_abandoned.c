/* Servers that do not notice that a client has given up: what that costs them. */
#include "world_rig.h"

#define SITE(rest) WORLD("'sites':[{'url':'http://a.test','works_on':true," rest "}]")
#define SLOW "'routes':[{'path':'/','latency':'100ms'},{'path':'/hang','fault':{'kind':'hang'}}]"

static void give_up(struct rig *rig, uint64_t id)
{
    rig->world->cancel(rig->world, id);
}

static void test_the_worker_works_on(void **state)
{
    (void)state;
    for (int works_on = 0; works_on < 2; works_on++) {
        struct rig *rig = rig_open(works_on ? SITE("'workers':1," SLOW)
                                            : WORLD("'sites':[{'url':'http://a.test','workers':1," SLOW "}]"));
        uint64_t id = rig_get(rig, "http://a.test/");
        rig_run_until(rig, MS(10));
        give_up(rig, id);
        rig_get(rig, "http://a.test/");
        rig_expect(rig, works_on ? "10ms #1 end ECANCELED\n200ms #2 200 end\n"
                                 : "10ms #1 end ECANCELED\n110ms #2 200 end\n");
        rig_close(rig);
    }
}

/* Who still waits for a worker gets one, though nobody waits for the answer. */
static void test_who_stands_in_line_stays_there(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE("'rtt':'20ms','workers':1," SLOW));
    uint64_t ids[4];
    for (int i = 0; i < 4; i++)
        ids[i] = rig_get(rig, "http://a.test/");
    rig_expect_until(rig, MS(25), "");
    give_up(rig, ids[0]);               /* on its way */
    rig_expect_until(rig, MS(60), "25ms #1 end ECANCELED\n");
    give_up(rig, ids[1]);               /* in line */
    rig_expect(rig, "60ms #2 end ECANCELED\n340ms #3 200 end\n440ms #4 200 end\n");
    rig_close(rig);
}

static void test_connection_and_hand_stay_taken(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE("'max_connections':1," SLOW));
    uint64_t id = rig_get(rig, "http://a.test/");
    rig_run_until(rig, MS(10));
    give_up(rig, id);
    rig_get(rig, "http://a.test/");
    rig_expect(rig, "10ms #1 end ECANCELED\n200ms #2 200 end\n");
    rig_close(rig);
    rig = rig_open(SITE("'limit_conn':{'requests':1}," SLOW));
    id = rig_get(rig, "http://a.test/");
    rig_run_until(rig, MS(10));
    give_up(rig, id);
    rig_get(rig, "http://a.test/");
    rig_expect_until(rig, MS(100), "10ms #1 end ECANCELED\n10ms #2 503 end\n");
    rig_get(rig, "http://a.test/");
    rig_expect(rig, "200ms #3 200 end\n");
    rig_close(rig);
}

/* What would hang for ever is let go: with the client, or as a worker comes to it. */
static void test_what_hangs(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE("'workers':1," SLOW));
    uint64_t first = rig_get(rig, "http://a.test/hang"), second = rig_get(rig, "http://a.test/hang");
    rig_get(rig, "http://a.test/");
    rig_run_until(rig, MS(10));
    give_up(rig, second);
    rig_run_until(rig, MS(20));
    give_up(rig, first);
    rig_expect(rig, "20ms #1 end ECANCELED\n120ms #3 200 end\n");
    rig_close(rig);
}

/* What servers do alone is no reason to wait: nothing more will be heard of it. */
static void test_nothing_more_is_heard(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE("'workers':1," SLOW));
    uint64_t id = rig_get(rig, "http://a.test/");
    rig_run_until(rig, MS(10));
    give_up(rig, id);
    give_up(rig, id);
    rig_expect(rig, "10ms #1 end ECANCELED\n");
    assert_int_equal(rig->world->now(rig->world), MS(10));
    for (int i = 0; i < 100; i++) {                 /* its place is used again, and more room is needed */
        uint64_t next = rig_get(rig, "http://a.test/");
        if (i % 2)
            give_up(rig, next);
    }
    rig_run_until(rig, MS(20000));
    rig_get(rig, "http://a.test/");
    rig_expect(rig, "20100ms #102 200 end\n");
    rig_close(rig);
    rig = rig_open(SITE("'workers':1," SLOW));
    give_up(rig, rig_get(rig, "http://a.test/"));
    rig_close(rig);                                 /* a server still at work is no leak */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_worker_works_on),
        cmocka_unit_test(test_who_stands_in_line_stays_there),
        cmocka_unit_test(test_connection_and_hand_stay_taken),
        cmocka_unit_test(test_what_hangs),
        cmocka_unit_test(test_nothing_more_is_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
