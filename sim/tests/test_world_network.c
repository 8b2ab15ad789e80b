/* How long requests take and how they end: the rules of the simulated network, to the nanosecond. */
#include "world_rig.h"

/* ---- One request --------------------------------------------------------------------------- */

static void test_takes_resolve_connect_rtt_and_latency(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'sites':[{'url':'http://a.test','rtt':'20ms','connect':'30ms','resolve':'5ms',"
                                     "'routes':[{'path':'/','latency':'300ms','body':'hello'}]}]"));
    rig_get(rig, "http://a.test/");
    rig_expect(rig, "355ms #1 200 \"hello\" end\n");
    rig_expect_trace(rig, "0ms http.start op=1 task=1 url=http://a.test/ method=GET\n"
                          "35ms http.connected op=1 conn=1 reused=0\n"
                          "355ms http.end op=1 rc=0 status=200 bytes=5\n"
                          "355ms http.closed conn=1\n");
    rig_close(rig);
}

static void test_connecting_takes_a_round_trip_unless_said_otherwise(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'sites':[{'url':'http://a.test','rtt':'20ms','routes':[{'path':'/'}]}]"));
    rig_get(rig, "http://a.test/");
    rig_expect(rig, "40ms #1 200 end\n");
    rig_close(rig);
}

static void test_everything_defaults_to_no_time(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'sites':[{'url':'http://a.test','routes':[{'path':'/','body':'x'}]}]"));
    rig_get(rig, "http://a.test/");
    rig_expect(rig, "0ms #1 200 \"x\" end\n");
    rig_close(rig);
}

/* An odd round trip must not lose a nanosecond where it is cut into two. */
static void test_odd_round_trip(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'sites':[{'url':'http://a.test','rtt':'7ns','connect':'0ns','workers':1,"
                                     "'routes':[{'path':'/','latency':'10ns'}]}]"));
    rig_get(rig, "http://a.test/");
    rig_expect(rig, "17ns #1 200 end\n");
    rig_close(rig);
}

static void test_finds_sites_and_routes(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD(
        "'sites':[{'url':'http://a.test','routes':[{'path':'/','body':'root'},{'path':'/q?x=1','body':'query'},"
        "{'path':'/q','body':'plain'},{'path':'/m','method':'GET','body':'get'},"
        "{'path':'/m','method':'POST','body':'post'},"
        "{'path':'/any'},{'path':'/any','method':'PUT','body':'put'}]},"
        "{'url':'http://a.test:81','routes':[{'path':'/','body':'81'}]},"
        "{'url':'https://a.test','routes':[{'path':'/','body':'https'}]},"
        "{'url':'http://[::1]:8080','routes':[{'path':'/','body':'v6'}]},"
        "{'url':'http://[::2]','routes':[{'path':'/','body':'::2'}]}]"));
    rig_get(rig, "http://a.test");
    rig_get(rig, "HTTP://A.Test:80/#part");
    rig_get(rig, "http://a.test?y");
    rig_get(rig, "http://a.test/q?x=1#part");
    rig_get(rig, "http://a.test/q?x=2");
    rig_request(rig, "POST", "http://a.test/m", 0, 0);
    rig_request(rig, "DELETE", "http://a.test/m", 0, 0);
    rig_request(rig, "PUT", "http://a.test/any", 0, 0);
    rig_request(rig, "GET", "http://a.test/any", 0, 0);
    rig_get(rig, "http://a.test:81/");
    rig_get(rig, "https://a.test:443/");
    rig_get(rig, "http://[::1]:8080/");
    rig_get(rig, "http://a.test/Q");
    rig_get(rig, "http://[::2]");
    rig_expect(rig,
               "0ms #1 200 \"root\" end\n0ms #2 200 \"root\" end\n0ms #3 200 \"root\" end\n0ms #4 200 \"query\" end\n"
                    "0ms #5 200 \"plain\" end\n0ms #6 200 \"post\" end\n0ms #7 405 end\n0ms #8 200 \"put\" end\n"
                    "0ms #9 200 end\n"
                    "0ms #10 200 \"81\" end\n0ms #11 200 \"https\" end\n0ms #12 200 \"v6\" end\n0ms #13 404 end\n"
                    "0ms #14 200 \"::2\" end\n");
    rig_close(rig);
}

static void test_unknown_hosts_and_no_urls(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'sites':[{'url':'http://a.test','resolve':'5ms','routes':[{'path':'/'}]}]"));
    rig_get(rig, "http://b.test/");
    rig_get(rig, "http://a.test:81/");
    rig_get(rig, "a.test/");
    rig_get(rig, "http:///");
    rig_get(rig, "http://a.test:x/");
    rig_get(rig, "http://a.test:65536/");
    rig_expect(rig, "0ms #1 end ENXIO\n0ms #2 end ENXIO\n0ms #3 end EINVAL\n0ms #4 end EINVAL\n0ms #5 end EINVAL\n"
                    "0ms #6 end EINVAL\n");
    rig_close(rig);
}

static void test_an_unknown_path_takes_the_way_there_and_back(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'sites':[{'url':'http://a.test','rtt':'20ms','routes':[]}]"));
    rig_get(rig, "http://a.test/none");
    rig_expect(rig, "40ms #1 404 end\n");
    rig_close(rig);
}

static void expect_data(struct rig *rig, const char *expected, size_t head)
{
    struct world_completion out[1];
    assert_int_equal(rig->world->wait(rig->world, INT64_MAX, out, 1), 1);
    assert_int_equal(out[0].size, strlen(expected));
    assert_memory_equal(out[0].data, expected, out[0].size);
    assert_int_equal(out[0].head, head);
}

static void test_headers(void **state)
{
    (void)state;
    struct rig *rig =
        rig_open(WORLD("'sites':[{'url':'http://a.test','routes':[{'path':'/','headers':{'X-A':'1','B':'zwei'},"
                                     "'body':'hello'},{'path':'/r','redirect':'/b'},"
                                     "{'path':'/p','redirect':'/b','status':308}]}]"));
    rig_get(rig, "http://a.test/");
    expect_data(rig, "X-A: 1\nB: zwei\nContent-Length: 5\nhello", 33);
    rig_get(rig, "http://a.test/r");
    expect_data(rig, "Location: /b\nContent-Length: 0\n", 31);
    rig_request(rig, "HEAD", "http://a.test/", 0, 0);
    expect_data(rig, "X-A: 1\nB: zwei\nContent-Length: 5\n", 33);
    rig_get(rig, "http://a.test/r");
    rig_get(rig, "http://a.test/p");
    rig_expect(rig, "0ms #4 302 end\n0ms #5 308 end\n");
    rig_close(rig);
}

static void test_handling_costs_cpu(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'sites':[{'url':'http://a.test','routes':[{'path':'/','cpu':'200ms','body':'x'},"
                                     "{'path':'/r','cpu':'200ms','body':'x','fault':{'kind':'reset'}}]}]"));
    rig_get(rig, "http://a.test/");
    rig_get(rig, "http://a.test/r");
    rig_expect(rig, "0ms #1 200 \"x\" end cpu 200000000ns\n0ms #2 200 end ECONNRESET\n");
    rig_expect_trace(rig, "0ms http.start op=1 task=1 url=http://a.test/ method=GET\n"
                          "0ms http.connected op=1 conn=1 reused=0\n"
                          "0ms http.end op=1 rc=0 status=200 bytes=1 cpu=200000000\n"
                          "0ms http.closed conn=1\n"
                          "0ms http.start op=2 task=1 url=http://a.test/r method=GET\n"
                          "0ms http.connected op=2 conn=2 reused=0\n"
                          "0ms http.end op=2 rc=-104 status=200 bytes=0\n"
                          "0ms http.closed conn=2\n");
    rig_close(rig);
}

/* ---- Bodies -------------------------------------------------------------------------------- */

static void test_base64(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'sites':[{'url':'http://a.test','routes':[{'path':'/0','body_base64':''},"
                                     "{'path':'/1','body_base64':'QQ=='},{'path':'/2','body_base64':'QUI='},"
                                     "{'path':'/3','body_base64':'QUJD'},{'path':'/b','body_base64':'AP+/'}]}]"));
    rig_get(rig, "http://a.test/0");
    rig_get(rig, "http://a.test/1");
    rig_get(rig, "http://a.test/2");
    rig_get(rig, "http://a.test/3");
    rig_expect(rig, "0ms #1 200 end\n0ms #2 200 \"A\" end\n0ms #3 200 \"AB\" end\n0ms #4 200 \"ABC\" end\n");
    rig_get(rig, "http://a.test/b");
    struct world_completion out[1];
    assert_int_equal(rig->world->wait(rig->world, INT64_MAX, out, 1), 1);
    assert_memory_equal((const char *)out[0].data + out[0].head, "\x00\xff\xbf", 3);
    rig_close(rig);
}

static void test_bandwidth_is_rounded_up(void **state)
{
    (void)state;
    struct rig *rig =
        rig_open(WORLD("'sites':[{'url':'http://a.test','rtt':'20ms','connect':'0ms','bandwidth':3,'routes':["
                                     "{'path':'/','body':'hello'},{'path':'/own','body':'hello','bandwidth':1000}]}]"));
    rig_get(rig, "http://a.test/own");
    rig_get(rig, "http://a.test/");
    rig_expect(rig, "20ms #1 200\n20ms #2 200\n25ms #1 \"hello\" end\n1686666667ns #2 \"hello\" end\n");
    rig_close(rig);
}

static void test_chunks_arrive_one_by_one(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'sites':[{'url':'http://a.test','routes':["
                                     "{'path':'/','body':'hello world','bandwidth':1000,'chunk':4},"
                                     "{'path':'/now','body':'hello world','chunk':4}]}]"));
    rig_get(rig, "http://a.test/");
    rig_expect(rig, "0ms #1 200\n4ms #1 \"hell\"\n8ms #1 \"o wo\"\n11ms #1 \"rld\" end\n");
    rig_get(rig, "http://a.test/now");
    rig_expect(rig, "11ms #2 200 \"hell\"\n11ms #2 \"o wo\"\n11ms #2 \"rld\" end\n");
    rig_close(rig);
}

static void test_a_body_by_its_size_repeats_a_pattern(void **state)
{
    (void)state;
    static const char pattern[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-\n";
    struct rig *rig = rig_open(WORLD("'sites':[{'url':'http://a.test','routes':["
                                     "{'path':'/small','body_size':70},{'path':'/big','body_size':200000},"
                                     "{'path':'/odd','body_size':200000,'chunk':50001}]}]"));
    static const struct { const char *url; size_t size, pieces; } cases[] = {
        {"http://a.test/small", 70, 1}, {"http://a.test/big", 200000, 5}, {"http://a.test/odd", 200000, 5},
    };
    for (size_t i = 0; i < 3; i++) {
        rig_get(rig, cases[i].url);
        struct world_completion out[16];
        size_t n = rig->world->wait(rig->world, INT64_MAX, out, 16), at = 0;
        assert_int_equal(n, cases[i].pieces);
        for (size_t j = 0; j < n; j++)
            for (size_t k = out[j].head; k < out[j].size; k++, at++)
                assert_int_equal(((const char *)out[j].data)[k], pattern[at % 64]);
        assert_int_equal(at, cases[i].size);
    }
    rig_close(rig);
}

/* 5 MB of text go out as they lie: nothing is copied. */
static void test_a_large_body_is_not_copied(void **state)
{
    (void)state;
    size_t size = 5 << 20;
    char *json = malloc(size + 200);
    assert_non_null(json);
    size_t at = (size_t)sprintf(json, WORLD("'sites':[{'url':'http://a.test','routes':[{'path':'/','body':'"));
    at -= 1;   /* the macro's closing brace */
    memset(json + at, 'b', size);
    strcpy(json + at + size, "'}]}]}");
    struct rig *rig = rig_open(json);
    struct world_completion out[2];
    rig_get(rig, "http://a.test/");
    assert_int_equal(rig->world->wait(rig->world, INT64_MAX, &out[0], 1), 1);
    assert_int_equal(out[0].size - out[0].head, size);
    rig_get(rig, "http://a.test/");
    assert_int_equal(rig->world->wait(rig->world, INT64_MAX, &out[1], 1), 1);
    assert_ptr_equal(out[0].data, out[1].data);
    rig_close(rig);
    free(json);
}

/* ---- Faults -------------------------------------------------------------------------------- */

static void test_a_name_is_asked_for_once_a_minute(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'sites':[{'url':'http://a.test','resolve':'5ms','connect':'30ms',"
        "'routes':[{'path':'/'}]},{'url':'http://a.test:8080','resolve':'9ms','connect':'10ms',"
        "'routes':[{'path':'/'}]}]"));
    rig_get(rig, "http://a.test/");
    rig_run_until(rig, MS(2));
    rig_get(rig, "http://a.test/");             /* waits for the same answer */
    rig_expect(rig, "35ms #1 200 end\n35ms #2 200 end\n");
    rig_get(rig, "http://a.test:8080/");        /* the same host */
    rig_expect(rig, "45ms #3 200 end\n");
    rig_run_until(rig, MS(60004));
    rig_get(rig, "http://a.test/");
    rig_expect(rig, "60034ms #4 200 end\n");
    rig_get(rig, "http://a.test:8080/");        /* 60 s after the answer came */
    rig_expect(rig, "60053ms #5 200 end\n");
    rig_close(rig);
}

static void test_that_there_is_no_such_name_is_not_kept(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'sites':[{'url':'http://u.test','resolve':'5ms','connect':'30ms',"
        "'fault':{'kind':'unresolved','times':1},'routes':[{'path':'/'}]}]"));
    rig_get(rig, "http://u.test/");
    rig_run_until(rig, MS(2));
    rig_get(rig, "http://u.test/");
    rig_expect(rig, "5ms #1 end ENXIO\n5ms #2 end ENXIO\n");
    rig_get(rig, "http://u.test/");
    rig_expect(rig, "40ms #3 200 end\n");
    rig_close(rig);
}

static void test_tls_takes_a_round_trip_more(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'sites':[{'url':'HTTPS://a.test','rtt':'20ms','routes':[{'path':'/'}]},"
        "{'url':'http://a.test','rtt':'20ms','routes':[{'path':'/'}]},"
        "{'url':'https://b.test','rtt':'20ms','connect':'60ms','routes':[{'path':'/'}]}]"));
    rig_get(rig, "https://a.test/");
    rig_get(rig, "http://a.test/");
    rig_get(rig, "https://b.test/");
    rig_expect(rig, "40ms #2 200 end\n60ms #1 200 end\n80ms #3 200 end\n");
    rig_close(rig);
}

static void test_refused_and_unresolved_sites(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'sites':["
        "{'url':'http://r.test','resolve':'5ms','connect':'30ms','fault':{'kind':'refused'},'routes':[{'path':'/'}]},"
        "{'url':'http://u.test','resolve':'5ms','connect':'30ms','fault':{'kind':'unresolved'},"
        "'routes':[{'path':'/'}]},"
        "{'url':'http://t.test','resolve':'5ms','connect':'30ms','fault':{'kind':'refused','times':1},"
        "'routes':[{'path':'/'}]}]"));
    rig_get(rig, "http://r.test/");
    rig_get(rig, "http://u.test/");
    rig_get(rig, "http://t.test/");
    rig_get(rig, "http://t.test/");
    rig_expect(rig, "5ms #2 end ENXIO\n35ms #1 end ECONNREFUSED\n35ms #3 end ECONNREFUSED\n35ms #4 200 end\n");
    rig_close(rig);
}

#define FAULTY(fault) \
    WORLD("'sites':[{'url':'http://a.test','rtt':'20ms','routes':[{'path':'/','latency':'10ms','body':'hello'," \
          "'bandwidth':1000,'fault':" fault "}]}]")

/* The server has the request and says nothing. */
static void test_close(void **state)
{
    (void)state;
    struct rig *rig = rig_open(FAULTY("{'kind':'close'}"));
    rig_get(rig, "http://a.test/");
    rig_expect(rig, "50ms #1 end ECONNRESET\n");
    rig_close(rig);
}

static void test_reset(void **state)
{
    (void)state;
    struct rig *rig = rig_open(FAULTY("{'kind':'reset','after':3}"));
    rig_get(rig, "http://a.test/");
    rig_expect(rig, "50ms #1 200\n53ms #1 \"hel\" end ECONNRESET\n");
    rig_close(rig);
    rig = rig_open(FAULTY("{'kind':'reset','after':5}"));
    rig_get(rig, "http://a.test/");
    rig_expect(rig, "50ms #1 200\n55ms #1 \"hello\" end\n");      /* all of it is there: what comes then harms nobody */
    rig_close(rig);
}

static void test_truncate(void **state)
{
    (void)state;
    struct rig *rig = rig_open(FAULTY("{'kind':'truncate','after':4}"));
    rig_get(rig, "http://a.test/");
    rig_run_until(rig, MS(49));
    expect_data(rig, "Content-Length: 5\n", 18);
    rig_expect(rig, "54ms #1 \"hell\" end EPROTO\n");
    rig_close(rig);
}

static void test_hang(void **state)
{
    (void)state;
    struct rig *rig = rig_open(FAULTY("{'kind':'hang'}"));
    uint64_t id = rig_get(rig, "http://a.test/");
    rig_expect_until(rig, MS(100000), "");
    rig->world->cancel(rig->world, id);
    rig_expect(rig, "100000ms #1 end ECANCELED\n");
    rig_close(rig);
}

/* What hangs is the server's worker: nobody else is served by it. */
static void test_hang_keeps_the_worker(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'sites':[{'url':'http://a.test','workers':1,'routes':[{'path':'/','body':'x'},"
                                     "{'path':'/hang','fault':{'kind':'hang'}}]}]"));
    uint64_t id = rig_get(rig, "http://a.test/hang");
    rig_get(rig, "http://a.test/");
    rig_expect_until(rig, MS(7), "");
    rig->world->cancel(rig->world, id);
    rig_expect(rig, "7ms #1 end ECANCELED\n7ms #2 200 \"x\" end\n");
    rig_close(rig);
}

static void test_drip(void **state)
{
    (void)state;
    struct rig *rig = rig_open(FAULTY("{'kind':'drip','bytes':2,'every':'1s'}"));
    rig_get(rig, "http://a.test/");
    rig_expect(rig, "50ms #1 200\n1050ms #1 \"he\"\n2050ms #1 \"ll\"\n3050ms #1 \"o\" end\n");
    rig_close(rig);
}

static void test_an_endless_drip_goes_on(void **state)
{
    (void)state;
    struct rig *rig =
        rig_open(WORLD("'sites':[{'url':'http://a.test','routes':[{'path':'/','body_size':9223372036854775807,"
                                     "'fault':{'kind':'drip','every':'1ms'}}]}]"));
    uint64_t id = rig_get(rig, "http://a.test/");
    size_t pieces = 0;
    struct world_completion out[8];
    while (rig->world->now(rig->world) < MS(100000))
        pieces += rig->world->wait(rig->world, MS(100000), out, 8);
    assert_int_equal(pieces, 100001);   /* the head, and a byte each ms */
    rig->world->cancel(rig->world, id);
    rig_close(rig);
}

static void test_a_fault_strikes_the_first_times(void **state)
{
    (void)state;
    struct rig *rig = rig_open(FAULTY("{'kind':'close','times':2}"));
    for (int i = 0; i < 4; i++)
        rig_get(rig, "http://a.test/");
    rig_expect(rig, "50ms #3 200\n50ms #4 200\n50ms #1 end ECONNRESET\n50ms #2 end ECONNRESET\n"
                    "55ms #3 \"hello\" end\n55ms #4 \"hello\" end\n");
    rig_close(rig);
}

/* ---- What a server limits ------------------------------------------------------------------ */

static void test_workers_serve_in_the_order_of_arrival(void **state)
{
    (void)state;
    struct rig *rig =
        rig_open(WORLD("'sites':[{'url':'http://a.test','rtt':'2ms','connect':'0ms','workers':2,'routes':["
                                     "{'path':'/10','latency':'10ms'},{'path':'/1','latency':'1ms'}]}]"));
    rig_get(rig, "http://a.test/10");
    rig_get(rig, "http://a.test/10");
    rig_get(rig, "http://a.test/1");
    rig_get(rig, "http://a.test/10");
    rig_get(rig, "http://a.test/none");
    rig_expect(rig, "12ms #1 200 end\n12ms #2 200 end\n13ms #3 200 end\n13ms #5 404 end\n22ms #4 200 end\n");
    rig_close(rig);
}

static void test_rate_limit_slides(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'sites':[{'url':'http://a.test','rtt':'10ms','connect':'0ms',"
                                     "'rate_limit':{'requests':2,'per':'1500ms'},"
                                     "'routes':[{'path':'/',"
                                     "'latency':'1s'}]}]"));
    rig_get(rig, "http://a.test/");
    rig_expect_until(rig, MS(400), "");
    rig_get(rig, "http://a.test/");
    rig_get(rig, "http://a.test/");   /* arrives at 405, the first at 5: 1100 ms too early */
    rig_expect_until(rig, MS(1499), "410ms #3 429 end\n1010ms #1 200 end\n1410ms #2 200 end\n");
    rig_get(rig, "http://a.test/");   /* 1 ms too early */
    rig_run_until(rig, MS(1500));
    rig_get(rig, "http://a.test/");   /* just in time */
    rig_get(rig, "http://a.test/");   /* but the next has to wait for the second */
    rig_expect_until(rig, MS(1900), "1509ms #4 429 end\n1510ms #6 429 end\n");
    rig_get(rig, "http://a.test/");   /* which came at 405 */
    rig_expect(rig, "2510ms #5 200 end\n2910ms #7 200 end\n");
    rig_close(rig);
}

static void test_retry_after_is_rounded_up(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'sites':[{'url':'http://a.test','rate_limit':{'requests':1,'per':'2s'},"
                                     "'routes':[{'path':'/'}]}]"));
    rig_get(rig, "http://a.test/");
    rig_expect(rig, "0ms #1 200 end\n");
    rig_get(rig, "http://a.test/");
    expect_data(rig, "Retry-After: 2\nContent-Length: 0\n", 33);
    rig_run_until(rig, MS(999));
    rig_get(rig, "http://a.test/");
    expect_data(rig, "Retry-After: 2\nContent-Length: 0\n", 33);
    rig_run_until(rig, MS(1000));
    rig_get(rig, "http://a.test/");
    expect_data(rig, "Retry-After: 1\nContent-Length: 0\n", 33);
    rig_close(rig);
}

/* Turned away at the door: neither a worker nor the fault of the route matter. */
static void test_rate_limit_takes_no_worker(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'sites':[{'url':'http://a.test','rtt':'2ms','connect':'0ms','workers':1,"
                                     "'rate_limit':{'requests':1,'per':'1s'},"
                                     "'routes':[{'path':'/','latency':'1s','fault':{'kind':'hang'}}]}]"));
    uint64_t id = rig_get(rig, "http://a.test/");
    rig_get(rig, "http://a.test/");
    rig_expect(rig, "2ms #2 429 end\n");
    rig->world->cancel(rig->world, id);
    rig_close(rig);
}

static void test_rate_limit_ignores_the_route(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'sites':[{'url':'http://a.test','rate_limit':{'requests':1,'per':'1s'},'routes':["
                                     "{'path':'/','body':'hello','cpu':'1s','fault':{'kind':'reset','after':1}},"
                                     "{'path':'/0'}]}]"));
    rig_get(rig, "http://a.test/0");
    rig_get(rig, "http://a.test/");
    rig_expect(rig, "0ms #1 200 end\n0ms #2 429 end\n");
    rig_close(rig);
}

static void test_connections_wait_for_a_place(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'sites':[{'url':'http://a.test','rtt':'2ms','connect':'4ms','max_connections':1,"
                                     "'backlog':2,'routes':[{'path':'/','latency':'10ms'}]}]"));
    for (int i = 0; i < 4; i++)
        rig_get(rig, "http://a.test/");
    /* Connected at 4 ms, they wait in the line; the request is there when the server takes them up. */
    rig_expect(rig, "16ms #1 200 end\n27ms #2 200 end\n38ms #3 200 end\n49ms #4 200 end\n");
    rig_close(rig);
}

/* A line of 1 holds two, as on Linux. Who comes then is not answered, and asks again after 1, 2, 3, 4, 5, 7, 11,
 * 19, 35, 67 s. */
static void test_a_full_line_answers_nobody(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'sites':[{'url':'http://a.test','connect':'4ms','max_connections':1,'backlog':1,"
                                     "'routes':[{'path':'/','latency':'2s'},{'path':'/hang','fault':"
                                     "{'kind':'hang'}}]}]"));
    for (int i = 0; i < 5; i++)
        rig_get(rig, "http://a.test/");
    rig_expect(rig, "2004ms #1 200 end\n4004ms #2 200 end\n6004ms #3 200 end\n8004ms #4 200 end\n"
                    "10004ms #5 200 end\n");
    for (int i = 0; i < 4; i++)
        rig_get(rig, "http://a.test/hang");
    rig_expect(rig, "141008ms #9 end ETIMEDOUT\n");
    rig_close(rig);
}

/* Ten thousand requests that take no time, one after the other through one place: nothing recurses. */
static void test_many_through_one_place(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'sites':[{'url':'http://a.test','max_connections':1,'workers':1,'routes':["
                                     "{'path':'/','latency':'1ms'},{'path':'/0'}]}]"));
    rig_get(rig, "http://a.test/");
    for (int i = 0; i < 10000; i++)
        rig_get(rig, "http://a.test/0");
    struct world_completion out[64];
    size_t n, total = 0;
    while ((n = rig->world->wait(rig->world, INT64_MAX, out, 64)) > 0)
        total += n;
    assert_int_equal(total, 10001);
    assert_int_equal(rig->world->now(rig->world), MS(1));
    rig_close(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_takes_resolve_connect_rtt_and_latency),
        cmocka_unit_test(test_connecting_takes_a_round_trip_unless_said_otherwise),
        cmocka_unit_test(test_everything_defaults_to_no_time),
        cmocka_unit_test(test_odd_round_trip),
        cmocka_unit_test(test_finds_sites_and_routes),
        cmocka_unit_test(test_unknown_hosts_and_no_urls),
        cmocka_unit_test(test_an_unknown_path_takes_the_way_there_and_back),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_handling_costs_cpu),
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_bandwidth_is_rounded_up),
        cmocka_unit_test(test_chunks_arrive_one_by_one),
        cmocka_unit_test(test_a_body_by_its_size_repeats_a_pattern),
        cmocka_unit_test(test_a_large_body_is_not_copied),
        cmocka_unit_test(test_tls_takes_a_round_trip_more),
        cmocka_unit_test(test_a_name_is_asked_for_once_a_minute),
        cmocka_unit_test(test_that_there_is_no_such_name_is_not_kept),
        cmocka_unit_test(test_refused_and_unresolved_sites),
        cmocka_unit_test(test_close),
        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_truncate),
        cmocka_unit_test(test_hang),
        cmocka_unit_test(test_hang_keeps_the_worker),
        cmocka_unit_test(test_drip),
        cmocka_unit_test(test_an_endless_drip_goes_on),
        cmocka_unit_test(test_a_fault_strikes_the_first_times),
        cmocka_unit_test(test_workers_serve_in_the_order_of_arrival),
        cmocka_unit_test(test_rate_limit_slides),
        cmocka_unit_test(test_retry_after_is_rounded_up),
        cmocka_unit_test(test_rate_limit_takes_no_worker),
        cmocka_unit_test(test_rate_limit_ignores_the_route),
        cmocka_unit_test(test_connections_wait_for_a_place),
        cmocka_unit_test(test_a_full_line_answers_nobody),
        cmocka_unit_test(test_many_through_one_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
