/* test_server.c - servers, as a program sees them in the virtual world, whose file says what clients do. */
#include "clients_rig.h"

#include "runtime/state/loop.h"

/* ---- Requests and answers ------------------------------------------------------------------------- */

static int hello(struct co_call *call, void *arg)
{
    char name[32], how[32] = "";
    (void)arg;
    note("%s %s?%s", call->method, call->path, call->query);
    if (!co_call_param(call, "name", name, sizeof name))
        return co_reply_text(call, 400, "too long");
    co_call_query(call, "how", how, sizeof how);
    strcat(name, how);
    return co_reply_text(call, 200, name);
}

static int takes(struct co_call *call, void *arg)
{
    const char *body;
    size_t length;
    (void)arg;
    int rc = co_call_body(call, &body, &length);
    note("body %d %.10s", rc, rc ? "" : body);
    return rc < 0 ? rc : co_reply(call, 201, "X-Length: 5\n", body, length);
}

static int fails(struct co_call *call, void *arg)
{
    (void)call, (void)arg;
    return -ENOENT;
}

static int silent(struct co_call *call, void *arg)
{
    (void)call, (void)arg;
    return 0;
}

static int sleeps(struct co_call *call, void *arg)
{
    (void)arg;
    int rc = co_sleep(CO_MS(100));
    note("slept %d", rc);
    return rc < 0 ? rc : co_reply_text(call, 200, "late");
}

static int pieces(struct co_call *call, void *arg)
{
    (void)arg;
    int rc = co_reply_begin(call, 200, "Content-Type: text/plain\n");
    for (int i = 0; i < 3 && rc == 0; i++) {
        rc = co_reply_write(call, "piece ", 6);
        if (rc == 0)
            rc = co_sleep(CO_MS(10));
    }
    return rc;
}

static int breaks(struct co_call *call, void *arg)
{
    (void)arg;
    int rc = co_reply_begin(call, 200, NULL);
    return rc < 0 ? rc : co_reply_write(call, "half", 4) < 0 ? -1 : -EIO;
}

static int events(struct co_call *call, void *arg)
{
    (void)arg;
    int rc = 0;
    for (int i = 0; rc == 0; i++) {
        rc = co_reply_event(call, i ? NULL : "first", i ? "7" : NULL, "one\ntwo");
        if (rc == 0)
            rc = co_sleep(CO_MS(10));
    }
    note("events %d", rc);
    return rc == -CO_ECLOSED ? 0 : rc;
}

/* How many pages of records of tasks there are. */
static int pages(struct co_call *call, void *arg)
{
    size_t n = 0;
    (void)arg;
    for (const struct task_page *page = co__loop->tasks.pages; page; page = page->next)
        n++;
    expect(n < 5);
    note("pages");
    return co_reply_text(call, 200, "few");
}

static const struct co_route routes[] = {
    {"GET", "/pages", pages},
    {"GET", "/hello/:name", hello}, {"POST", "/takes", takes}, {NULL, "/fails", fails}, {"GET", "/silent", silent},
    {"GET", "/sleeps", sleeps}, {"GET", "/pieces", pieces}, {"GET", "/breaks", breaks}, {"GET", "/events", events},
    {"PUT", "/hello/:name", hello}, {"GET", "/all/*", hello},
};

static int serve(void *job)
{
    CO_SERVER(server);
    int rc = co_server_open(&server, ":8080", job);
    expect_is(rc, 0);
    expect_is(server.port, 8080);
    rc = co_serve(&server, routes, sizeof routes / sizeof routes[0], NULL);
    note("served %d", rc);
    expect_is(co_server_clients(&server), 0);
    return rc;
}

static void a_request_is_answered(void **state)
{
    (void)state;
    check_clients(ONE("{\"request\":\"/hello/eve?how=%21+x\"}"), serve, NULL,
                  "10 connected | 10 sent request /hello/eve?how=%21+x | 20 got answer 200 eve! x | 20 left fin | "
                  "20 done | ", "GET /hello/eve?how=%21+x@15 served -125@25 ");
}

static void one_connection_serves_several_requests(void **state)
{
    (void)state;
    check_clients(ONE("{\"request\":\"/hello/a\"},{\"request\":\"/takes\",\"body\":\"four\"},"
                      "{\"request\":\"/hello/b\",\"headers\":{\"Connection\":\"close\"}},{\"request\":\"/hello/c\"}"),
                      serve,
                  NULL, "10 connected | 10 sent request /hello/a | 20 got answer 200 a | 20 sent request /takes | 30 "
                      "got "
                  "answer 201 four | 30 sent request /hello/b | 40 got answer 200 b | 40 left fin | 50 connected | "
                  "50 sent request /hello/c | 60 got answer 200 c | 60 left fin | 60 done | ", NULL);
}

static void what_fits_no_route_is_refused(void **state)
{
    (void)state;
    check_clients(ONE("{\"request\":\"/hello\"},{\"request\":\"/hello/a/b\"},{\"request\":\"/takes\"},"
                      "{\"request\":\"/all/x/y\"},{\"request\":\"/hello/h\",\"method\":\"HEAD\"}"), serve, NULL,
                      "10 connected | 10 sent request /hello | 20 got answer 404 404 Not Found\\n | 20 sent request "
                  "/hello/a/b | 30 got answer 404 404 Not Found\\n | 30 sent request /takes | 40 got answer 405 "
                  "405 Method Not Allowed\\n | 40 sent request /all/x/y | 50 got answer 400 too long | 50 sent "
                  "request /hello/h | 60 got answer 200  | 60 left fin | 60 done | ", NULL);
}

static void a_handler_that_fails_or_is_silent_harms_nobody(void **state)
{
    (void)state;
    check_clients(ONE("{\"request\":\"/fails\"},{\"request\":\"/silent\"},{\"request\":\"/hello/x\"}"), serve, NULL,
                  "10 connected | 10 sent request /fails | 20 got answer 500 500 Internal Server Error\\n | 20 "
                  "left fin | 30 connected | 30 sent request /silent | 40 got answer 500 500 Internal Server "
                  "Error\\n | 40 left fin | 50 connected | 50 sent request /hello/x | 60 got answer 200 x | 60 "
                  "left fin | 60 done | ", NULL);
}

static void an_answer_may_come_in_pieces(void **state)
{
    (void)state;
    check_clients(ONE("{\"request\":\"/pieces\"},{\"request\":\"/pieces\",\"stream\":true},{\"wait\":\"40ms\"},"
                      "{\"request\":\"/breaks\"}"), serve, NULL, "10 connected | 10 sent request /pieces | 50 got "
                      "answer 200 piece piece piece  | 50 sent request "
                  "/pieces | 60 got answer 200  | 60 got piece piece  | 70 got piece piece  | 80 got piece piece  "
                  "| 90 got answer 200 piece piece piece  | 100 sent request /breaks | 110 lost fin | 110 done | ",
                  NULL);
}

static void a_stream_of_events_ends_when_the_server_stops(void **state)
{
    (void)state;
    check_clients(WORLD(CLIENT("ada", "", "{\"request\":\"/events\",\"stream\":true},{\"stay\":true}"),
                  ",\"stop\":\"25ms\""),
                  serve, NULL, "0 connected | 0 sent request /events | 0 got answer 200  | 0 got piece event: "
                      "first\\ndata: "
                  "one\\ndata: two\\n\\n | 10 got piece id: 7\\ndata: one\\ndata: two\\n\\n | 20 got piece id: "
                  "7\\ndata: one\\ndata: two\\n\\n | 30 got answer 200 event: first\\ndata: one\\ndata: "
                  "two\\n\\nid: 7\\ndata: one\\ndata: two\\n\\nid: 7\\ndata: one\\ndata: two\\n\\n | 30 left fin | "
                  "30 done | ", NULL);
}

static void a_client_that_breaks_the_rules_is_refused(void **state)
{
    (void)state;
    check_clients(ONE("{\"request\":\"/hello/a\"},{\"send\":\"GET / HTTP/1.1\\r\\n\\r\\n\"},{\"wait\":\"30ms\"}"),
                  serve, NULL, "10 connected | 10 sent request /hello/a | 20 got answer 200 a | 20 sent bytes GET / "
                  "HTTP/1.1\\r\\n\\r\\n | 30 got piece 400 Bad Request\\n | 30 got answer 400 400 Bad Request\\n | "
                  "30 left fin | 50 done | ", NULL);
}

static void a_client_that_is_silent_is_given_up(void **state)
{
    (void)state;
    struct co_server_options options = {.idle = CO_MS(50)};
    check_clients(ONE("{\"request\":\"/hello/a\"},{\"send\":\"GET / HT\"},{\"wait\":\"200ms\"}"), serve, &options,
                  "10 connected | 10 sent request /hello/a | 20 got answer 200 a | 20 sent bytes GET / HT | 70 got "
                  "piece 408 Request Timeout\\n | 70 got answer 408 408 Request Timeout\\n | 70 left fin | 220 "
                  "done | ", NULL);
    check_clients(ONE("{\"request\":\"/hello/a\"},{\"wait\":\"200ms\"}"), serve, &options,
                  "10 connected | 10 sent request /hello/a | 20 got answer 200 a | 70 left fin | 220 done | ", NULL);
}

static void a_body_beyond_the_limit_is_refused(void **state)
{
    (void)state;
    struct co_server_options options = {.most_body = 10};
    check_clients(ONE("{\"request\":\"/takes\",\"body\":\"0123456789\"},{\"request\":\"/takes\","
                  "\"body\":\"0123456789x\"}"),
                  serve, &options, "10 connected | 10 sent request /takes | 20 got answer 201 0123456789 | 20 sent "
                      "request /takes | "
                  "30 got answer 413 413 Content Too Large\\n | 30 left fin | 30 done | ", NULL);
}

static void a_body_in_chunks_has_the_same_limit(void **state)
{
    (void)state;
    struct co_server_options options = {.most_body = 10};
    check_clients(ONE("{\"request\":\"/hello/a\"},{\"send\":\"POST /takes HTTP/1.1\\r\\nHost: a\\r\\n"
                      "Transfer-Encoding: chunked\\r\\n\\r\\n5\\r\\n01234\\r\\n6\\r\\n567890\\r\\n0\\r\\n\\r\\n\"},"
                      "{\"wait\":\"30ms\"}"),
                  serve, &options, NULL, "GET /hello/a?@15 body -90 @25 served -125@50 ");
}

static void a_hundred_thousand_bytes_go_through_a_window_of_a_thousand(void **state)
{
    (void)state;
    struct co_server_options options = {.most_body = 1 << 20};
    check_clients(WORLD(CLIENT("ada", "\"rtt\":\"10ms\",\"window\":1000,",
                               "{\"request\":\"/takes\",\"method\":\"POST\",\"body_size\":100000}"), ""), serve,
                               &options, "10 connected | 10 sent request /takes | 1030 got answer 201 | 1030 left "
                                   "fin | 1030 done | ", NULL);
}

static void handlers_finish_when_the_server_stops(void **state)
{
    (void)state;
    struct co_server_options options = {.grace = CO_MS(60)};
    check_clients(WORLD(CLIENT("ada", "", "{\"request\":\"/sleeps\"}"), ",\"stop\":\"50ms\""), serve, NULL,
                  "0 connected | 0 sent request /sleeps | 100 got answer 200 late | 100 left fin | 100 done | ", NULL);
    check_clients(WORLD(CLIENT("ada", "", "{\"request\":\"/sleeps\"}"), ",\"stop\":\"30ms\""), serve, &options,
                  "0 connected | 0 sent request /sleeps | ", NULL);
}

static void who_comes_when_nobody_listens_is_refused(void **state)
{
    (void)state;
    check_clients(WORLD("{\"name\":\"eve\",\"to\":\"app.test:99\",\"at\":\"5ms\",\"do\":[{\"request\":\"/\"}]}", ""),
                  serve, NULL, "5 refused | 5 done | ", NULL);
}

static void clients_are_let_in_as_there_is_room(void **state)
{
    (void)state;
    struct co_server_options options = {.most_clients = 2};
    check_clients(WORLD(CLIENT("c", "\"count\":5,", "{\"request\":\"/sleeps\"}"), ""), serve, &options,
                  "0 connected | 0 sent request /sleeps | 0 connected | 0 sent request /sleeps | 0 connected | 0 "
                  "sent request /sleeps | 0 connected | 0 sent request /sleeps | 0 connected | 0 sent request "
                  "/sleeps | 100 got answer 200 late | 100 left fin | 100 done | 100 got answer 200 late | 100 "
                  "left fin | 100 done | 200 got answer 200 late | 200 left fin | 200 done | 200 got answer 200 "
                  "late | 200 left fin | 200 done | 300 got answer 200 late | 300 left fin | 300 done | ", NULL);
}

static void clients_vanish_in_all_ways(void **state)
{
    (void)state;
    struct co_server_options options = {.idle = CO_MS(70)};
    check_clients(WORLD(CLIENT("f", "", "{\"request\":\"/hello/f\"},{\"vanish\":\"fin\"},{\"wait\":\"10ms\"},"
                  "{\"request\":\"/hello/g\"}") ","
                        CLIENT("r", "", "{\"request\":\"/sleeps\",\"stream\":true},{\"vanish\":\"rst\"}") ","
                        CLIENT("s", "", "{\"request\":\"/hello/s\"},{\"vanish\":\"silence\"}"), ""), serve, &options,
                            "0 connected | 0 sent request /hello/f | 0 connected | 0 sent request /sleeps | 0 "
                            "connected | 0 "
                  "sent request /hello/s | 0 got answer 200 f | 0 left fin | 0 got answer 200 s | 0 left silence | "
                  "0 done | 10 connected | 10 sent request /hello/g | 10 got answer 200 g | 10 left fin | 10 done "
                  "| 100 got answer 200  | 100 left rst | 100 done | ", NULL);
}

static void who_has_gone_leaves_nothing(void **state)
{
    (void)state;
    board_clear();
    struct co_options options = {.world_file = ONE(
        "{\"request\":\"/silent\",\"headers\":{\"Connection\":\"close\"},\"times\":2000},{\"request\":\"/pages\"}")};
    assert_int_equal(co_run(serve, NULL, &options), -EINTR);
    assert_int_equal(board->failures, 0);
    assert_string_equal(board->text, "pages@40015 served -125@40025 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_has_gone_leaves_nothing),
        cmocka_unit_test(a_request_is_answered),
        cmocka_unit_test(one_connection_serves_several_requests),
        cmocka_unit_test(what_fits_no_route_is_refused),
        cmocka_unit_test(a_handler_that_fails_or_is_silent_harms_nobody),
        cmocka_unit_test(an_answer_may_come_in_pieces),
        cmocka_unit_test(a_stream_of_events_ends_when_the_server_stops),
        cmocka_unit_test(a_client_that_breaks_the_rules_is_refused),
        cmocka_unit_test(a_client_that_is_silent_is_given_up),
        cmocka_unit_test(a_body_beyond_the_limit_is_refused),
        cmocka_unit_test(a_body_in_chunks_has_the_same_limit),
        cmocka_unit_test(a_hundred_thousand_bytes_go_through_a_window_of_a_thousand),
        cmocka_unit_test(handlers_finish_when_the_server_stops),
        cmocka_unit_test(who_comes_when_nobody_listens_is_refused),
        cmocka_unit_test(clients_are_let_in_as_there_is_room),
        cmocka_unit_test(clients_vanish_in_all_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
