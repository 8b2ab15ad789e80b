/* test_server_memory.c - servers and WebSockets when memory runs out: the n-th allocation fails, for every n that a
 * program reaches. Each call says so, or needs it not; the run comes to its end; nothing is lost or freed twice. */
#include "check.h"

#include "co_server.h"

#if UNDER_ASAN || UNDER_TSAN

int main(void)
{
    return 0;                           /* they have an allocator of their own */
}

#else

#include "failing_memory.h"

static const char world[] =
    "{\"world\":\"looplab/world/v1\",\"stop\":\"20s\",\"clients\":[{\"name\":\"ada\",\"to\":\"a.test:80\","
    "\"rtt\":\"2ms\","
    "\"do\":[{\"request\":\"/back\",\"body_size\":3000},{\"websocket\":\"/echo\"},{\"text\":\"hi\",\"times\":3},"
    "{\"receive\":3},{\"ping\":\"\"},{\"close\":1000}]}]}";

static int back(struct co_call *call, void *arg)
{
    const char *body;
    size_t length;
    (void)arg;
    int rc = co_call_body(call, &body, &length);
    if (rc == 0)
        expect_is(length, 3000);
    return rc < 0 ? rc : co_reply(call, 200, "A: b\n", body, length);
}

static int echo(struct co_call *call, void *arg)
{
    struct co_message message;
    CO_WS(ws);
    (void)arg;
    int rc = co_ws_accept(&ws, call, NULL);
    while (rc >= 0 && (rc = co_ws_recv(&ws, &message)) > 0)
        rc = co_ws_send(&ws, message.is_text, message.data, message.length);
    return rc;
}

static bool reached_it;                 /* the allocation that fails */

static int talk(void *job)
{
    struct co_message message;
    CO_WS(ws);
    int rc = co_ws_connect(&ws, "ws://a.test:80/echo", NULL);
    if (rc == 0)
        rc = co_ws_send_text(&ws, "hello");
    if (rc == 0 && (rc = co_ws_recv(&ws, &message)) == 1)
        expect_text(message.data, "hello");
    if (rc >= 0)
        rc = co_ws_close(&ws, 1000, NULL);
    rc = co_sleep(CO_SEC(5));
    reached_it = left < 0;
    left = -1;
    co_server_stop(job);
    return rc;
}

static int serve_and_talk(void *job)
{
    static const struct co_route routes[] = {{"POST", "/back", back}, {"GET", "/echo", echo}};
    CO_GROUP(group);
    CO_SERVER(server);
    left = (intptr_t)job;
    int rc = co_server_open(&server, ":80", &(struct co_server_options){.grace = CO_SEC(1)});
    reached_it = true;
    co_task *task = co_spawn(&group, talk, &server);
    if (rc >= 0)
        rc = co_serve(&server, routes, 2, NULL);
    if (rc != 0 && task)               /* else nobody stops it, but the world */
        expect_is(rc, -ENOMEM);
    left = -1;
    if (task)
        co_cancel(task);
    return reached_it;
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    each_allocation_fails(serve_and_talk, world, 50, 1999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("server_memory", tests, NULL, NULL);
}

#endif
