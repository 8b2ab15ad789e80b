/* The five calls: how time passes, what wait hands over and in which order, and that it is always the same. */
#include "world_rig.h"

#define SITES \
    WORLD("'sites':[{'url':'http://a.test','connect':'0ms','routes':[{'path':'/10','latency':'10ms','body':'ten'}," \
                    "{'path':'/20','latency':'20ms'},{'path':'/30','latency':'30ms'}," \
                    "{'path':'/drip','body_size':1000,'fault':{'kind':'drip','every':'1ms'}}," \
                    "{'path':'/any','latency':['100ms','500ms'],'body':'x'}," \
                    "{'path':'/maybe','latency':['1ms','2ms'],'fault':{'kind':'close','probability':0.5}}]}," \
                    "{'url':'http://b.test','routes':[{'path':'/any','latency':['100ms','500ms']}]}]")

/* The first three latencies of http://a.test/any with seed 7. */
#define DRAW_1 354682070
#define DRAW_2 130223882
#define DRAW_3 282431337

/* ---- wait ---------------------------------------------------------------------------------- */

static void test_wait_until(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITES);
    struct co_world *world = rig->world;
    struct world_completion out[4];
    assert_int_equal(world->now(world), 0);
    assert_int_equal(world->wait(world, INT64_MAX, out, 4), 0);
    assert_int_equal(world->now(world), 0);             /* nothing will ever happen: time has not moved */
    assert_int_equal(world->wait(world, MS(5), out, 4), 0);
    assert_int_equal(world->now(world), MS(5));
    assert_int_equal(world->wait(world, MS(1), out, 4), 0);
    assert_int_equal(world->now(world), MS(5));         /* the past is now */
    rig_get(rig, "http://a.test/10");
    assert_int_equal(world->wait(world, MS(15) - 1, out, 4), 0);
    assert_int_equal(world->now(world), MS(15) - 1);
    assert_int_equal(world->wait(world, MS(15), out, 4), 1);
    assert_int_equal(world->now(world), MS(15));
    assert_int_equal(out[0].user, 0);
    rig_close(rig);
}

static void test_stops_at_the_first_instant(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITES);
    rig_get(rig, "http://a.test/20");
    rig_get(rig, "http://a.test/10");
    rig_get(rig, "http://a.test/20");
    assert_int_equal(rig_wait(rig, INT64_MAX, 64), 1);
    assert_int_equal(rig_wait(rig, INT64_MAX, 64), 2);
    assert_int_equal(rig_wait(rig, INT64_MAX, 64), 0);
    assert_string_equal(rig->log, "10ms #2 200 \"ten\" end\n20ms #1 200 end\n20ms #3 200 end\n");
    rig_close(rig);
}

/* What does not fit into out[] comes next time, at the same instant. */
static void test_more_than_fits(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITES);
    for (int i = 0; i < 5; i++)
        rig_get(rig, "http://a.test/10");
    assert_int_equal(rig_wait(rig, INT64_MAX, 2), 2);
    assert_int_equal(rig_wait(rig, INT64_MAX, 0), 0);
    assert_int_equal(rig_wait(rig, MS(100), 2), 2);
    rig_get(rig, "http://c.test/");   /* ends at this instant too, after the others */
    assert_int_equal(rig_wait(rig, MS(100), 2), 2);
    assert_int_equal(rig_wait(rig, MS(100), 2), 0);
    assert_string_equal(rig->log, "10ms #1 200 \"ten\" end\n10ms #2 200 \"ten\" end\n10ms #3 200 \"ten\" end\n"
                                  "10ms #4 200 \"ten\" end\n10ms #5 200 \"ten\" end\n10ms #6 end ENXIO\n");
    rig_close(rig);
}

static void test_user_is_handed_back(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITES);
    struct world_completion out[2];
    struct world_request request = {.op = WORLD_HTTP, .user = UINT64_MAX - 1, .data = "GEThttp://a.test/10", .size = 19,
                                    .lengths = {3, 16}};
    uint64_t id = rig->world->submit(rig->world, &request);
    assert_int_equal(rig->world->wait(rig->world, INT64_MAX, out, 2), 1);
    assert_true(out[0].id == id && out[0].user == UINT64_MAX - 1);
    assert_int_equal(out[0].parts, WORLD_HEAD | WORLD_BODY | WORLD_END);
    rig_close(rig);
}

/* ---- block --------------------------------------------------------------------------------- */

static void test_block_hands_over_nothing(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITES);
    rig_get(rig, "http://a.test/30");
    rig_get(rig, "http://a.test/20");
    rig_get(rig, "http://a.test/10");
    rig->world->block(rig->world, MS(25));
    assert_int_equal(rig->world->now(rig->world), MS(25));
    rig->world->block(rig->world, 0);
    rig->world->block(rig->world, -1);
    rig_expect(rig, "25ms #3 200 \"ten\" end\n25ms #2 200 end\n30ms #1 200 end\n");
    rig_expect_trace(rig, "0ms http.start op=1 task=1 url=http://a.test/30 method=GET\n"
                          "0ms http.connected op=1 conn=1 reused=0\n"
                          "0ms http.start op=2 task=1 url=http://a.test/20 method=GET\n"
                          "0ms http.connected op=2 conn=2 reused=0\n"
                          "0ms http.start op=3 task=1 url=http://a.test/10 method=GET\n"
                          "0ms http.connected op=3 conn=3 reused=0\n"
                          "0ms cpu.block ns=25000000\n"
                          "10ms http.end op=3 rc=0 status=200 bytes=3\n"
                          "10ms http.closed conn=3\n"
                          "20ms http.end op=2 rc=0 status=200 bytes=0\n"
                          "20ms http.closed conn=2\n"
                          "30ms http.end op=1 rc=0 status=200 bytes=0\n"
                          "30ms http.closed conn=1\n");
    rig_close(rig);
}

/* Who ends first is told first, even if somebody else's answer began before. */
static void test_ends_stay_in_order_while_blocked(void **state)
{
    (void)state;
    struct rig *rig =
        rig_open(WORLD("'sites':[{'url':'http://a.test','routes':[{'path':'/slow','body':'abc','bandwidth':100},"
                                     "{'path':'/10','latency':'10ms'}]}]"));
    rig_get(rig, "http://a.test/slow");
    rig_get(rig, "http://a.test/10");
    rig->world->block(rig->world, MS(100));
    rig_expect(rig, "100ms #1 200 \"abc\"\n100ms #2 200 end\n100ms #1 end\n");
    rig_close(rig);
}

/* Completions say when they happened, even if the loop learns it later. */
static void test_completions_carry_their_time(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITES);
    struct world_completion out[4];
    rig_get(rig, "http://a.test/20");
    rig_get(rig, "http://a.test/10");
    uint64_t id = rig_get(rig, "http://a.test/30");
    rig->world->block(rig->world, MS(25));
    rig->world->cancel(rig->world, id);
    assert_int_equal(rig->world->wait(rig->world, MS(100), out, 4), 3);
    assert_true(out[0].id == 2 && out[0].t == MS(10));
    assert_true(out[1].id == 1 && out[1].t == MS(20));
    assert_true(out[2].id == 3 && out[2].t == MS(25));
    rig_close(rig);
}

/* What drips in while the loop is busy waits as one piece. */
static void test_a_drip_gathers_while_blocked(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITES);
    uint64_t id = rig_get(rig, "http://a.test/drip");
    rig->world->block(rig->world, MS(10));
    rig_expect_until(rig, MS(12), "10ms #1 200 \"0123456789\"\n11ms #1 \"a\"\n12ms #1 \"b\"\n");
    rig_get(rig, "http://a.test/drip");
    rig->world->block(rig->world, MS(3));
    rig_expect_until(rig, MS(15), "15ms #2 200 \"012\"\n15ms #1 \"cde\"\n");
    rig->world->cancel(rig->world, id);
    rig_close(rig);
}

static void test_time_does_not_overflow(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'sites':[{'url':'http://a.test','rtt':'9223372036s','routes':[{'path':'/'}]}]"));
    rig_get(rig, "http://a.test/");
    rig_expect(rig, "");   /* connected after 292 years, answered never */
    rig_close(rig);
    rig = rig_open(WORLD("'sites':[{'url':'http://a.test','routes':[{'path':'/','body_size':9223372036854775807,"
                         "'bandwidth':1}]}]"));
    rig_get(rig, "http://a.test/");
    rig_expect(rig, "0ms #1 200\n");
    rig_close(rig);
}

/* ---- Reports ------------------------------------------------------------------------------- */

static void test_a_report_goes_to_the_trace(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITES);
    struct world_request request = {.op = WORLD_REPORT, .data = "start{\"n\":3}", .size = 12, .lengths = {5, 7}};
    rig->world->block(rig->world, MS(3));
    uint64_t first = rig->world->submit(rig->world, &request), second = rig_get(rig, "http://c.test/");
    assert_true(first > 0 && second > first);
    rig_expect(rig, "3ms #2 end ENXIO\n");
    char *trace = rig_trace(rig);
    assert_non_null(strstr(trace, "3ms report name=start value={n=3}\n"));
    free(trace);
    rig_close(rig);
}

/* ---- Draws --------------------------------------------------------------------------------- */

/* When each of n requests to a URL ends, in ns. */
static void times_of(struct rig *rig, const char *url, int n, int64_t times[])
{
    for (int i = 0; i < n; i++) {
        struct world_completion out[1];
        int64_t start = rig->world->now(rig->world);
        rig_get(rig, url);
        assert_int_equal(rig->world->wait(rig->world, INT64_MAX, out, 1), 1);
        times[i] = rig->world->now(rig->world) - start;
    }
}

static void test_latencies_lie_in_the_range(void **state)
{
    (void)state;
    struct rig *rig = rig_open_with(SITES, 7, NULL);
    int64_t times[200], sum = 0;
    times_of(rig, "http://a.test/any", 200, times);
    for (int i = 0; i < 200; i++) {
        assert_in_range(times[i], MS(100), MS(500));
        sum += times[i];
    }
    assert_in_range(sum / 200, MS(280), MS(320));
    rig_close(rig);
    rig = rig_open(WORLD("'sites':[{'url':'http://a.test','routes':[{'path':'/','latency':['1ns','3ns']}]}]"));
    int count[4] = {0};
    times_of(rig, "http://a.test/", 200, times);
    for (int i = 0; i < 200; i++)
        count[times[i]]++;
    assert_true(count[0] == 0 && count[1] > 40 && count[2] > 40 && count[3] > 40);
    rig_close(rig);
}

/* The formula is promised: grader/looplab computes it too. Changing it changes every seeded world. */
static void test_the_draw_itself(void **state)
{
    (void)state;
    struct rig *rig = rig_open_with(SITES, 7, NULL);
    int64_t times[3];
    times_of(rig, "http://a.test/any", 3, times);
    assert_int_equal(times[0], DRAW_1);
    assert_int_equal(times[1], DRAW_2);
    assert_int_equal(times[2], DRAW_3);
    rig_close(rig);
}

static void test_seeds_differ_and_repeat(void **state)
{
    (void)state;
    int64_t a[20], b[20], c[20], d[20];
    struct rig *rig = rig_open_with(SITES, 7, NULL);
    times_of(rig, "http://a.test/any", 20, a);
    times_of(rig, "http://b.test/any", 20, d);
    rig_close(rig);
    rig = rig_open_with(SITES, 7, NULL);
    times_of(rig, "http://a.test/any", 20, b);
    rig_close(rig);
    rig = rig_open_with(SITES, 8, NULL);
    times_of(rig, "http://a.test/any", 20, c);
    rig_close(rig);
    assert_memory_equal(a, b, sizeof a);
    assert_memory_not_equal(a, c, sizeof a);
    assert_memory_not_equal(a, d, sizeof a);
}

static void test_the_file_has_a_seed(void **state)
{
    (void)state;
    int64_t a[5], b[5];
    struct rig *rig = rig_open(WORLD("'seed':7,'sites':[{'url':'http://a.test','routes':[{'path':'/any',"
                                     "'latency':['100ms','500ms']}]}]"));
    times_of(rig, "http://a.test/any", 5, a);
    rig_close(rig);
    rig = rig_open_with(SITES, 7, NULL);
    times_of(rig, "http://a.test/any", 5, b);
    rig_close(rig);
    assert_memory_equal(a, b, sizeof a);
}

static void test_other_traffic_changes_nothing(void **state)
{
    (void)state;
    int64_t alone[20], among[20], ignored[1];
    struct rig *rig = rig_open_with(SITES, 7, NULL);
    times_of(rig, "http://a.test/any", 20, alone);
    rig_close(rig);
    rig = rig_open_with(SITES, 7, NULL);
    for (int i = 0; i < 20; i++) {
        times_of(rig, "http://b.test/any", 1, ignored);
        times_of(rig, "http://a.test/maybe", 1, ignored);
        times_of(rig, "http://a.test/any", 1, &among[i]);
    }
    rig_close(rig);
    assert_memory_equal(alone, among, sizeof alone);
}

static int count_resets(const char *probability)
{
    char json[300];
    snprintf(json, sizeof json, WORLD("'sites':[{'url':'http://a.test','routes':[{'path':'/',"
                                      "'fault':{'kind':'close','probability':%s}}]}]"), probability);
    struct rig *rig = rig_open_with(json, 7, NULL);
    int resets = 0;
    for (int i = 0; i < 400; i++) {
        struct world_completion out[1];
        rig_get(rig, "http://a.test/");
        assert_int_equal(rig->world->wait(rig->world, INT64_MAX, out, 1), 1);
        resets += out[0].rc == -ECONNRESET;
    }
    rig_close(rig);
    return resets;
}

static void test_probability(void **state)
{
    (void)state;
    assert_int_equal(count_resets("0"), 0);
    assert_int_equal(count_resets("0.0"), 0);
    assert_int_equal(count_resets("1"), 400);
    assert_int_equal(count_resets("1.0"), 400);
    assert_in_range(count_resets("0.25"), 80, 120);
    assert_in_range(count_resets("0.999"), 397, 400);
    assert_int_equal(count_resets("1e-300"), 0);
}

/* ---- The tape ------------------------------------------------------------------------------ */

static struct rig *open_with_tape(const char *text, struct tape **tape)
{
    char error[100];
    *tape = tape_open(text, error, sizeof error);
    assert_non_null(*tape);
    return rig_open_with(SITES, 7, *tape);
}

static void test_the_tape_chooses_the_latency(void **state)
{
    (void)state;
    static const struct { const char *tape; int64_t ns; } cases[] = {{"", DRAW_1}, {"1=1", MS(100)}, {"1=2", MS(500)}};
    for (size_t i = 0; i < 3; i++) {
        struct tape *tape;
        struct rig *rig = open_with_tape(cases[i].tape, &tape);
        int64_t times[1];
        times_of(rig, "http://a.test/10", 1, times);   /* nothing to choose: not asked */
        assert_int_equal(tape_asked(tape), 0);
        times_of(rig, "http://a.test/any", 1, times);
        assert_int_equal(tape_asked(tape), 1);
        assert_int_equal(times[0], cases[i].ns);
        rig_close(rig);
        tape_close(tape);
    }
}

static void test_the_tape_lets_a_fault_strike(void **state)
{
    (void)state;
    bool struck[2][10];
    for (int i = 0; i < 2; i++) {
        struct tape *tape;   /* questions: fault, latency, fault, latency, ... */
        struct rig *rig = open_with_tape(i == 0 ? "" : "1=1,3=1,5=1,7=1,9=1,11=1,13=1,15=1,17=1,19=1", &tape);
        for (int k = 0; k < 10; k++) {
            struct world_completion out[1];
            rig_get(rig, "http://a.test/maybe");
            assert_int_equal(rig->world->wait(rig->world, INT64_MAX, out, 1), 1);
            struck[i][k] = out[0].rc == -ECONNRESET;
        }
        assert_int_equal(tape_asked(tape), 20);
        rig_close(rig);
        tape_close(tape);
    }
    int spared = 0;
    for (int k = 0; k < 10; k++) {
        spared += !struck[0][k];
        assert_true(struck[1][k]);
    }
    assert_in_range(spared, 1, 9);
}

/* ---- Always the same ----------------------------------------------------------------------- */

static uint32_t next_random(uint32_t *random)
{
    return (*random = *random * 1664525 + 1013904223) >> 16;
}

/* A busy life: what it did, and the trace of it. */
static char *live(struct rig *rig)
{
    static const char *const urls[] = {"http://a.test/10", "http://a.test/any", "http://a.test/maybe",
                                       "http://b.test/any",
                                       "http://a.test/drip", "http://a.test/none"};
    uint32_t random = 1;
    for (int i = 0; i < 150; i++) {
        uint64_t id = rig_request(rig, "GET", urls[next_random(&random) % 6], next_random(&random) % 3,
                                  next_random(&random) % 3);
        if (next_random(&random) % 4 == 0)
            rig->world->cancel(rig->world, id - next_random(&random) % 5);
        if (next_random(&random) % 4 == 0)
            rig->world->block(rig->world, (int64_t)(next_random(&random) % 1000) * 1000);
        if (next_random(&random) % 2 == 0)
            rig_wait(rig, rig->world->now(rig->world) + MS(next_random(&random) % 20), 1 + next_random(&random) % 3);
        if (i % 50 == 49)
            rig->world->submit(rig->world, &(struct world_request){.op = WORLD_SESSION_CLOSE, .session = 1});
    }
    return rig_trace(rig);
}

static void test_the_same_calls_have_the_same_effects(void **state)
{
    (void)state;
    struct rig *first = rig_open_with(SITES, 7, NULL), *second = rig_open_with(SITES, 7, NULL);
    void *holes[50];   /* lets the second one's objects lie elsewhere */
    for (int i = 0; i < 50; i++)
        holes[i] = malloc((size_t)(7 * i + 16));
    for (int i = 0; i < 50; i += 2)
        free(holes[i]);
    char *one = live(first), *two = live(second);
    assert_true(strlen(one) > 10000);
    assert_string_equal(one, two);
    assert_string_equal(first->log, second->log);
    for (int i = 1; i < 50; i += 2)
        free(holes[i]);
    free(one);
    free(two);
    rig_close(first);
    rig_close(second);
}

/* Five hundred events, a third of them taken back from all over the heap: the rest happen in order (the rig looks). */
static void test_the_order_survives_cancelling(void **state)
{
    (void)state;
    struct rig *rig = rig_open_with(SITES, 7, NULL);
    struct world_completion out[1];
    uint64_t ids[500];
    uint32_t random = 1;
    int64_t t = 0;
    int done = 0;
    for (int i = 0; i < 500; i++)
        ids[i] = rig_get(rig, "http://a.test/any");
    for (int i = 0; i < 170; i++)
        rig->world->cancel(rig->world, ids[next_random(&random) % 500]);
    while (rig->world->wait(rig->world, INT64_MAX, out, 1) > 0) {
        assert_true(out[0].t >= t && (out[0].rc == -ECANCELED ? out[0].t == 0 : out[0].t >= MS(100)));
        t = out[0].t;
        done++;
    }
    assert_int_equal(done, 500);
    rig_close(rig);
}

/* Closing in the middle of everything frees everything (the sanitizer looks), without a trace. */
static void test_closes_amid_work(void **state)
{
    (void)state;
    char error[100];
    struct co_world *world = world_virtual_open(NULL, 0, NULL, NULL, error, sizeof error);
    assert_non_null(world);
    world->close(world);
    struct rig *rig = rig_open(SITES);
    for (uint32_t i = 0; i < 200; i++)
        rig_request(rig, "GET", "http://a.test/20", i % 3, 2);
    rig_run_until(rig, MS(15));
    rig_close(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wait_until),
        cmocka_unit_test(test_stops_at_the_first_instant),
        cmocka_unit_test(test_more_than_fits),
        cmocka_unit_test(test_user_is_handed_back),
        cmocka_unit_test(test_block_hands_over_nothing),
        cmocka_unit_test(test_ends_stay_in_order_while_blocked),
        cmocka_unit_test(test_completions_carry_their_time),
        cmocka_unit_test(test_a_drip_gathers_while_blocked),
        cmocka_unit_test(test_time_does_not_overflow),
        cmocka_unit_test(test_a_report_goes_to_the_trace),
        cmocka_unit_test(test_latencies_lie_in_the_range),
        cmocka_unit_test(test_the_draw_itself),
        cmocka_unit_test(test_seeds_differ_and_repeat),
        cmocka_unit_test(test_the_file_has_a_seed),
        cmocka_unit_test(test_other_traffic_changes_nothing),
        cmocka_unit_test(test_probability),
        cmocka_unit_test(test_the_tape_chooses_the_latency),
        cmocka_unit_test(test_the_tape_lets_a_fault_strike),
        cmocka_unit_test(test_the_same_calls_have_the_same_effects),
        cmocka_unit_test(test_the_order_survives_cancelling),
        cmocka_unit_test(test_closes_amid_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
