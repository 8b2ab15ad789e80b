/* 35 - A WebSocket stays open, and either side may speak at any time: each client is answered for as long as it likes.
 * Notice that one who vanishes disturbs nobody, that one who breaks the rules is told so, and that all others hear of
 * the end (1001). asyncio: websockets.serve(), async for message in websocket. */
#include "co.h"
#include "co_server.h"

#include <stdio.h>

static int say(const char *name, const char *what, const char *more)
{
    return printf("%4lld ms  %s %s%s\n", (long long)(co_now() / CO_MS(1)), name, what, more);
}

static int echo(struct co_call *call, void *arg)
{
    char name[16];
    struct co_message message;
    (void)arg;
    if (!co_call_param(call, "name", name, sizeof name))
        return co_reply_text(call, 404, "who are you?\n");
    CO_WS(ws);                                          /* closed at the end of the block */
    int rc = co_ws_accept(&ws, call, NULL);
    if (rc < 0)
        return rc;
    say(name, "is here", "");
    while ((rc = co_ws_recv(&ws, &message)) > 0) {      /* 0: it was closed */
        say(name, "says ", message.data);
        rc = co_ws_send(&ws, message.is_text, message.data, message.length);
        if (rc < 0)
            return rc;
    }
    char why[160];
    snprintf(why, sizeof why, "%s (%d) %s", rc == 0 ? "closed" : co_strerror(rc), ws.code, ws.reason);
    say(name, "has gone: ", why);
    return 0;
}

static int serve(void *job)
{
    static const struct co_route routes[] = {{"GET", "/echo/:name", echo}};
    (void)job;
    CO_SERVER(server);
    int rc = co_server_open(&server, ":8080", NULL);
    if (rc < 0)
        return rc;
    rc = co_serve(&server, routes, 1, NULL);            /* until somebody presses Ctrl-C: here at 1 s */
    say("the server", "ends, clients left: ", co_server_clients(&server) ? "some" : "none");
    return rc;
}

int main(void)
{
    struct co_options options = {.world_file = "sim/examples/35-websockets.json"};
    return co_run(serve, NULL, &options) != -EINTR;
}
