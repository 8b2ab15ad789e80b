/* test_server_websocket.c - WebSockets, as a program sees them in the virtual world: a server's, and its own. */
#include "clients_rig.h"

#define UNTIL_1S(steps) WORLD(CLIENT("ada", "\"rtt\":\"10ms\",", steps), ",\"stop\":\"1s\"")

/* ---- A server's ------------------------------------------------------------------------------------- */

static int echo(struct co_call *call, void *arg)
{
    struct co_message message;
    CO_WS(ws);
    int rc = co_ws_accept(&ws, call, arg);
    while (rc >= 0 && (rc = co_ws_recv(&ws, &message)) > 0)
        rc = co_ws_send(&ws, message.is_text, message.data, message.length);
    note("end %d %d %s", rc, ws.code, ws.reason);
    return rc;
}

/* Sends a thousand bytes a hundred times, as fast as it may. */
static int pours(struct co_call *call, void *arg)
{
    static char thousand[1000];
    CO_WS(ws);
    (void)arg;
    int rc = co_ws_accept(&ws, call, &(struct co_ws_options){.timeout = CO_MS(30)});
    for (int i = 0; i < 100 && rc == 0; i++) {
        rc = co_ws_send(&ws, false, thousand, sizeof thousand);
        if (i % 25 == 24)
            note("sent %d", i + 1);
    }
    note("poured %d", rc);
    return rc < 0 ? rc : co_ws_close(&ws, 4000, "enough");
}

/* The same, and gives up what does not fit. */
static int spills(struct co_call *call, void *arg)
{
    static char thousand[1000];
    int sent = 0, spilt = 0;
    CO_WS(ws);
    (void)arg;
    int rc = co_ws_accept(&ws, call, NULL);
    for (int i = 0; i < 200 && (rc == 0 || rc == -EAGAIN); i++) {
        rc = co_ws_try_send(&ws, false, thousand, sizeof thousand);
        sent += rc == 0;
        spilt += rc == -EAGAIN;
    }
    note("sent %d spilt %d unsent %zu", sent, spilt, co_ws_unsent(&ws));
    return 0;
}

static int asks_twice(struct co_call *call, void *arg)
{
    struct co_message message;
    CO_WS(ws);
    int rc = co_ws_accept(&ws, call, arg);
    for (int i = 0; i < 3 && rc >= 0; i++) {
        struct co_timeout limit;
        co_timeout_begin(&limit, CO_MS(7));
        rc = co_timeout_end(&limit, co_ws_recv(&ws, &message));
        note("%d %s", rc, message.data);
        rc = rc == -ETIMEDOUT ? 0 : rc;
    }
    rc = co_ws_send_piece(&ws, true, "\xc3", 1, false);
    expect_is(rc, 0);
    expect_is(co_ws_send_text(&ws, "x"), -EBUSY);
    expect_is(co_ws_send_piece(&ws, true, "x", 1, true), -EINVAL);
    expect_is(co_ws_send_piece(&ws, true, "\xa9", 1, true), 0);
    expect_is(co_ws_send(&ws, true, "\xff", 1), -EINVAL);
    expect_is(co_ws_ping(&ws), 0);
    expect_is(co_ws_close(&ws, 1005, NULL), -EINVAL);
    expect_is(co_ws_close(&ws, 1000, "done"), 0);
    expect_is(co_ws_close(&ws, 1000, "done"), -CO_ECLOSED);
    expect_is(co_ws_send_text(&ws, "x"), -CO_ECLOSED);
    note("code %d %s", ws.code, ws.reason);
    return 0;
}

static int returns_at_once(struct co_call *call, void *arg)
{
    CO_WS(ws);
    return co_ws_accept(&ws, call, arg);
}

static int forgets(struct co_call *call, void *arg)
{
    struct co_ws ws;
    MARK(0); int rc = co_ws_accept(&ws, call, arg);
    return rc;
}

static const struct co_route routes[] = {
    {"GET", "/echo", echo}, {"GET", "/pours", pours}, {"GET", "/spills", spills}, {"GET", "/twice", asks_twice},
    {"GET", "/forgets", forgets}, {"GET", "/once", returns_at_once},
};

static int serve(void *job)
{
    CO_SERVER(server);
    int rc = co_server_open(&server, ":8080", job);
    expect_is(rc, 0);
    return co_serve(&server, routes, sizeof routes / sizeof routes[0], NULL);
}

static void an_echo_is_heard(void **state)
{
    (void)state;
    check_clients(ONE("{\"websocket\":\"/echo\"},{\"text\":\"hi\",\"times\":2,\"every\":\"5ms\"},{\"receive\":2},"
                      "{\"binary\":\"AAEC\"},{\"ping\":\"p\"},{\"receive\":1},{\"close\":1001,\"reason\":\"bye\"}"),
                  serve, NULL, "10 connected | 10 sent opening /echo | 20 got open | 20 sent text hi | 25 sent text "
                      "hi | 30 got "
                  "text hi | 35 got text hi | 35 sent binary \\u0000\\u0001\\u0002 | 35 sent ping p | 45 got "
                  "binary \\u0000\\u0001\\u0002 | 45 sent close 1001 | 45 got pong p | 55 got close 1001 | 55 "
                  "closed | 55 done | ", "end 0 1001 bye@50 ");
}

static void what_is_no_opening_is_refused(void **state)
{
    (void)state;
    check_clients(ONE("{\"request\":\"/echo\"},{\"request\":\"/echo\",\"headers\":{\"Upgrade\":\"websocket\","
                  "\"Connection\":\"Upgrade\","
                      "\"Sec-WebSocket-Version\":\"13\"}}"), serve, NULL, "10 connected | 10 sent request /echo | 20 "
                      "got answer 426 426 Upgrade Required\\n | 20 left fin "
                  "| 30 connected | 30 sent request /echo | 40 got answer 400 400 Bad Request\\n | 40 left fin | "
                  "40 done | ", NULL);
}

static void a_client_that_breaks_the_rules_is_told_so(void **state)
{
    (void)state;
    check_clients(UNTIL_1S("{\"websocket\":\"/echo\"},{\"send\":\"\\u0001\\u0000\"},{\"stay\":true},"
                      "{\"websocket\":\"/echo\"},{\"send_base64\":\"gYEAAAAA/w==\"},{\"stay\":true}"), serve, NULL,
                      "10 connected | 10 sent opening /echo | 20 got open | 20 sent bytes \\u0001\\u0000 | 30 got "
                  "close 1002 | 30 closed | 40 connected | 40 sent opening /echo | 50 got open | 50 sent bytes "
                  "��\\u0000\\u0000\\u0000\\u0000� | 60 got close 1007 | 60 closed | 60 done | ",
                  "end -84 1002 @25 end -84 1007 @55 ");
}

static void who_does_not_read_makes_the_sender_wait(void **state)
{
    (void)state;
    check_clients(WORLD(CLIENT("ada", "\"rtt\":\"10ms\",\"window\":30000,", "{\"websocket\":\"/pours\"},"
                  "{\"stall\":\"100ms\"},{\"stay\":true}"), ",\"stop\":\"1s\""), serve,
                  &(struct co_server_options){.buffer = 5000}, NULL, "sent 25@15 sent 50@25 sent 75@125 sent 100@135 "
                      "poured 0@135 ");
    check_clients(WORLD(CLIENT("slow", "\"reads\":500000,\"window\":8000,", "{\"websocket\":\"/pours\"},"
                  "{\"receive\":100},{\"stay\":true}"), ",\"stop\":\"1s\""), serve,
                  &(struct co_server_options){.buffer = 5000}, NULL, "sent 25@26 sent 50@80 sent 75@128 sent 100@176 "
                      "poured 0@176 ");
}

static void a_try_tells_that_there_is_no_room(void **state)
{
    (void)state;
    check_clients(WORLD(CLIENT("slow", "\"rtt\":\"2ms\",\"window\":3000,", "{\"websocket\":\"/spills\"},"
                  "{\"stay\":true}"), ",\"stop\":\"1s\""), serve,
                  &(struct co_server_options){.buffer = 10000}, NULL, "sent 10 spilt 190 unsent 10169@3 ");
}

static void a_timeout_loses_no_message(void **state)
{
    (void)state;
    check_clients(UNTIL_1S("{\"websocket\":\"/twice\"},{\"wait\":\"10ms\"},{\"text\":\"late\"},{\"stay\":true}"),
                  serve, NULL, "10 connected | 10 sent opening /twice | 20 got open | 30 sent text late | 40 got "
                      "text é | 40 "
                  "got ping  | 40 got close 1000 | 50 closed | 50 done | ", "-110 @22 -110 @29 1 late@35 code 1000 "
                  "@45 ");
}

static void clients_are_told_when_the_server_stops(void **state)
{
    (void)state;
    check_clients(WORLD(CLIENT("ada", "\"rtt\":\"10ms\",", "{\"websocket\":\"/echo\"},{\"stay\":true}"),
                  ",\"stop\":\"50ms\""), serve, NULL, "10 connected | 10 sent opening /echo | 20 got open | 55 got "
                  "close 1001 | 65 closed | 65 done | ", "end 0 1001 @60 ");
    check_clients(WORLD(CLIENT("dead", "", "{\"websocket\":\"/echo\"},{\"vanish\":\"silence\"}"),
                  ",\"stop\":\"50ms\""), serve, NULL, "0 connected | 0 sent opening /echo | 0 got open | 0 left "
                  "silence | 0 done | ", "end -110 1006 @5050 ");
}

static void clients_vanish_and_come_back(void **state)
{
    (void)state;
    check_clients(WORLD(CLIENT("fin", "", "{\"websocket\":\"/echo\"},{\"vanish\":\"fin\"},{\"wait\":\"5ms\"},"
                  "{\"websocket\":\"/echo\"},{\"text\":\"again\"},{\"receive\":1}") ","
                        CLIENT("rst", "", "{\"websocket\":\"/echo\"},{\"vanish\":\"rst\"}"), ""), serve, NULL,
                            "0 connected | 0 sent opening /echo | 0 connected | 0 sent opening /echo | 0 got open | "
                            "0 left "
                  "fin | 0 got open | 0 left rst | 0 done | 5 connected | 5 sent opening /echo | 5 got open | 5 "
                  "sent text again | 5 got text again | 5 sent close 1000 | 5 got close 1000 | 5 closed | 5 done | ",
                  "end -104 1006 @0 end -104 1006 @0 end 0 1000 @5 ");
}

static void the_end_of_its_block_closes_one(void **state)
{
    (void)state;
    check_clients(UNTIL_1S("{\"websocket\":\"/once\"},{\"stay\":true}"), serve, NULL,
                  "10 connected | 10 sent opening /once | 20 got open | 20 got close 1000 | 20 closed | 20 done | ",
                  NULL);
}

static void a_forgotten_one_is_a_leak(void **state)
{
    (void)state;
    check_clients(ONE("{\"websocket\":\"/forgets\"},{\"stay\":true}"), serve, NULL,
                  "10 connected | 10 sent opening /forgets | 20 got open | 20 lost fin | 20 done | ", NULL);
    const struct child *child = forked_world(ONE("{\"websocket\":\"/forgets\"},{\"stay\":true}"), serve, NULL);
    assert_has(child->err, "leak: the WebSocket of test_server_websocket.c:%d was never closed", board->line[0]);
}


/* ---- A program's own ------------------------------------------------------------------------------------ */

struct own { struct co_server server; const char *path; };

static int talks(struct own *own)
{
    struct co_message message;
    char url[64];
    CO_WS(ws);
    snprintf(url, sizeof url, "ws://localhost:8080%s", own->path);
    int rc = co_ws_connect(&ws, url, &(struct co_ws_options){.headers = "X-A: b\n"});
    note("connect %d", rc);
    if (rc < 0)
        return rc;
    expect_is(co_ws_send_text(&ws, "hello"), 0);
    expect_is(co_ws_send(&ws, false, "\0\1", 2), 0);
    expect_is(co_ws_recv(&ws, &message), 1);
    expect_text(message.data, "hello");
    expect(message.is_text);
    expect_is(co_ws_recv(&ws, &message), 1);
    expect(!message.is_text && message.length == 2 && memcmp(message.data, "\0\1", 3) == 0);
    expect_is(co_ws_close(&ws, 3999, "bye"), 0);
    expect_is(ws.code, 3999);
    return 0;
}

static int client(void *job)
{
    struct own *own = job;
    int rc = talks(own);
    co_server_stop(&own->server);
    return rc;
}

static int both(void *job)
{
    struct own *own = job;
    CO_GROUP(group);
    expect_is(co_server_open(&own->server, "localhost:8080", NULL), 0);
    struct co_server again;
    expect_is(co_server_open(&again, ":8080", NULL), -EADDRINUSE);
    expect_is(co_server_open(&again, "8080", NULL), -EINVAL);
    co_task *task = co_spawn(&group, client, own);
    int rc = co_serve(&own->server, routes, sizeof routes / sizeof routes[0], NULL), its = 0;
    expect_is(rc, 0);
    expect_is(co_await(task, &its), 0);
    co_server_close(&own->server);
    note("both %d", its);
    return rc;
}

static void a_program_talks_to_its_own_server(void **state)
{
    (void)state;
    struct own own = {.path = "/echo"};
    assert_int_equal(run(both, &own), 0);
    assert_string_equal(board->text, "connect 0@0 end 0 3999 bye@0 both 0@0 ");
    own.path = "/nowhere";
    assert_int_equal(run(both, &own), 0);
    assert_string_equal(board->text, "connect -91@0 both -91@0 ");
}

static int wrong_ones(void *job)
{
    (void)job;
    struct co_ws ws;
    struct co_message message;
    expect_is(co_ws_connect(&ws, "ws://localhost:1/", NULL), -ECONNREFUSED);
    expect_is(co_ws_connect(&ws, "wss://localhost/", NULL), -EPROTONOSUPPORT);
    expect_is(co_ws_connect(&ws, "http://localhost/", NULL), -EINVAL);
    expect_is(co_ws_connect(&ws, "ws://", NULL), -EINVAL);
    expect_is(co_ws_connect(&ws, "ws://a:x/", NULL), -EINVAL);
    expect_is(co_ws_connect(&ws, "ws://a/#x", NULL), -EINVAL);
    expect_is(co_ws_connect(&ws, "ws://a/", &(struct co_ws_options){.headers = "a b"}), -EINVAL);
    expect_is(co_ws_recv(&ws, &message), -CO_ECLOSED);
    expect_is(co_ws_send_text(&ws, "x"), -CO_ECLOSED);
    expect_is(co_ws_unsent(&ws), 0);
    co_ws_end(&ws);
    return 0;
}

static void what_cannot_be_is_told(void **state)
{
    (void)state;
    run(wrong_ones, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_echo_is_heard),
        cmocka_unit_test(what_is_no_opening_is_refused),
        cmocka_unit_test(a_client_that_breaks_the_rules_is_told_so),
        cmocka_unit_test(who_does_not_read_makes_the_sender_wait),
        cmocka_unit_test(a_try_tells_that_there_is_no_room),
        cmocka_unit_test(a_timeout_loses_no_message),
        cmocka_unit_test(clients_are_told_when_the_server_stops),
        cmocka_unit_test(clients_vanish_and_come_back),
        cmocka_unit_test(the_end_of_its_block_closes_one),
        cmocka_unit_test(a_forgotten_one_is_a_leak),
        cmocka_unit_test(a_program_talks_to_its_own_server),
        cmocka_unit_test(what_cannot_be_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
