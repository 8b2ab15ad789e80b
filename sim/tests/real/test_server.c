/* test_server.c - servers and WebSockets in the real world: a program talks to itself over this machine's loopback. */
#include "../check.h"

#include "co_server.h"
#include "world/world.h"

struct own {
    struct co_server server;
    int (*talk)(struct own *own);
    int rc;
    int64_t sent;
};

static int echo(struct co_call *call, void *arg)
{
    struct co_message message;
    CO_WS(ws);
    (void)arg;
    int rc = co_ws_accept(&ws, call, &(struct co_ws_options){.most_message = 4 << 20, .protocols = "b, a"});
    while (rc >= 0 && (rc = co_ws_recv(&ws, &message)) > 0)
        rc = co_ws_send(&ws, message.is_text, message.data, message.length);
    return rc;
}

/* Sends until it must wait for a second. */
static int pours(struct co_call *call, void *arg)
{
    static char piece[10000];
    struct own *own = arg;
    struct co_timeout limit;
    CO_WS(ws);
    int rc = co_ws_accept(&ws, call, &(struct co_ws_options){.timeout = CO_MS(50)});
    co_timeout_begin(&limit, CO_MS(300));
    while (rc == 0 && (rc = co_ws_send(&ws, false, piece, sizeof piece)) == 0)
        own->sent += sizeof piece;
    rc = co_timeout_end(&limit, rc);
    expect_is(rc, -ETIMEDOUT);
    expect(co_ws_unsent(&ws) >= 64 * 1024);
    expect_is(co_ws_try_send(&ws, false, piece, 1), -EAGAIN);
    return 0;
}

static int gives_back(struct co_call *call, void *arg)
{
    const char *body;
    size_t length;
    (void)arg;
    int rc = co_call_body(call, &body, &length);
    return rc < 0 ? rc : co_reply(call, 200, "X-Way: back\n", body, length);
}

static int pieces(struct co_call *call, void *arg)
{
    (void)arg;
    int rc = co_reply_begin(call, 200, NULL);
    for (int i = 0; i < 100 && rc == 0; i++)
        rc = co_reply_write(call, "0123456789", 10);
    return rc;
}

static const struct co_route routes[] = {
    {"GET", "/echo", echo}, {"GET", "/pours", pours}, {NULL, "/back", gives_back}, {"GET", "/pieces", pieces},
};

static int talker(void *job)
{
    struct own *own = job;
    own->rc = own->talk(own);
    co_server_stop(&own->server);
    return own->rc;
}

static int both(void *job)
{
    struct own *own = job;
    CO_GROUP(group);
    int rc = co_server_open(&own->server, "127.0.0.1:0", &(struct co_server_options){.grace = CO_MS(500)});
    expect_is(rc, 0);
    if (rc < 0)
        return rc;
    co_spawn(&group, talker, own);
    rc = co_serve(&own->server, routes, sizeof routes / sizeof routes[0], own);
    expect_is(rc, 0);
    expect_is(co_server_clients(&own->server), 0);
    expect_is(co_join(&group), 0);
    co_server_close(&own->server);
    return rc;
}

/* Over this machine's own network. */
static void run_real(int (*talk)(struct own *))
{
    char error[128];
    struct own own = {.talk = talk};
    board_clear();
    struct co_world *world = world_real_open(NULL, error, sizeof error);
    assert_non_null(world);
    struct co_options options = {.world = world};
    assert_int_equal(co_run(both, &own, &options), 0);
    assert_int_equal(board->failures, 0);
    assert_int_equal(own.rc, 0);
}

/* ---- WebSockets --------------------------------------------------------------------------------------- */

static int url_of(const struct own *own, const char *scheme, const char *path, char url[64])
{
    return snprintf(url, 64, "%s://127.0.0.1:%d%s", scheme, own->server.port, path);
}

static int echoes(struct own *own)
{
    static char large[3000000];
    char url[64];
    struct co_message message;
    CO_WS(ws);
    url_of(own, "ws", "/echo", url);
    int rc = co_ws_connect(&ws, url, &(struct co_ws_options){.most_message = 4 << 20, .protocols = "a"});
    expect_is(rc, 0);
    expect_text(ws.protocol, "a");
    for (int i = 0; i < 3000000; i++)
        large[i] = (char)(i * 7);
    for (int i = 0; i < 200 && rc == 0; i++) {
        char text[20];
        snprintf(text, sizeof text, "message %d", i);
        rc = co_ws_send_text(&ws, text);
        expect_is(co_ws_recv(&ws, &message), 1);
        expect_text(message.data, text);
    }
    expect_is(co_ws_send(&ws, false, large, sizeof large), 0);
    expect_is(co_ws_recv(&ws, &message), 1);
    expect(message.length == sizeof large && memcmp(message.data, large, sizeof large) == 0);
    expect_is(co_ws_close(&ws, 4001, "done"), 0);
    expect_is(ws.code, 4001);
    return rc;
}

static void a_websocket_carries_small_and_large_messages(void **state)
{
    (void)state;
    run_real(echoes);
}

static int stalls(struct own *own)
{
    char url[64];
    CO_WS(ws);
    url_of(own, "ws", "/pours", url);
    int rc = co_ws_connect(&ws, url, NULL);
    expect_is(rc, 0);
    rc = co_sleep(CO_MS(500));
    expect(own->sent >= 64 * 1024);
    expect(own->sent < 64 << 20);               /* the kernels' buffers have an end */
    return rc;
}

static void who_does_not_read_makes_the_sender_wait(void **state)
{
    (void)state;
    run_real(stalls);
}

static int waits_for_end(struct own *own)
{
    char url[64];
    struct co_message message;
    CO_WS(ws);
    url_of(own, "ws", "/echo", url);
    expect_is(co_ws_connect(&ws, url, NULL), 0);
    co_server_stop(&own->server);
    expect_is(co_ws_recv(&ws, &message), 0);
    expect_is(ws.code, 1001);
    return 0;
}

static void clients_are_told_when_the_server_stops(void **state)
{
    (void)state;
    run_real(waits_for_end);
}

static int wrong_ones(struct own *own)
{
    char url[64];
    struct co_ws ws;
    struct co_server again;
    snprintf(url, sizeof url, "127.0.0.1:%d", own->server.port);
    expect_is(co_server_open(&again, url, NULL), -EADDRINUSE);
    expect_is(co_server_open(&again, "127.0.0.1", NULL), -EINVAL);
    expect_is(co_server_open(&again, "no-such-host.invalid:0", NULL), -CO_ENOHOST);
    expect_is(co_ws_connect(&ws, "ws://127.0.0.1:1/", NULL), -ECONNREFUSED);
    expect_is(co_ws_connect(&ws, "ws://no-such-host.invalid/", NULL), -CO_ENOHOST);
    url_of(own, "ws", "/nowhere", url);
    expect_is(co_ws_connect(&ws, url, NULL), -CO_ENOUPGRADE);
    url_of(own, "ws", "/back", url);
    expect_is(co_ws_connect(&ws, url, NULL), -CO_ENOUPGRADE);
    return 0;
}

static void what_cannot_be_is_told(void **state)
{
    (void)state;
    run_real(wrong_ones);
}

/* ---- HTTP: libcurl is the client ------------------------------------------------------------------------ */

static int fetches(struct own *own)
{
    char url[64], value[16];
    static char body[200000];
    memset(body, 'x', sizeof body);
    CO_SESSION(session, 2);
    for (int i = 0; i < 3; i++) {
        CO_RESPONSE(response);
        url_of(own, "http", "/back", url);
        struct co_request request = {.method = "PUT", .url = url, .body = body, .length = sizeof body,
                                     .session = &session};
        expect_is(co_http_request(&request, &response), 0);
        expect_is(response.status, 200);
        expect(response.length == sizeof body && memcmp(response.body, body, sizeof body) == 0);
        expect(co_response_header(&response, "X-Way", value, sizeof value) != NULL);
        expect_is(co_server_clients(&own->server), 1);
    }
    CO_RESPONSE(response);
    url_of(own, "http", "/pieces", url);
    expect_is(co_session_get(&session, url, &response), 0);
    expect_is(response.length, 1000);
    CO_RESPONSE(none);
    url_of(own, "http", "/none", url);
    expect_is(co_session_get(&session, url, &none), 0);
    expect_is(none.status, 404);
    return 0;
}

static void libcurl_is_content_with_our_answers(void **state)
{
    (void)state;
    run_real(fetches);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_websocket_carries_small_and_large_messages),
        cmocka_unit_test(who_does_not_read_makes_the_sender_wait),
        cmocka_unit_test(clients_are_told_when_the_server_stops),
        cmocka_unit_test(what_cannot_be_is_told),
        cmocka_unit_test(libcurl_is_content_with_our_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
