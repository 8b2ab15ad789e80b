/* 71 - An HTTP server with routes: a list that clients read and add to, a report that comes in pieces, a way to stop
 * it. Notice that a slow answer delays nobody else, that one handler's error is one client's 500, and that the stop
 * lets the report finish. asyncio: aiohttp.web with app.router. */
#include "co.h"
#include "co_server.h"

#include <stdio.h>
#include <string.h>

enum { MOST = 8 };

struct shop {
    struct co_server server;
    char goods[MOST][24];
    int count;
};

static void note(const struct co_call *call, const char *what)
{
    printf("%4lld ms  %s %s: %s\n", (long long)(co_now() / CO_MS(1)), call->method, call->path, what);
}

static int list(struct co_call *call, void *arg)
{
    struct shop *shop = arg;
    char text[256] = "", like[24] = "";
    co_call_query(call, "like", like, sizeof like);     /* /goods?like=t */
    for (int i = 0; i < shop->count; i++)
        if (strstr(shop->goods[i], like))
            sprintf(text + strlen(text), "%s\n", shop->goods[i]);
    note(call, "listed");
    return co_reply(call, 200, "Content-Type: text/plain\n", text, strlen(text));
}

static int add(struct co_call *call, void *arg)
{
    struct shop *shop = arg;
    const char *body;
    size_t length;
    int rc = co_call_body(call, &body, &length);
    if (rc < 0)
        return rc;
    if (shop->count == MOST || length >= sizeof shop->goods[0])
        return co_reply_text(call, 409, "there is no room for that\n");
    strcpy(shop->goods[shop->count++], body);
    note(call, body);
    return co_reply(call, 201, NULL, NULL, 0);
}

static int one(struct co_call *call, void *arg)
{
    struct shop *shop = arg;
    char name[24];
    if (!co_call_param(call, "name", name, sizeof name))
        return co_reply_text(call, 404, "no such thing\n");
    for (int i = 0; i < shop->count; i++)
        if (strcmp(shop->goods[i], name) == 0)
            return co_reply_text(call, 200, "it is there\n");
    note(call, "an error of the handler's");
    return -ENOENT;                                     /* the client gets a 500 */
}

static int report(struct co_call *call, void *arg)
{
    (void)arg;
    int rc = co_reply_begin(call, 200, "Content-Type: text/plain\n");
    for (int i = 1; i <= 4 && rc == 0; i++) {
        char line[24];
        snprintf(line, sizeof line, "part %d of 4\n", i);
        rc = co_reply_write(call, line, strlen(line));
        if (rc == 0)
            rc = co_sleep(CO_MS(100));                  /* meanwhile others are served */
    }
    note(call, rc == 0 ? "all of it is sent" : co_strerror(rc));
    return rc;
}

static int stop(struct co_call *call, void *arg)
{
    struct shop *shop = arg;
    note(call, "no new clients from now on");
    co_server_stop(&shop->server);
    return co_reply_text(call, 202, "as you wish\n");
}

static int serve(void *job)
{
    static const struct co_route routes[] = {
        {"GET", "/goods", list}, {"POST", "/goods", add}, {"GET", "/goods/:name", one}, {"GET", "/report", report},
        {"POST", "/stop", stop},
    };
    struct shop *shop = job;
    int rc = co_server_open(&shop->server, ":8080", NULL);
    if (rc < 0)
        return rc;
    rc = co_serve(&shop->server, routes, 5, shop);
    co_server_close(&shop->server);
    printf("%4lld ms  closed, with %d goods\n", (long long)(co_now() / CO_MS(1)), shop->count);
    return rc;
}

int main(void)
{
    struct shop shop = {.goods = {"tea", "salt"}, .count = 2};
    struct co_options options = {.world_file = "sim/examples/71-http-server.json"};
    return co_run(serve, &shop, &options) < 0;
}
