/* test_request.c - requests in full: methods, headers, bodies, limits, redirects by method, what is sent along. */
#include "check.h"

#include <malloc.h>

/* A world of one site, without any latency of its own, and these routes. */
#define SITE(routes) \
    "{\"world\":\"looplab/world/v1\",\"sites\":[{\"url\":\"http://a.test\",\"routes\":[" routes "]}," \
    "{\"url\":\"http://b.test\",\"routes\":[" \
    "{\"path\":\"/echo\",\"echo\":true}," \
    "{\"path\":\"/secret\",\"require\":{\"Authorization\":\"Bearer 1\"},\"body\":\"in\"}," \
    "{\"path\":\"/cookie\",\"require\":{\"Cookie\":\"a=1\"},\"body\":\"in\"}," \
    "{\"path\":\"/plain\",\"require\":{\"X-Plain\":\"1\"},\"body\":\"in\"}," \
    "{\"path\":\"/back\",\"redirect\":\"http://a.test/secret\"}]}]}"
#define ROUTE(path, rest) "{\"path\":\"" path "\"" rest "}"

#define REQUEST(...) (&(struct co_request){__VA_ARGS__})

/* Makes the request and tells its result: the error, or the status and the body. */
static const char *ask(const struct co_request *request)
{
    static char text[256];
    CO_RESPONSE(resp);
    int rc = co_http_request(request, &resp);
    if (rc < 0)
        snprintf(text, sizeof text, "%s", co_strerror(rc));
    else
        snprintf(text, sizeof text, "%d %s", resp.status, resp.body);
    return text;
}

/* ---- Method, headers, body --------------------------------------------------------------------------------------- */

static const char methods[] = SITE(
    ROUTE("/", ",\"method\":\"GET\",\"body\":\"got\"") ","
    ROUTE("/", ",\"method\":\"POST\",\"echo\":true,\"status\":201") ","
    ROUTE("/", ",\"method\":\"DELETE\",\"status\":204") ","
    ROUTE("/any", ",\"body\":\"any\"") ","
    ROUTE("/need", ",\"require\":{\"X-A\":\"1\",\"x-b\":\"two words\"},\"body\":\"in\",\"latency\":\"30ms\"") ","
    ROUTE("/echo", ",\"echo\":true,\"headers\":{\"X-Kind\":\"echo\"}"));

static int uses_methods(void *job)
{
    (void)job;
    CO_RESPONSE(resp);
    char value[16];
    expect_text(ask(REQUEST(.url = "http://a.test/")), "200 got");
    expect_text(ask(REQUEST(.url = "http://a.test/", .method = "POST", .body = "hello", .length = 5)), "201 hello");
    expect_text(ask(REQUEST(.url = "http://a.test/", .method = "POST")), "201 ");
    expect_text(ask(REQUEST(.url = "http://a.test/", .method = "DELETE")), "204 ");
    expect_text(ask(REQUEST(.url = "http://a.test/", .method = "PUT")), "405 ");
    expect_text(ask(REQUEST(.url = "http://a.test/any", .method = "HEAD")), "200 ");
    expect_text(ask(REQUEST(.url = "http://a.test/any", .method = "OWN-Method")), "200 any");
    expect_is(co_http_request(REQUEST(.url = "http://a.test/echo", .body = "a\0b", .length = 3), &resp), 0);
    expect_is(resp.length, 3);
    expect(memcmp(resp.body, "a\0b", 4) == 0);
    expect_text(co_response_header(&resp, "Content-Length", value, sizeof value), "3");
    expect_text(co_response_header(&resp, "X-Kind", value, sizeof value), "echo");
    return 0;
}

static void a_request_has_a_method_and_a_body(void **state)
{
    (void)state;
    assert_int_equal(run_world(methods, uses_methods, NULL), 0);
}

static int sends_headers(void *job)
{
    (void)job;
    static const char *const let_in[] = {
        "X-A: 1\nX-B: two words\n", "x-a:1\nX-B:\ttwo words \n", "X-B: two words\nOther: 5\nX-A: 1",
    };
    static const char *const not_let_in[] = {NULL, "", "X-A: 1\n", "X-A: 11\nX-B: two words\n",
                                             "X-A: 1\nX-B: Two words\n", "X-AB: 1\nX-B: two words\n"};
    for (size_t i = 0; i < 3; i++)
        expect_text(ask(REQUEST(.url = "http://a.test/need", .headers = let_in[i])), "200 in");
    for (size_t i = 0; i < 6; i++) {
        int64_t before = co_now();
        expect_text(ask(REQUEST(.url = "http://a.test/need", .headers = not_let_in[i])), "401 ");
        expect_is(co_now() - before, CO_MS(30));        /* who is turned away waits as long */
    }
    return 0;
}

static void required_headers_let_in(void **state)
{
    (void)state;
    assert_int_equal(run_world(methods, sends_headers, NULL), 0);
}

/* ---- The URL ----------------------------------------------------------------------------------------------------- */

static const char places[] = SITE(
    ROUTE("/?x=1", ",\"body\":\"queried\"") "," ROUTE("/x/b", ",\"body\":\"b\"") ","
    ROUTE("/x/y/", ",\"redirect\":\"../b\"") ","
    ROUTE("/basic", ",\"require\":{\"Authorization\":\"Basic dXNlcjpwQHc=\"},\"body\":\"in\"") ","
    ROUTE("/bare", ",\"require\":{\"Authorization\":\"Basic dTo=\"},\"body\":\"in\"") ","
    ROUTE("/to-basic", ",\"redirect\":\"/basic\"") ","
    ROUTE("/as-user", ",\"redirect\":\"http://user:p%40w@a.test/basic\"") ","
    ROUTE("/nowhere", ",\"status\":302,\"headers\":{\"Location\":\"\"}") ","
    ROUTE("/blank", ",\"status\":302,\"headers\":{\"Location\":\"/a b?c d\"}") ","
    ROUTE("/a%20b?c+d", ",\"body\":\"encoded\""));

static int visits_places(void *job)
{
    (void)job;
    expect_text(ask(REQUEST(.url = "http://a.test?x=1")), "200 queried");
    expect_text(ask(REQUEST(.url = "HTTP://A.TEST:80/x/./y/../b")), "200 b");
    expect_text(ask(REQUEST(.url = "http://a.test/x/y/")), "200 b");
    expect_text(ask(REQUEST(.url = "http://a.test/blank")), "200 encoded");
    expect_text(ask(REQUEST(.url = "http://a.test/nowhere")), "302 ");         /* it leads nowhere: the answer itself */
    expect_text(ask(REQUEST(.url = "http://a.test:99999/")), "invalid argument");
    expect_text(ask(REQUEST(.url = "http://a.test:8x/")), "invalid argument");
    return 0;
}

static void a_url_is_sent_as_curl_would(void **state)
{
    (void)state;
    assert_int_equal(run_world(places, visits_places, NULL), 0);
}

static int gives_credentials(void *job)
{
    (void)job;
    expect_text(ask(REQUEST(.url = "http://user:p%40w@a.test/basic")), "200 in");
    expect_text(ask(REQUEST(.url = "http://u@a.test/bare")), "200 in");
    expect_text(ask(REQUEST(.url = "http://@a.test/bare")), "401 ");
    expect_text(ask(REQUEST(.url = "http://user:p%40w@a.test/to-basic")), "200 in");       /* the same site */
    expect_text(ask(REQUEST(.url = "http://a.test/as-user")), "200 in");
    expect_text(ask(REQUEST(.url = "http://user:p%40w@a.test/basic", .headers = "Authorization: Basic dTo=")), "401 ");
    return 0;
}

static void a_user_in_the_url_is_sent_as_basic(void **state)
{
    (void)state;
    assert_int_equal(run_world(places, gives_credentials, NULL), 0);
}

/* Credentials of one site are nobody else's business, nor its own once another has led back to it. */
static int leaves_with_credentials(void *job)
{
    (void)job;
    static const char lost[] = "http://user:p%40w@a.test/there";
    expect_text(ask(REQUEST(.url = lost)), "401 ");
    return 0;
}

static void a_user_in_the_url_stays_at_its_site(void **state)
{
    (void)state;
    static const char world[] = SITE(
        ROUTE("/there", ",\"redirect\":\"http://b.test/back\"") ","
        ROUTE("/secret", ",\"require\":{\"Authorization\":\"Basic dXNlcjpwQHc=\"},\"body\":\"in\""));
    assert_int_equal(run_world(world, leaves_with_credentials, NULL), 0);
}

static const char implied[] = "{\"world\":\"looplab/world/v1\",\"sites\":["
    "{\"url\":\"http://a.test:8080\",\"routes\":["
    "{\"path\":\"/host\",\"require\":{\"Host\":\"a.test:8080\"}},"
    "{\"path\":\"/other\",\"require\":{\"host\":\"b.test\"}},"
    "{\"path\":\"/to-b\",\"redirect\":\"http://b.test/host\"},"
    "{\"path\":\"/accept\",\"require\":{\"Accept\":\"*/*\",\"User-Agent\":\"looplab/1\"}}]},"
    "{\"url\":\"http://b.test\",\"routes\":[{\"path\":\"/host\",\"require\":{\"Host\":\"b.test\"}}]}]}";

static int sends_what_it_says_by_itself(void *job)
{
    (void)job;
    expect_text(ask(REQUEST(.url = "http://a.test:8080/host")), "200 ");
    expect_text(ask(REQUEST(.url = "http://b.test:80/host")), "200 ");
    expect_text(ask(REQUEST(.url = "http://a.test:8080/other")), "401 ");
    expect_text(ask(REQUEST(.url = "http://a.test:8080/other", .headers = "HOST: b.test")), "200 ");
    expect_text(ask(REQUEST(.url = "http://a.test:8080/host", .headers = "Host: b.test")), "401 ");
    expect_text(ask(REQUEST(.url = "http://a.test:8080/to-b", .headers = "Host: x.test")), "200 ");  /* left behind */
    expect_text(ask(REQUEST(.url = "http://a.test:8080/accept", .headers = "X: 1")), "200 ");
    expect_text(ask(REQUEST(.url = "http://a.test:8080/accept", .headers = "User-Agent: me")), "401 ");
    expect_text(ask(REQUEST(.url = "http://a.test:8080/accept", .headers = "Accept:")), "401 ");
    return 0;
}

static void headers_that_nobody_wrote_let_in(void **state)
{
    (void)state;
    assert_int_equal(run_world(implied, sends_what_it_says_by_itself, NULL), 0);
}

static int asks_wrongly(void *job)
{
    (void)job;
    static const struct co_request wrong[] = {
        {.url = NULL}, {.url = "a.test"}, {.url = "http://a.test/\n"}, {.url = "http://a.test/ "},
        {.url = "http://a.test/\x7f"}, {.url = "file:///etc/passwd"},
        {.url = "http://a.test/", .method = ""}, {.url = "http://a.test/", .method = "GET /x"},
        {.url = "http://a.test/", .method = "GET\n"}, {.url = "http://a.test/", .method = "GET\r\nX: 1"},
        {.url = "http://a.test/", .headers = "no colon"}, {.url = "http://a.test/", .headers = ": nameless\n"},
        {.url = "http://a.test/", .headers = "A: 1\n\nB: 2\n"}, {.url = "http://a.test/", .headers = "\nA: 1"},
        {.url = "http://a.test/", .headers = "A: 1\r\nB: 2"}, {.url = "http://a.test/", .headers = "A: 1\n folded\n"},
        {.url = "http://a.test/", .headers = "A B: 1"}, {.url = "http://a.test/", .headers = "A : 1"},
        {.url = "http://a.test/", .headers = "A: \x01"}, {.url = "http://a.test/", .headers = "A: \x7f"},
        {.url = "http://a.test/", .headers = "Content-Length: 5"},
        {.url = "http://a.test/", .headers = "expect: 100-continue"},
        {.url = "http://a.test/", .headers = "Transfer-Encoding: chunked"},
        {.url = "http://a.test/", .headers = "TE: trailers"},
        {.url = "http://a.test/", .headers = "Connection: close"}, {.url = "http://a.test/", .headers = "Trailer: X"},
        {.url = "http://a.test/", .headers = "Upgrade: h2c"}, {.url = "http://a.test/", .headers = "Keep-Alive: 5"},
        {.url = "http://a.test/", .headers = "Proxy-Connection: close"},
        {.url = "http://a.test/", .headers = "Host: b.test\nA: 1\nhost: c.test"},
        {.url = "http://a.test/", .length = 1}, {.url = "http://a.test/", .timeout = -1},
        {.url = "http://a.test/", .max_redirects = -2},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct co_response resp = {.status = 3};
        struct co_stream stream = {.status = 3};
        int rc = co_http_request(&wrong[i], &resp);
        if (rc != -EINVAL)
            fprintf(stderr, "case %zu:\n", i);
        expect_is(rc, -EINVAL);
        expect_is(resp.status, 0);
        expect_is(co_stream_open(&wrong[i], &stream), -EINVAL);
        expect(stream.status == 0 && !stream.flow);
    }
    expect_is(co_now(), 0);
    expect_text(ask(REQUEST(.url = "http://a.test/", .headers = "A: tab\there\nB:\nC: \xc3\xa9")), "200 got");
    return 0;
}

static void what_is_no_request_is_refused(void **state)
{
    (void)state;
    assert_int_equal(run_world(methods, asks_wrongly, NULL), 0);
}

static int asks_outside(void)
{
    struct co_response resp = {.status = 3};
    struct co_stream stream = {.status = 3};
    CO_SESSION(session, 1);
    char buffer[4] = "?";
    assert_int_equal(co_http_request(REQUEST(.url = "http://a.test/"), &resp), -EPERM);
    assert_int_equal(co_session_get(&session, "http://a.test/", &resp), -EPERM);
    assert_int_equal(co_stream_open(REQUEST(.url = "http://a.test/"), &stream), -EPERM);
    assert_int_equal(co_stream_read(&stream, buffer, sizeof buffer), -EPERM);
    assert_int_equal(co_stream_read_line(&stream, buffer, sizeof buffer), -EPERM);
    assert_int_equal(buffer[0], 0);
    co_stream_close(&stream);
    return resp.status + stream.status;
}

static void outside_a_loop_nothing_is_sent(void **state)
{
    (void)state;
    assert_int_equal(asks_outside(), 0);
}

/* ---- Time -------------------------------------------------------------------------------------------------------- */

static const char slow[] =
    "{\"world\":\"looplab/world/v1\",\"sites\":[{\"url\":\"http://a.test\",\"rtt\":\"10ms\",\"connect\":\"23ms\","
    "\"bandwidth\":1000,\"workers\":1,\"routes\":["
    "{\"path\":\"/echo\",\"echo\":true,\"latency\":\"100ms\"},"
    "{\"path\":\"/hang\",\"fault\":{\"kind\":\"hang\"}},"
    "{\"path\":\"/round\",\"redirect\":\"/round\",\"latency\":\"100ms\"},"
    "{\"path\":\"/cut\",\"echo\":true,\"fault\":{\"kind\":\"truncate\",\"after\":3}},"
    "{\"path\":\"/reset\",\"echo\":true,\"fault\":{\"kind\":\"reset\",\"after\":3}},"
    "{\"path\":\"/turned\",\"require\":{\"X\":\"1\"},\"body\":\"abcd\",\"cpu\":\"7ms\",\"fault\":{\"kind\":\"reset\","
    "\"after\":3}}]},"
    "{\"url\":\"http://free.test\",\"rtt\":\"10ms\",\"connect\":\"0ms\",\"routes\":[{\"path\":\"/echo\",\"echo\":true,"
    "\"bandwidth\":3}]}]}";

static int uploads(void *job)
{
    (void)job;
    char body[500];
    memset(body, 'x', sizeof body);
    CO_RESPONSE(resp);
    expect_is(co_http_request(REQUEST(.url = "http://a.test/echo", .method = "PUT", .body = body, .length = 500),
                              &resp), 0);
    expect_is(co_now(), CO_MS(3 + 20 + 10 + 500 + 100 + 500));      /* 500 bytes there, 500 back, at 1000 a second */
    expect_is(resp.length, 500);
    int64_t before = co_now();
    expect_text(ask(REQUEST(.url = "http://free.test/echo", .body = "1", .length = 1)), "200 1");
    expect_is(co_now() - before, CO_MS(10) + 2 * (int64_t)333333334);   /* rounded up each way */
    before = co_now();
    expect_text(ask(REQUEST(.url = "http://a.test/none", .body = body, .length = 100)), "404 ");
    expect_is(co_now() - before, CO_MS(3 + 20 + 10 + 100));         /* the site's bandwidth */
    return 0;
}

static void a_body_takes_time_to_send(void **state)
{
    (void)state;
    assert_int_equal(run_world(slow, uploads, NULL), 0);
}

static int limits(void *job)
{
    (void)job;
    int64_t before = co_now();
    expect_text(ask(REQUEST(.url = "http://a.test/hang", .timeout = CO_MS(250))), "timed out");
    expect_is(co_now() - before, CO_MS(250));
    before = co_now();
    /* The limit is on the whole. */
    expect_text(ask(REQUEST(.url = "http://a.test/round", .timeout = CO_MS(500))), "timed out");
    expect_is(co_now() - before, CO_MS(500));
    before = co_now();
    expect_text(ask(REQUEST(.url = "http://a.test/hang")), "timed out");
    expect_is(co_now() - before, CO_HTTP_TIMEOUT);
    struct co_timeout limit;
    co_timeout_begin(&limit, CO_SEC(100));
    expect_text(ask(REQUEST(.url = "http://a.test/hang", .timeout = CO_FOREVER)), "cancelled");
    expect_is(co_timeout_end(&limit, -ECANCELED), -ETIMEDOUT);
    before = co_now();
    /* Just in time. */
    expect_text(ask(REQUEST(.url = "http://a.test/echo", .timeout = CO_MS(3 + 20 + 10 + 100))), "200 ");
    expect_is(co_now() - before, CO_MS(133));
    return 0;
}

static void a_request_has_a_limit_of_its_own(void **state)
{
    (void)state;
    assert_int_equal(run_world(slow, limits, NULL), 0);
}

static int echoes_with_faults(void *job)
{
    (void)job;
    expect_text(ask(REQUEST(.url = "http://a.test/cut", .body = "abcd", .length = 4)),
                "the answer broke off before its end");
    expect_text(ask(REQUEST(.url = "http://a.test/cut", .body = "abc", .length = 3)), "200 abc");
    expect_text(ask(REQUEST(.url = "http://a.test/reset", .body = "abcd", .length = 4)),
                "connection reset by the server");
    expect_text(ask(REQUEST(.url = "http://a.test/reset", .body = "ab", .length = 2)), "200 ab");    /* all of it */
    int64_t before = co_now();
    expect_text(ask(REQUEST(.url = "http://a.test/turned")), "401 ");       /* no body, no cpu, no fault of the body */
    expect_is(co_now() - before, CO_MS(33));
    expect_text(ask(REQUEST(.url = "http://a.test/turned", .headers = "X: 1")), "connection reset by the server");
    return 0;
}

static void faults_of_a_body_need_one(void **state)
{
    (void)state;
    assert_int_equal(run_world(slow, echoes_with_faults, NULL), 0);
}

static void the_trace_tells_what_was_sent(void **state)
{
    (void)state;
    char *trace = only(traced_world(slow, uploads, NULL), "world");
    assert_has(trace,
               "{\"t\":0,\"ev\":\"http.start\",\"op\":1,\"task\":1,\"url\":\"http://a.test/echo\",\"method\":\"PUT\","
               "\"sent\":500}");
    free(trace);
}

/* ---- Redirects --------------------------------------------------------------------------------------------------- */

static const char redirects[] = SITE(
    ROUTE("/301", ",\"status\":301,\"redirect\":\"/echo\"") "," ROUTE("/302", ",\"redirect\":\"/echo\"") ","
    ROUTE("/303", ",\"status\":303,\"redirect\":\"/echo\"") ","
    ROUTE("/307", ",\"status\":307,\"redirect\":\"/echo\"") ","
    ROUTE("/308", ",\"status\":308,\"redirect\":\"/echo\"") ","
    ROUTE("/300", ",\"status\":300,\"redirect\":\"/echo\",\"body\":\"many\"") ","
    ROUTE("/echo", ",\"method\":\"GET\",\"body\":\"GET\"") "," ROUTE("/echo", ",\"method\":\"HEAD\",\"status\":299") ","
    ROUTE("/echo", ",\"method\":\"POST\",\"echo\":true") ","
    ROUTE("/echo", ",\"method\":\"PUT\",\"echo\":true,\"status\":201") ","
    ROUTE("/1", ",\"redirect\":\"/2\",\"body\":\"one\"") "," ROUTE("/2", ",\"redirect\":\"/3\"") ","
    ROUTE("/3", ",\"body\":\"three\"") ","
    ROUTE("/file", ",\"redirect\":\"file:///etc/passwd\"") ","
    ROUTE("/type", ",\"status\":303,\"redirect\":\"/typed\"") ","
    ROUTE("/typed", ",\"require\":{\"Content-Type\":\"text/x\"},\"body\":\"typed\"") ","
    ROUTE("/type307", ",\"status\":307,\"redirect\":\"/typed\"") ","
    ROUTE("/here", ",\"redirect\":\"/secret\"") ","
    ROUTE("/secret", ",\"require\":{\"Authorization\":\"Bearer 1\"},\"body\":\"in\"") ","
    ROUTE("/port", ",\"redirect\":\"http://A.TEST:80/secret\"") ","
    ROUTE("/to-secret", ",\"redirect\":\"http://b.test/secret\"") ","
    ROUTE("/to-cookie", ",\"redirect\":\"http://b.test/cookie\"") ","
    ROUTE("/to-plain", ",\"redirect\":\"http://b.test/plain\"") ","
    ROUTE("/to-back", ",\"redirect\":\"http://b.test/back\""));

static int redirects_by_method(void *job)
{
    (void)job;
    static const struct { const char *url, *method, *answer; } cases[] = {
        {"http://a.test/301", "POST", "200 GET"}, {"http://a.test/302", "POST", "200 GET"},
        {"http://a.test/303", "POST", "200 GET"}, {"http://a.test/307", "POST", "200 body"},
        {"http://a.test/308", "POST", "200 body"}, {"http://a.test/300", "POST", "300 many"},
        {"http://a.test/301", "PUT", "201 body"}, {"http://a.test/302", "PUT", "201 body"},
        {"http://a.test/303", "PUT", "200 GET"}, {"http://a.test/307", "PUT", "201 body"},
        {"http://a.test/308", "PUT", "201 body"}, {"http://a.test/301", "HEAD", "299 "},
        {"http://a.test/303", "HEAD", "299 "}, {"http://a.test/307", "HEAD", "299 "},
        {"http://a.test/301", "GET", "200 GET"}, {"http://a.test/303", "GET", "200 GET"},
        {"http://a.test/308", "GET", "200 GET"}, {"http://a.test/file", "GET", "invalid argument"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *answer = ask(REQUEST(.url = cases[i].url, .method = cases[i].method, .body = "body", .length = 4));
        expect_true(strcmp(answer, cases[i].answer) == 0, cases[i].answer, cases[i].method, (int)i);
    }
    return 0;
}

static void redirects_keep_or_change_the_method(void **state)
{
    (void)state;
    assert_int_equal(run_world(redirects, redirects_by_method, NULL), 0);
}

static int counts_redirects(void *job)
{
    (void)job;
    expect_text(ask(REQUEST(.url = "http://a.test/1", .max_redirects = -1)), "302 one");
    expect_text(ask(REQUEST(.url = "http://a.test/1", .max_redirects = 1)), "too many redirects");
    expect_text(ask(REQUEST(.url = "http://a.test/1", .max_redirects = 2)), "200 three");
    expect_text(ask(REQUEST(.url = "http://a.test/1", .max_redirects = 1000)), "200 three");
    return 0;
}

static void the_number_of_redirects_can_be_chosen(void **state)
{
    (void)state;
    assert_int_equal(run_world(redirects, counts_redirects, NULL), 0);
}

static int carries(void *job)
{
    (void)job;
    const char *secret = "Authorization: Bearer 1\nCookie: a=1\nX-Plain: 1\n";
    expect_text(ask(REQUEST(.url = "http://a.test/here", .headers = secret)), "200 in");        /* the same site */
    expect_text(ask(REQUEST(.url = "http://a.test/port", .headers = secret)), "200 in");        /* still the same */
    expect_text(ask(REQUEST(.url = "http://b.test/secret", .headers = secret)), "200 in");
    expect_text(ask(REQUEST(.url = "http://b.test/cookie", .headers = secret)), "200 in");
    expect_text(ask(REQUEST(.url = "http://a.test/to-secret", .headers = secret)), "401 ");     /* another one */
    expect_text(ask(REQUEST(.url = "http://a.test/to-secret", .headers = "authorization:Bearer 1")), "401 ");
    expect_text(ask(REQUEST(.url = "http://a.test/to-cookie", .headers = secret)), "401 ");
    expect_text(ask(REQUEST(.url = "http://a.test/to-plain", .headers = secret)), "200 in");
    /* Once left behind, always. */
    expect_text(ask(REQUEST(.url = "http://a.test/to-back", .headers = secret)), "401 ");
    const char *typed = "Content-Type: text/x\n";
    expect_text(ask(REQUEST(.url = "http://a.test/type307", .method = "POST", .headers = typed)), "200 typed");
    expect_text(ask(REQUEST(.url = "http://a.test/type", .method = "POST", .headers = typed)), "401 ");
    return 0;
}

static void credentials_stay_at_their_site(void **state)
{
    (void)state;
    assert_int_equal(run_world(redirects, carries, NULL), 0);
}

/* A cancel that comes at the instant of a redirect ends the request there: nothing is asked for any more. */
static const char two_hops[] = SITE(ROUTE("/", ",\"redirect\":\"/end\",\"latency\":\"100ms\"") ","
                                    ROUTE("/end", ",\"latency\":\"100ms\""));

static int gets_root(void *job)
{
    (void)job;
    CO_RESPONSE(resp);
    int rc = co_http_get("http://a.test/", &resp);
    note("%s", co_strerror(rc));
    return rc;
}

static int cancels_at_the_redirect(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, gets_root, NULL);
    expect_is(co_sleep(CO_MS(100)), 0);
    co_cancel(task);
    expect_is(co_await(task, NULL), 0);
    return 0;
}

static void a_cancel_at_a_redirect_sends_nothing_more(void **state)
{
    (void)state;
    char *trace = only(traced_world(two_hops, cancels_at_the_redirect, NULL), "world");
    assert_string_equal(board->text, "cancelled@100 ");
    assert_int_equal(count_of(trace, "http.start"), 1);
    free(trace);
}

/* ---- Cancelling in each phase ------------------------------------------------------------------------------------ */

static int gets_echo(void *job)
{
    char body[1000];
    memset(body, 'x', sizeof body);
    CO_RESPONSE(resp);
    int rc = co_http_request(REQUEST(.url = job, .body = body, .length = sizeof body), &resp);
    expect(!resp.body && !resp.answer);
    return rc;
}

/* connect 23, way 5, upload 1000, worker, latency 100, way 5, body 1000 */
static int cancels_anywhere(void *job)
{
    (void)job;
    static const int times[] = {0, 1, 10, 25, 500, 1040, 1130, 1140, 2000};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        CO_GROUP(group);
        co_task *task = co_spawn(&group, gets_echo, (void *)"http://a.test/echo");
        expect_is(co_sleep(CO_MS(times[i])), 0);
        co_cancel(task);
        int rc;
        int64_t before = co_now();
        expect_is(co_await(task, &rc), 0);
        expect_is(rc, -ECANCELED);
        expect_is(co_now(), before);
    }
    return 0;
}

static void a_request_is_cancelled_in_any_phase(void **state)
{
    (void)state;
    struct child *child = forked_world(slow, cancels_anywhere, NULL);
    assert_int_equal(child->rc, 0);
    assert_string_equal(child->err, "");
}

/* ---- Memory ------------------------------------------------------------------------------------------------------ */

static const char huge[] = SITE(ROUTE("/", ",\"body_size\":5242880") ","
                                ROUTE("/slowly", ",\"body_size\":5242880,\"bandwidth\":5242880,\"chunk\":1000"));

static size_t in_use(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static size_t peak;

static int watches(void *job)
{
    (void)job;
    for (int i = 0; i < 2000; i++) {
        if (in_use() > peak)
            peak = in_use();
        int rc = co_sleep(CO_US(500));
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int gets_huge(void *job)
{
    CO_RESPONSE(resp);
    CO_GROUP(group);
    co_spawn(&group, watches, NULL);
    expect_is(co_yield(), 0);
    size_t before = in_use();
    peak = 0;
    expect_is(co_http_get(job, &resp), 0);
    expect_is(resp.length, 5242880);
    if (in_use() > peak)
        peak = in_use();
    if (!UNDER_ASAN && !UNDER_TSAN && !UNDER_VALGRIND) {
        expect(peak - before > 5242880);
        expect(peak - before < 5242880 + 200 * 1024);
    }
    return co_join(&group);
}

static void five_megabytes_are_held_once(void **state)
{
    (void)state;
    assert_int_equal(run_world(huge, gets_huge, (void *)"http://a.test/"), 0);
    assert_int_equal(run_world(huge, gets_huge, (void *)"http://a.test/slowly"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_is_sent_as_curl_would),
        cmocka_unit_test(a_user_in_the_url_is_sent_as_basic),
        cmocka_unit_test(a_user_in_the_url_stays_at_its_site),
        cmocka_unit_test(a_request_has_a_method_and_a_body),
        cmocka_unit_test(required_headers_let_in),
        cmocka_unit_test(headers_that_nobody_wrote_let_in),
        cmocka_unit_test(what_is_no_request_is_refused),
        cmocka_unit_test(outside_a_loop_nothing_is_sent),
        cmocka_unit_test(a_body_takes_time_to_send),
        cmocka_unit_test(a_request_has_a_limit_of_its_own),
        cmocka_unit_test(faults_of_a_body_need_one),
        cmocka_unit_test(the_trace_tells_what_was_sent),
        cmocka_unit_test(redirects_keep_or_change_the_method),
        cmocka_unit_test(the_number_of_redirects_can_be_chosen),
        cmocka_unit_test(credentials_stay_at_their_site),
        cmocka_unit_test(a_cancel_at_a_redirect_sends_nothing_more),
        cmocka_unit_test(a_request_is_cancelled_in_any_phase),
        cmocka_unit_test(five_megabytes_are_held_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
