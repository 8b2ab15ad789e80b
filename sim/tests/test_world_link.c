/* A link that bodies share: each gets the same part of it, at each moment. */
#include "world_rig.h"

#define SITE(routes) WORLD("'sites':[{'url':'http://a.test','link':1000,'routes':[" routes "]}]")

static void get_after(struct rig *rig, int64_t t, const char *url)
{
    rig_run_until(rig, t);
    rig_get(rig, url);
}

static void test_alone_it_has_all_of_it(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE("{'path':'/','body_size':100}"));
    rig_get(rig, "http://a.test/");
    rig_expect(rig, "0ms #1 200\n100ms #1 +100 end\n");
    rig_close(rig);
}

/* Ten at once take as long as ten one after the other. */
static void test_ten_at_once_win_nothing(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE("{'path':'/','body_size':100}"));
    for (int i = 0; i < 10; i++)
        rig_get(rig, "http://a.test/");
    rig_expect_until(rig, MS(999), "0ms #1 200\n0ms #2 200\n0ms #3 200\n0ms #4 200\n0ms #5 200\n0ms #6 200\n"
                                   "0ms #7 200\n0ms #8 200\n0ms #9 200\n0ms #10 200\n");
    rig_run_until(rig, INT64_MAX);
    assert_int_equal(rig->t, MS(1000));
    rig_close(rig);
}

/* 300 bytes from 0 on, 100 from 100 ms on: alone up to there (100 done), then 100 each by halves up to 300 ms, then
 * alone again. */
static void test_who_comes_and_who_goes_changes_the_others(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE("{'path':'/300','body_size':300},{'path':'/100','body_size':100}"));
    rig_get(rig, "http://a.test/300");
    get_after(rig, MS(100), "http://a.test/100");
    rig->length = 0;
    rig->log[0] = '\0';
    rig_expect(rig, "100ms #2 200\n300ms #2 +100 end\n400ms #1 +300 end\n");
    rig_get(rig, "http://a.test/300");
    rig_get(rig, "http://a.test/300");
    rig_run_until(rig, MS(600));
    rig->world->cancel(rig->world, 3);          /* 100 of each are there */
    rig_expect(rig, "600ms #3 end ECANCELED\n800ms #4 +300 end\n");
    rig_close(rig);
}

static void test_in_pieces(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE("{'path':'/','body_size':120,'chunk':60},{'path':'/b','body_size':30}"));
    rig_get(rig, "http://a.test/");
    rig_get(rig, "http://a.test/b");
    rig_expect(rig, "0ms #1 200\n0ms #2 200\n60ms #2 +30 end\n90ms #1 +60\n150ms #1 +60 end\n");
    rig_close(rig);
}

/* A third each does not divide evenly: nobody is early, nor late by more than a nanosecond. */
static void test_thirds(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE("{'path':'/','body_size':7},{'path':'/b','body_size':11}"));
    rig_get(rig, "http://a.test/");
    rig_get(rig, "http://a.test/b");
    rig_get(rig, "http://a.test/b");
    rig_run_until(rig, MS(21));
    assert_non_null(strstr(rig->log, "21ms #1 \"0123456\" end\n"));
    rig_expect(rig, "29ms #2 \"0123456789a\" end\n29ms #3 \"0123456789a\" end\n");
    rig_close(rig);
}

/* A reader that stops: the kernels still take what comes, and it has it as soon as it reads. What drips, resets and
 * ends early is counted as it is. */
static void test_windows_and_faults(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE("{'path':'/','body_size':200},"
                                    "{'path':'/cut','body_size':100,'fault':{'kind':'truncate','after':50}},"
                                    "{'path':'/drip','body':'x','fault':{'kind':'drip','every':'7ms'}}"));
    char data[] = "GEThttp://a.test/";
    struct world_request request = {.op = WORLD_HTTP, .data = data, .size = 17, .lengths = {3, 14}, .window = 50};
    assert_int_equal(rig->world->submit(rig->world, &request), 1);
    rig_get(rig, "http://a.test/");
    rig_expect_until(rig, MS(100), "0ms #1 200\n0ms #2 200\n100ms #1 +50\n");
    request = (struct world_request){.op = WORLD_HTTP_READ, .id = 1, .count = 50};
    rig_expect_until(rig, MS(200), "");
    rig->world->submit(rig->world, &request);
    rig_expect_until(rig, MS(250), "200ms #1 +50\n");
    rig->world->submit(rig->world, &request);           /* 125 of it are there, and it waits for 25 */
    rig_expect_until(rig, MS(300), "250ms #1 +25\n300ms #1 +25\n");
    rig_expect_until(rig, MS(400), "400ms #2 +200 end\n");
    rig->world->submit(rig->world, &request);
    rig_expect_until(rig, MS(400), "400ms #1 +50 end\n");
    rig_get(rig, "http://a.test/cut");
    rig_get(rig, "http://a.test/drip");
    rig_expect(rig, "400ms #3 200\n400ms #4 200\n407ms #4 \"x\" end\n450ms #3 +50 end EPROTO\n");
    rig_close(rig);
}

/* A body leaves half a round trip before it is there: then another one may be in hand. Two share the link from 50 to
 * 250 ms, as the server sees it. */
static void test_a_hand_is_free_when_the_last_byte_has_left(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'sites':[{'url':'http://a.test','link':1000,'rtt':'100ms','connect':'0ms',"
                                     "'limit_conn':{'requests':2},'routes':[{'path':'/','body_size':100},"
                                     "{'path':'/long','body_size':150},{'path':'/empty'}]}]"));
    rig_get(rig, "http://a.test/");
    rig_get(rig, "http://a.test/long");
    get_after(rig, MS(199), "http://a.test/");          /* there at 249 ms: 99.5 bytes of each have left */
    get_after(rig, MS(201), "http://a.test/");          /* there at 251 */
    get_after(rig, MS(202), "http://a.test/");          /* there at 252: two are in hand */
    rig_expect(rig, "299ms #3 503 end\n300ms #1 +100 end\n301ms #4 200\n302ms #5 503 end\n399ms #2 +150 end\n"
                    "450ms #4 +100 end\n");
    rig_get(rig, "http://a.test/empty");
    rig_get(rig, "http://a.test/empty");
    get_after(rig, MS(451), "http://a.test/");
    rig_expect(rig, "550ms #6 200 end\n550ms #7 200 end\n551ms #8 200\n651ms #8 +100 end\n");
    rig_close(rig);
}

static void post_in(struct rig *rig, const char *url, uint32_t size, uint32_t session)
{
    char data[600];
    size_t length = (size_t)sprintf(data, "POST%s", url);
    memset(data + length, 'x', size);
    struct world_request request = {.op = WORLD_HTTP, .data = data, .size = length + size,
                                    .lengths = {4, (uint32_t)length - 4, 0, size}, .session = session};
    assert_true(rig->world->submit(rig->world, &request) > 0);
}

static void post(struct rig *rig, const char *url, uint32_t size)
{
    post_in(rig, url, size, 0);
}

/* Two that send share the link by halves; what comes back does not disturb them, nor they that. */
static void test_bodies_of_requests_share_it_too(void **state)
{
    (void)state;
    struct rig *rig = rig_open(SITE("{'path':'/','body_size':100},{'path':'/up'}"));
    post(rig, "http://a.test/up", 100);
    rig_expect(rig, "100ms #1 200 end\n");
    post(rig, "http://a.test/up", 300);
    rig_get(rig, "http://a.test/");
    rig_expect_until(rig, MS(200), "100ms #3 200\n200ms #3 +100 end\n");      /* 100 bytes of #2 have left */
    post(rig, "http://a.test/up", 50);
    post(rig, "http://a.test/up", 200);
    rig_expect_until(rig, MS(350), "350ms #4 200 end\n");                      /* 50 of each */
    rig->world->cancel(rig->world, 5);
    rig_expect(rig, "350ms #5 end ECANCELED\n500ms #2 200 end\n");            /* 150 were left */
    rig_close(rig);
}

/* Its way is still to come when the last byte has left; a server that takes nobody up does not hold it up, as its
 * kernel does; and what is sent again is sent as a whole. */
static void test_what_is_sent_arrives(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'sites':[{'url':'http://a.test','link':1000,'rtt':'40ms','max_connections':1,"
                                     "'routes':[{'path':'/up','latency':'7ms'},{'path':'/slow','latency':'500ms'},"
                                     "{'path':'/lost','fault':{'kind':'close','times':1}}]}]"));
    post(rig, "http://a.test/up", 100);
    rig_expect(rig, "187ms #1 200 end\n");              /* 40 to connect, 100, 40 and 7 */
    post(rig, "http://a.test/slow", 1);
    post(rig, "http://a.test/up", 100);
    rig_expect(rig, "769ms #2 200 end\n796ms #3 200 end\n");       /* it was there long ago; 1 ms was shared */
    post(rig, "http://a.test/slow", 1);
    rig_run_until(rig, MS(900));
    post(rig, "http://a.test/up", 450);
    rig_expect(rig, "1377ms #4 200 end\n1437ms #5 200 end\n");      /* from 940 to 1390 */
    rig_close(rig);
    rig = rig_open(SITE("{'path':'/'},{'path':'/lost','fault':{'kind':'close','times':1}}"));
    rig_get_in(rig, "http://a.test/", 1);
    rig_expect(rig, "0ms #1 200 end\n");
    post_in(rig, "http://a.test/lost", 100, 1);
    rig_expect(rig, "200ms #2 200 end\n");
    rig_close(rig);
}

/* How many bytes of a body come up to then. */
static int64_t bytes_until(struct rig *rig, int64_t until, uint64_t id)
{
    struct world_completion out[64];
    int64_t bytes = 0;
    for (size_t n; (n = rig->world->wait(rig->world, until, out, 64)) > 0;)
        for (size_t i = 0; i < n; i++)
            bytes += out[i].id == id ? (int64_t)(out[i].size - out[i].head) : 0;
    return bytes;
}

/* When the kernels are full as well, a reader that has stopped leaves the link to the others. Two share it up to 580
 * ms, when 2,900,050 bytes of each are there; then the other one is alone. */
static void test_when_the_kernels_are_full(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'sites':[{'url':'http://a.test','link':10000000,'limit_conn':{'requests':2},"
                                     "'routes':[{'path':'/','body_size':4000000}]}]"));
    char data[] = "GEThttp://a.test/";
    struct world_request request = {.op = WORLD_HTTP, .data = data, .size = 17, .lengths = {3, 14}, .window = 50};
    assert_int_equal(rig->world->submit(rig->world, &request), 1);
    rig_get(rig, "http://a.test/");
    assert_int_equal(bytes_until(rig, MS(580), 1), 50);
    rig_get(rig, "http://a.test/");                     /* both are in hand */
    rig_expect_until(rig, MS(580), "580ms #3 503 end\n");
    assert_int_equal(bytes_until(rig, MS(690), 2), 0);
    assert_int_equal(bytes_until(rig, 690005000, 2), 4000000);
    request = (struct world_request){.op = WORLD_HTTP_READ, .id = 1, .count = 1100000};
    rig->world->submit(rig->world, &request);
    assert_int_equal(bytes_until(rig, MS(691), 1), 1100000);        /* from the kernels, which take the rest */
    rig_get(rig, "http://a.test/");
    rig_get(rig, "http://a.test/");
    rig_expect_until(rig, MS(691), "691ms #4 200\n691ms #5 503 end\n");
    rig_run_until(rig, MS(1000));
    rig_get(rig, "http://a.test/");                     /* all of #1 has left its server */
    rig_expect_until(rig, MS(1000), "1000ms #6 200\n");
    rig_close(rig);
}

/* Bodies without an end, and a crowd: nothing overflows. */
static void test_very_much(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'sites':[{'url':'http://a.test','link':1000000000000,'routes':[{'path':'/',"
                                     "'body_size':9223372036854775807},{'path':'/b','body_size':1000000}]}]"));
    for (int i = 0; i < 300; i++)
        rig_get(rig, "http://a.test/");
    rig_run_until(rig, MS(1000));
    rig_get(rig, "http://a.test/b");
    rig->length = 0;
    rig->log[0] = '\0';
    rig_run_until(rig, MS(1001));
    assert_non_null(strstr(rig->log, "end\n"));            /* 301 MB at 1 TB/s */
    rig_close(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alone_it_has_all_of_it),
        cmocka_unit_test(test_ten_at_once_win_nothing),
        cmocka_unit_test(test_who_comes_and_who_goes_changes_the_others),
        cmocka_unit_test(test_in_pieces),
        cmocka_unit_test(test_thirds),
        cmocka_unit_test(test_windows_and_faults),
        cmocka_unit_test(test_when_the_kernels_are_full),
        cmocka_unit_test(test_very_much),
        cmocka_unit_test(test_a_hand_is_free_when_the_last_byte_has_left),
        cmocka_unit_test(test_bodies_of_requests_share_it_too),
        cmocka_unit_test(test_what_is_sent_arrives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
