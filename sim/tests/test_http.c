/* test_http.c - the HTTP client: answers, every documented error, redirects, limits, and the form that blocks. */
#include "check.h"

/* A world of one site without any latency of its own, and these routes. */
#define SITE(routes) \
    "{\"world\":\"looplab/world/v1\",\"sites\":[{\"url\":\"http://a.test\",\"routes\":[" routes "]}]}"
#define ROUTE(path, rest) "{\"path\":\"" path "\"" rest "}"

typedef int get_fn(const char *url, struct co_response *resp);
static get_fn *const both_forms[] = {co_http_get, http_get_blocking};

/* ---- Answers -------------------------------------------------------------------------------------------------- */

static const char answers[] = SITE(
    ROUTE("/", ",\"latency\":\"300ms\",\"body\":\"hello\",\"headers\":{\"X-One\":\"1\",\"Empty\":\"\"}") ","
    ROUTE("/none", "") ","
    ROUTE("/404", ",\"status\":404,\"body\":\"no\"") ","
    ROUTE("/500", ",\"status\":500") ","
    ROUTE("/binary", ",\"body_base64\":\"AAEC/wAKDQA=\""));

static int gets_answers(void *job)
{
    get_fn *get = *(get_fn **)job;
    struct co_response resp;
    char value[8];
    expect_is(get("http://a.test/", &resp), 0);
    expect_is(co_now(), CO_MS(300));
    expect_is(resp.status, 200);
    expect_is(resp.length, 5);
    expect_text(resp.body, "hello");
    expect_text(co_response_header(&resp, "X-One", value, sizeof value), "1");
    expect_text(co_response_header(&resp, "x-ONE", value, sizeof value), "1");
    expect_text(co_response_header(&resp, "Content-Length", value, sizeof value), "5");
    expect_text(co_response_header(&resp, "Empty", value, sizeof value), "");
    expect(co_response_header(&resp, "X-On", value, sizeof value) == NULL);
    expect(co_response_header(&resp, "X-One:", value, sizeof value) == NULL);
    expect(co_response_header(&resp, "1", value, sizeof value) == NULL);
    expect(co_response_header(&resp, "", value, sizeof value) == NULL);
    co_response_free(&resp);
    expect(resp.status == 0 && !resp.body && !resp.length && !resp.headers && !resp.answer);
    expect(co_response_header(&resp, "X-One", value, sizeof value) == NULL);
    co_response_free(&resp);                            /* a zeroed one: nothing */

    expect_is(get("http://a.test/none", &resp), 0);
    expect_is(resp.status, 200);
    expect_is(resp.length, 0);
    expect_text(resp.body, "");
    co_response_free(&resp);

    expect_is(get("http://a.test/404", &resp), 0);      /* an answer, whatever its status */
    expect_is(resp.status, 404);
    expect_text(resp.body, "no");
    co_response_free(&resp);
    expect_is(get("http://a.test/500", &resp), 0);
    expect_is(resp.status, 500);
    co_response_free(&resp);
    expect_is(get("http://a.test/unknown/path", &resp), 0);
    expect_is(resp.status, 404);
    co_response_free(&resp);

    expect_is(get("http://a.test/binary", &resp), 0);
    expect_is(resp.length, 8);
    expect(memcmp(resp.body, "\0\1\2\377\0\n\r\0", 9) == 0);    /* and one more '\0' after them */
    co_response_free(&resp);
    return 0;
}

static void an_answer_has_status_headers_and_body(void **state)
{
    (void)state;
    for (int form = 0; form < 2; form++)
        assert_int_equal(run_world(answers, gets_answers, (void *)&both_forms[form]), 0);
}

static int cuts_headers(void *job)
{
    (void)job;
    struct co_response resp = {.headers = (char *)"Name: value\nOther:no blank\nLast:   three\n"};
    char value[20] = "??????";
    expect_text(co_response_header(&resp, "name", value, sizeof value), "value");
    expect_text(co_response_header(&resp, "other", value, sizeof value), "no blank");
    expect_text(co_response_header(&resp, "LAST", value, sizeof value), "three");
    expect_text(co_response_header(&resp, "Name", value, 4), "val");
    expect_is(value[4], 'e');                           /* "three": nothing beyond size was written */
    expect_text(co_response_header(&resp, "Name", value, 1), "");
    value[0] = 'z';
    expect(co_response_header(&resp, "Name", value, 0) == value);
    expect_is(value[0], 'z');
    return 0;
}

static void a_header_is_cut_to_size(void **state)
{
    (void)state;
    assert_int_equal(run(cuts_headers, NULL), 0);
}

static const char large[] = SITE(
    ROUTE("/", ",\"body_size\":5242880,\"bandwidth\":5242880") ","
    ROUTE("/chunks", ",\"body_size\":1000003,\"bandwidth\":1000000,\"chunk\":1000"));

static int gets_large(void *job)
{
    get_fn *get = *(get_fn **)job;
    struct co_response resp;
    expect_is(get("http://a.test/", &resp), 0);
    expect_is(co_now(), CO_SEC(1));
    expect_is(resp.length, 5242880);
    expect_is(resp.body[resp.length], 0);
    co_response_free(&resp);
    int64_t before = co_now();
    expect_is(get("http://a.test/chunks", &resp), 0);
    expect_is(co_now() - before, CO_SEC(1) + CO_US(3));
    expect_is(resp.length, 1000003);
    co_response_free(&resp);
    return 0;
}

static void five_megabytes_and_a_thousand_chunks_come_in(void **state)
{
    (void)state;
    for (int form = 0; form < 2; form++)
        assert_int_equal(run_world(large, gets_large, (void *)&both_forms[form]), 0);
}

/* ---- Errors ------------------------------------------------------------------------------------------------------ */

static const char faults[] =
    "{\"world\":\"looplab/world/v1\",\"sites\":["
    "{\"url\":\"http://refused.test\",\"connect\":\"20ms\",\"fault\":{\"kind\":\"refused\"},"
    "\"routes\":[{\"path\":\"/\"}]},"
    "{\"url\":\"http://unresolved.test\",\"resolve\":\"7ms\",\"fault\":{\"kind\":\"unresolved\"},"
    "\"routes\":[{\"path\":\"/\"}]},"
    "{\"url\":\"http://a.test\",\"rtt\":\"10ms\",\"routes\":["
    "{\"path\":\"/close\",\"fault\":{\"kind\":\"close\"}},"
    "{\"path\":\"/reset\",\"body\":\"0123456789\",\"fault\":{\"kind\":\"reset\",\"after\":4}},"
    "{\"path\":\"/truncate\",\"body\":\"0123456789\",\"fault\":{\"kind\":\"truncate\",\"after\":4}},"
    "{\"path\":\"/hang\",\"fault\":{\"kind\":\"hang\"}},"
    "{\"path\":\"/slow\",\"latency\":\"40s\"},"
    "{\"path\":\"/justintime\",\"latency\":\"29980ms\"},"
    "{\"path\":\"/justlate\",\"latency\":\"29980000001ns\"},"
    "{\"path\":\"/drip\",\"body_size\":100000000,\"fault\":{\"kind\":\"drip\",\"bytes\":1,\"every\":\"1s\"}}]}]}";

static int gets_errors(void *job)
{
    get_fn *get = *(get_fn **)job;
    static const struct { const char *url; int rc, ms; } cases[] = {
        {"http://nowhere.test/", -CO_ENOHOST, 0}, {"http://unresolved.test/", -CO_ENOHOST, 7},
        {"http://refused.test/", -ECONNREFUSED, 20}, {"http://a.test/close", -ECONNRESET, 20},
        {"http://a.test/reset", -ECONNRESET, 20}, {"http://a.test/truncate", -EPROTO, 20},
        {"http://a.test/hang", -ETIMEDOUT, 30000}, {"http://a.test/slow", -ETIMEDOUT, 30000},
        {"http://a.test/drip", -ETIMEDOUT, 30000}, {"http://a.test/justlate", -ETIMEDOUT, 30000},
        {"http://a.test/justintime", 0, 30000},
        {"", -EINVAL, 0}, {"a.test", -EINVAL, 0}, {"http://", -EINVAL, 0}, {"http:///path", -EINVAL, 0},
        {"ftp://a.test/", -EINVAL, 0}, {"http:a.test", -EINVAL, 0}, {"http://a.test/ blank", -EINVAL, 0},
        {"http://a.test/\n", -EINVAL, 0}, {"file:///etc/passwd", -EINVAL, 0}, {"http//a.test/", -EINVAL, 0},
        {"http://?x", -EINVAL, 0}, {"http://:80/", -EINVAL, 0}, {" http://a.test/", -EINVAL, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t before = co_now();
        struct co_response resp = {.status = 5, .length = 6, .body = (char *)"garbage"};
        int rc = get(cases[i].url, &resp);
        if (rc != cases[i].rc || (cases[i].ms >= 0 && co_now() - before != CO_MS(cases[i].ms)))
            fprintf(stderr, "%s:\n", cases[i].url);
        expect_is(rc, cases[i].rc);
        if (cases[i].ms >= 0)
            expect_is(co_now() - before, CO_MS(cases[i].ms));
        if (rc < 0)
            expect(!resp.status && !resp.length && !resp.body && !resp.headers && !resp.answer);
        co_response_free(&resp);
    }
    struct co_response resp;
    expect_is(get(NULL, &resp), -EINVAL);
    return 0;
}

static void every_error_has_its_code_and_its_time(void **state)
{
    (void)state;
    for (int form = 0; form < 2; form++)
        assert_int_equal(run_world(faults, gets_errors, (void *)&both_forms[form]), 0);
}

static int gets_https(void *job)
{
    get_fn *get = *(get_fn **)job;
    struct co_response resp;
    expect_is(get("https://nowhere.test/", &resp), -CO_ENOHOST);        /* a URL, only not of this world */
    expect_is(get("HTTP://nowhere.test", &resp), -CO_ENOHOST);
    expect_is(get("httpx://a.test/", &resp), -EINVAL);
    expect_is(get("https:/a.test/", &resp), -EINVAL);
    return 0;
}

static void https_is_a_url_too(void **state)
{
    (void)state;
    for (int form = 0; form < 2; form++)
        assert_int_equal(run_world(faults, gets_https, (void *)&both_forms[form]), 0);
}

static int timeout_round_http(void *job)
{
    (void)job;
    struct co_timeout limit;
    struct co_response resp;
    co_timeout_begin(&limit, CO_SEC(2));
    int rc = co_http_get("http://a.test/hang", &resp);
    expect_is(rc, -ECANCELED);
    expect_is(co_timeout_end(&limit, rc), -ETIMEDOUT);
    expect_is(co_now(), CO_SEC(2));
    co_timeout_begin(&limit, CO_SEC(40));
    rc = co_http_get("http://a.test/hang", &resp);
    expect_is(rc, -ETIMEDOUT);                          /* the request's own 30 s */
    expect_is(co_now(), CO_SEC(32));
    expect_is(co_timeout_end(&limit, rc), -ETIMEDOUT);
    expect_is(co_sleep(CO_SEC(20)), 0);
    /* In a shield inside a timeout the request has its own limit all the same. */
    struct co_shield shield;
    co_timeout_begin(&limit, CO_SEC(1));
    co_shield_begin(&shield);
    int64_t before = co_now();
    expect_is(co_http_get("http://a.test/hang", &resp), -ETIMEDOUT);
    expect_is(co_now() - before, CO_SEC(30));
    co_shield_end(&shield);
    expect_is(co_timeout_end(&limit, -ECANCELED), -ETIMEDOUT);
    return 0;
}

static void a_timeout_round_a_request_and_its_own_limit(void **state)
{
    (void)state;
    assert_int_equal(run_world(faults, timeout_round_http, NULL), 0);
}

static int gets_late_in_time(void *job)
{
    (void)job;
    struct co_response resp;
    expect_is(co_sleep(CO_FOREVER - CO_SEC(1)), 0);
    expect_is(co_http_get("http://refused.test/", &resp), -ECONNREFUSED);
    expect_is(http_get_blocking("http://refused.test/", &resp), -ECONNREFUSED);
    return 0;
}

static void a_request_near_the_end_of_time(void **state)
{
    (void)state;
    assert_int_equal(run_world(faults, gets_late_in_time, NULL), 0);
}

/* ---- Redirects --------------------------------------------------------------------------------------------------- */

static const char redirects[] =
    "{\"world\":\"looplab/world/v1\",\"sites\":[{\"url\":\"http://a.test\",\"routes\":["
    "{\"path\":\"/abs\",\"redirect\":\"http://b.test/end\",\"latency\":\"10ms\"},"
    "{\"path\":\"/path\",\"redirect\":\"/x/end\"},"
    "{\"path\":\"/\",\"redirect\":\"end\"},{\"path\":\"/end\",\"body\":\"end\"},"
    "{\"path\":\"/x/rel\",\"redirect\":\"end\"},"
    "{\"path\":\"/x/end\",\"body\":\"x end\"},"
    "{\"path\":\"/scheme\",\"redirect\":\"//b.test/end\"},"
    "{\"path\":\"/301\",\"status\":301,\"redirect\":\"/x/end\"},"
    "{\"path\":\"/303\",\"status\":303,\"redirect\":\"/x/end\"},"
    "{\"path\":\"/307\",\"status\":307,\"redirect\":\"/x/end\"},"
    "{\"path\":\"/308\",\"status\":308,\"redirect\":\"/x/end\"},"
    "{\"path\":\"/304\",\"status\":304},"
    "{\"path\":\"/nolocation\",\"status\":302,\"body\":\"here\"},"
    "{\"path\":\"/200\",\"headers\":{\"Location\":\"/x/end\"},\"body\":\"stay\"},"
    "{\"path\":\"/self\",\"redirect\":\"/self\"},"
    "{\"path\":\"/nohost\",\"redirect\":\"http://nowhere.test/\"},"
    "{\"path\":\"/ftp\",\"redirect\":\"ftp://a.test/\"},"
    "{\"path\":\"/mail\",\"redirect\":\"mailto:me\"},"
    "{\"path\":\"/slow\",\"redirect\":\"/slow2\",\"latency\":\"20s\"},"
    "{\"path\":\"/slow2\",\"latency\":\"20s\"},"
    "{\"path\":\"/1\",\"redirect\":\"/2\"},{\"path\":\"/2\",\"redirect\":\"/3\"},{\"path\":\"/3\",\"redirect\":\"/4\"},"
    "{\"path\":\"/4\",\"redirect\":\"/5\"},{\"path\":\"/5\",\"redirect\":\"/6\"},{\"path\":\"/6\",\"redirect\":\"/7\"},"
    "{\"path\":\"/7\",\"redirect\":\"/8\"},{\"path\":\"/8\",\"redirect\":\"/9\"},"
    "{\"path\":\"/9\",\"redirect\":\"/10\"},"
    "{\"path\":\"/10\",\"redirect\":\"/11\"},{\"path\":\"/11\",\"body\":\"eleventh\"},"
    "{\"path\":\"/0\",\"redirect\":\"/1\"}"
    "]},{\"url\":\"http://b.test\",\"routes\":[{\"path\":\"/end\",\"latency\":\"5ms\",\"body\":\"b end\"}]}]}";

static int follows(void *job)
{
    get_fn *get = *(get_fn **)job;
    static const struct { const char *url; int rc, status; const char *body; int ms; } cases[] = {
        {"http://a.test/abs", 0, 200, "b end", 15}, {"http://a.test/path", 0, 200, "x end", 0},
        {"http://a.test/x/rel", 0, 200, "x end", 0}, {"http://a.test/scheme", 0, 200, "b end", 5},
        {"http://a.test", 0, 200, "end", 0}, {"http://a.test/", 0, 200, "end", 0},
        {"http://a.test/301", 0, 200, "x end", 0}, {"http://a.test/303", 0, 200, "x end", 0},
        {"http://a.test/307", 0, 200, "x end", 0}, {"http://a.test/308", 0, 200, "x end", 0},
        {"http://a.test/304", 0, 304, "", 0}, {"http://a.test/nolocation", 0, 302, "here", 0},
        {"http://a.test/200", 0, 200, "stay", 0},
        {"http://a.test/self", -ELOOP, 0, "", 0}, {"http://a.test/nohost", -CO_ENOHOST, 0, "", 0},
        {"http://a.test/ftp", -EINVAL, 0, "", 0}, {"http://a.test/mail", -EINVAL, 0, "", 0},
        {"http://a.test/slow", -ETIMEDOUT, 0, "", 30000},       /* 30 s for all of it */
        {"http://a.test/1", 0, 200, "eleventh", 0},             /* ten redirects */
        {"http://a.test/0", -ELOOP, 0, "", 0},                  /* eleven */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct co_response resp = {.status = 77};
        int64_t before = co_now();
        int rc = get(cases[i].url, &resp);
        if (rc != cases[i].rc || resp.status != cases[i].status)
            fprintf(stderr, "%s:\n", cases[i].url);
        expect_is(rc, cases[i].rc);
        expect_is(resp.status, cases[i].status);
        expect_is(co_now() - before, CO_MS(cases[i].ms));
        if (rc == 0)
            expect_true(strcmp(resp.body, cases[i].body) == 0, cases[i].body, __FILE__, __LINE__);
        co_response_free(&resp);
    }
    return 0;
}

static void redirects_are_followed_ten_times_at_most(void **state)
{
    (void)state;
    for (int form = 0; form < 2; form++)
        assert_int_equal(run_world(redirects, follows, (void *)&both_forms[form]), 0);
}

static int follows_leaking_nothing(void *job)
{
    (void)job;
    struct co_response resp;
    expect_is(co_http_get("http://a.test/self", &resp), -ELOOP);
    expect_is(co_http_get("http://a.test/1", &resp), 0);
    co_response_free(&resp);
    return 0;
}

static void the_answers_on_the_way_are_freed(void **state)
{
    (void)state;
    struct child *child = forked_world(redirects, follows_leaking_nothing, NULL);
    assert_int_equal(child->rc, 0);
    assert_string_equal(child->err, "");
}

/* ---- Many at once, and their order ------------------------------------------------------------------------------- */

static const char three_sites[] =
    "{\"world\":\"looplab/world/v1\",\"sites\":[{\"url\":\"http://a.test\",\"routes\":["
    "{\"path\":\"/10\",\"latency\":\"10ms\"},{\"path\":\"/20\",\"latency\":\"20ms\"},"
    "{\"path\":\"/30\",\"latency\":\"30ms\"},"
    "{\"path\":\"/40\",\"latency\":\"40ms\"},{\"path\":\"/50\",\"latency\":\"50ms\"},"
    "{\"path\":\"/100\",\"latency\":\"100ms\"}]}]}";

static int gets(void *job)
{
    char url[64];
    struct co_response resp;
    snprintf(url, sizeof url, "http://a.test/%d", (int)(intptr_t)job);
    int rc = co_http_get(url, &resp);
    expect_is(rc, 0);
    note("get%d", (int)(intptr_t)job);
    co_response_free(&resp);
    return rc;
}

static int overlaps(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_spawn(&group, gets, MSEC(30));
    co_spawn(&group, gets, MSEC(10));
    co_spawn(&group, gets, MSEC(20));
    return co_join(&group);
}

static void requests_of_several_tasks_overlap(void **state)
{
    (void)state;
    check_world_notes(three_sites, overlaps, "get10@10 get20@20 get30@30 ");
}

static int answers_and_timers(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_spawn(&group, sleeper, MSEC(10));
    co_spawn(&group, gets, MSEC(10));
    co_spawn(&group, sleeper, MSEC(10));
    co_spawn(&group, gets, MSEC(10));
    return co_join(&group);
}

static void an_answer_and_a_timer_of_one_instant_come_in_the_order_asked_for(void **state)
{
    (void)state;
    check_world_notes(three_sites, answers_and_timers, "10@10 get10@10 10@10 get10@10 ");
}

static int asked_late_due_together(void *job)
{
    int before = (int)(intptr_t)job;
    expect_is(co_sleep(CO_MS(before)), 0);
    return gets(MSEC(50 - before));
}

static int answers_in_reverse(void *job)
{
    (void)job;
    CO_GROUP(group);
    for (int before = 40; before >= 10; before -= 10)
        co_spawn(&group, asked_late_due_together, MSEC(before));
    return co_join(&group);
}

static void answers_of_one_instant_come_in_the_order_asked_for(void **state)
{
    (void)state;
    check_world_notes(three_sites, answers_in_reverse, "get40@50 get30@50 get20@50 get10@50 ");
}

/* ---- The form that blocks ---------------------------------------------------------------------------------------- */

static int gets_blocking(void *job)
{
    char url[64];
    struct co_response resp;
    snprintf(url, sizeof url, "http://a.test/%d", (int)(intptr_t)job);
    int rc = http_get_blocking(url, &resp);
    expect_is(rc, 0);
    note("blocked%d", (int)(intptr_t)job);
    co_response_free(&resp);
    return rc;
}

static int one_blocks(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_spawn(&group, sleeper, MSEC(40));
    co_spawn(&group, gets, MSEC(30));
    co_spawn(&group, gets, MSEC(10));
    co_spawn(&group, sleeper, MSEC(20));
    co_spawn(&group, gets, MSEC(100));          /* due at the same instant as... */
    co_spawn(&group, gets_blocking, MSEC(100)); /* ...this one */
    co_spawn(&group, sleeper, MSEC(100));       /* runs for the first time when all is over */
    return co_join(&group);
}

/* Everything else stands still; what came meanwhile becomes due in the order in which it came. */
static void a_blocking_request_freezes_all_others(void **state)
{
    (void)state;
    check_world_notes(three_sites, one_blocks,
                      "blocked100@100 get10@100 20@100 get30@100 40@100 get100@100 100@200 ");
}

static int blocks_one_after_another(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_spawn(&group, gets_blocking, MSEC(30));
    co_spawn(&group, gets_blocking, MSEC(10));
    co_spawn(&group, sleeper, MSEC(5));
    return co_join(&group);
}

static void blocking_requests_run_one_after_another(void **state)
{
    (void)state;
    check_world_notes(three_sites, blocks_one_after_another, "blocked30@30 blocked10@40 5@45 ");
}

static int cancelled_and_blocking(void *job)
{
    (void)job;
    struct co_response resp;
    co_cancel(co_current());
    expect_is(http_get_blocking("http://a.test/10", &resp), 0);     /* not a wait: nothing can cancel it */
    expect_is(co_now(), CO_MS(10));
    co_response_free(&resp);
    return 0;
}

static void a_blocking_request_cannot_be_cancelled(void **state)
{
    (void)state;
    assert_int_equal(run_world(three_sites, cancelled_and_blocking, NULL), 0);
}

static int blocks_at_a_place(void *job)
{
    (void)job;
    struct co_response resp;
    expect_is(http_get_blocking("http://a.test/30", &resp), 0), MARK(0);
    co_response_free(&resp);
    return 0;
}

static void a_blocking_request_is_traced_at_its_line(void **state)
{
    (void)state;
    char *trace = traced_world(three_sites, blocks_at_a_place, NULL);
    assert_has(trace,
               "{\"t\":30000000,\"from\":\"runtime\",\"ev\":\"block\",\"task\":1,\"ns\":30000000,\"on\":\"http\","
                      "\"src\":\"test_http.c:%d\"}\n", board->line[0]);
    assert_has(trace, "\"blocking\":1}\n");
    free(trace);
}

/* ---- CPU --------------------------------------------------------------------------------------------------------- */

static const char costly[] = SITE(ROUTE("/", ",\"latency\":\"10ms\",\"cpu\":\"20ms\""));

static int gets_costly(void *job)
{
    struct co_response resp;
    expect_is(co_http_get("http://a.test/", &resp), 0);
    note("%s", (const char *)job);
    co_response_free(&resp);
    return 0;
}

static int gets_costly_blocking(void *job)
{
    (void)job;
    struct co_response resp;
    expect_is(http_get_blocking("http://a.test/", &resp), 0);
    expect_is(co_now(), CO_MS(30));
    co_response_free(&resp);
    return 0;
}

static int two_costly(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_spawn(&group, gets_costly, "first");
    co_spawn(&group, gets_costly, "second");
    co_spawn(&group, sleeper, MSEC(15));
    return co_join(&group);
}

static void the_cpu_cost_of_an_answer_stops_the_loop(void **state)
{
    (void)state;
    check_world_notes(costly, two_costly, "first@30 second@50 15@50 ");
    assert_int_equal(run_world(costly, gets_costly_blocking, NULL), 0);
}

/* ---- 500 at once ------------------------------------------------------------------------------------------------- */

static int gets_number(void *job)
{
    char url[64], expected[32];
    struct co_response resp;
    int i = *(int *)job;
    snprintf(url, sizeof url, "http://a.test/%d", i);
    snprintf(expected, sizeof expected, "body %d", i);
    int rc = co_http_get(url, &resp);
    expect_is(rc, 0);
    expect_text(resp.body, expected);
    co_response_free(&resp);
    return rc < 0 ? rc : i;
}

static int gets_500(void *job)
{
    (void)job;
    static int numbers[500], rcs[500];
    for (int i = 0; i < 500; i++)
        numbers[i] = i;
    expect_is(co_gather(gets_number, numbers, 500, sizeof *numbers, rcs), 0);
    for (int i = 0; i < 500; i++)
        expect_is(rcs[i], i);
    expect_is(co_now(), CO_MS(600));            /* the slowest one: 100 ms + 500 ms */
    return 0;
}

static void five_hundred_at_once_take_as_long_as_the_slowest(void **state)
{
    (void)state;
    size_t size = 1 << 17, length = 0;
    char *world = malloc(size);
    length += (size_t)snprintf(world, size, "{\"world\":\"looplab/world/v1\",\"sites\":[{\"url\":\"http://a.test\","
                               "\"workers\":500,\"max_connections\":500,\"routes\":[");
    for (int i = 0; i < 500; i++)
        length += (size_t)snprintf(world + length, size - length,
                                   "%s{\"path\":\"/%d\",\"latency\":\"%dms\",\"body\":\"body %d\"}", i ? "," : "", i,
                                   101 + (i * 7) % 500, i);
    snprintf(world + length, size - length, "]}]}");
    assert_int_equal(run_world(world, gets_500, NULL), 0);
    free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_has_status_headers_and_body),
        cmocka_unit_test(a_header_is_cut_to_size),
        cmocka_unit_test(five_megabytes_and_a_thousand_chunks_come_in),
        cmocka_unit_test(every_error_has_its_code_and_its_time),
        cmocka_unit_test(https_is_a_url_too),
        cmocka_unit_test(a_timeout_round_a_request_and_its_own_limit),
        cmocka_unit_test(a_request_near_the_end_of_time),
        cmocka_unit_test(redirects_are_followed_ten_times_at_most),
        cmocka_unit_test(the_answers_on_the_way_are_freed),
        cmocka_unit_test(requests_of_several_tasks_overlap),
        cmocka_unit_test(an_answer_and_a_timer_of_one_instant_come_in_the_order_asked_for),
        cmocka_unit_test(answers_of_one_instant_come_in_the_order_asked_for),
        cmocka_unit_test(a_blocking_request_freezes_all_others),
        cmocka_unit_test(blocking_requests_run_one_after_another),
        cmocka_unit_test(a_blocking_request_cannot_be_cancelled),
        cmocka_unit_test(a_blocking_request_is_traced_at_its_line),
        cmocka_unit_test(the_cpu_cost_of_an_answer_stops_the_loop),
        cmocka_unit_test(five_hundred_at_once_take_as_long_as_the_slowest),
    };
    return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
