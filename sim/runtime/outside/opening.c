/* opening.c - how a WebSocket is opened: by a server's handler, and by a client. */
#include "runtime/outside/tcp.h"
#include "runtime/tasks/enter.h"
#include "runtime/tasks/ready.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct co_ws_options defaults;

/* ---- A server's side --------------------------------------------------------------------------------- */

/* Refuses what is no request to open a WebSocket. */
static int refuse(struct co_client *client, int status)
{
    co__refuse_client(client, status, status == 426 ? "Upgrade: websocket\nSec-WebSocket-Version: 13\n"
                      : status == 405 ? "Allow: GET\n" : NULL);
    return -CO_ERULES;
}

static int open_it(struct co_client *client, struct co_ws *ws, const struct co_ws_options *options, const char *key,
                   const void *pc)
{
    struct tcp *tcp = client->tcp;
    char text[512], accept[WS_ACCEPT + 1];
    size_t length = 0;
    const char *protocol = pt_ws_choose_protocol(client->head.headers, options->protocols, &length);
    if (length >= sizeof ws->protocol)
        protocol = NULL;
    pt_ws_accept_of(accept, key);
    size_t n = (size_t)snprintf(text, sizeof text, "HTTP/1.1 101 %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                "Sec-WebSocket-Accept: %s\r\n%s%.*s%s\r\n", pt_http_reason(101), accept,
                                protocol ? "Sec-WebSocket-Protocol: " : "", protocol ? (int)length : 0,
                                protocol ? protocol : "", protocol ? "\r\n" : "");
    if (!co__tcp_reserve(tcp, n) || !(ws->socket = co__socket_new(tcp, client, options, pc)))
        return -ENOMEM;
    if (protocol)
        snprintf(ws->protocol, sizeof ws->protocol, "%.*s", (int)length, protocol);
    co__tcp_put(tcp, text, n);
    co__tcp_flush(tcp);
    client->answered = client->ended = client->upgraded = true;
    if (client->gate->stopping)
        co__socket_say_close(ws->socket, WS_GOING_AWAY, NULL);
    return 0;
}

int co_ws_accept(struct co_ws *ws, struct co_call *call, const struct co_ws_options *options)
{
    int rc;
    const char *key = NULL;
    const void *pc = CALLER;
    struct co_task *self;
    *ws = (struct co_ws){0};
    struct co_client *client = co__call_enter(call, pc, &rc, &self);
    if (!client)
        return rc;
    if (client->answered)
        return -EALREADY;
    int status = pt_ws_check_request(&client->head, &key);
    return status ? refuse(client, status) : open_it(client, ws, options ? options : &defaults, key, pc);
}

/* ---- A client's side --------------------------------------------------------------------------------------- */

/* "ws://host:port/path": the address "host:port" and where the path begins (it may be ""). */
static int split(const char *url, char address[300], const char **path)
{
    if (url && strncasecmp(url, "wss://", 6) == 0)
        return -EPROTONOSUPPORT;
    if (!url || strncasecmp(url, "ws://", 5) != 0)
        return -EINVAL;
    const char *host = url + 5;
    size_t length = strcspn(host, "/?#");
    for (const char *c = host; *c; c++)
        if (*c <= ' ' || *c >= 0x7F || *c == '#')
            return -EINVAL;
    if (length == 0 || length > 250 || memchr(host, '@', length))
        return -EINVAL;
    const char *close = memchr(host, ']', length), *colon = memchr(close ? close : host, ':',
                                                                  length - (close ? (size_t)(close - host) : 0));
    if (colon == host || (colon && strspn(colon + 1, "0123456789") != length - (size_t)(colon + 1 - host)))
        return -EINVAL;
    snprintf(address, 300, "%.*s%s", (int)length, host, !colon ? ":80" : colon[1] == host[length] ? "80" : "");
    *path = host + length;
    return 0;
}

/* Sends the request. */
static int ask(struct tcp *tcp, const char *address, const char *path, const char *key,
               const struct co_ws_options *options)
{
    const char *headers = options->headers ? options->headers : "", *end;
    size_t size = strlen(path) + 2 * strlen(headers) + strlen(address)
        + (options->protocols ? strlen(options->protocols) : 0) + 400;
    char *text = malloc(size);
    if (!text || !co__tcp_reserve(tcp, size)) {
        free(text);
        return -ENOMEM;
    }
    int n = snprintf(text, size, "GET %s%s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n%s%s%s", *path == '/' ? "" : "/", path,
                     address, key, options->protocols ? "Sec-WebSocket-Protocol: " : "",
                     options->protocols ? options->protocols : "", options->protocols ? "\r\n" : "");
    for (; (end = strchr(headers, '\n')); headers = end + 1)
        n += sprintf(text + n, "%.*s\r\n", (int)(end - headers), headers);
    n += sprintf(text + n, "\r\n");
    co__tcp_put(tcp, text, (size_t)n);
    free(text);
    co__tcp_flush(tcp);
    return 0;
}

/* Waits for the server's answer, and takes it. */
static int await_answer(struct co_task *self, struct tcp *tcp, const char *key, struct co_ws *ws,
                        const struct co_ws_options *options)
{
    struct http_head head;
    size_t searched = 0, length, n;
    while (!(length = pt_http_head_length(co__tcp_unread(tcp), tcp->in.size, &searched))) {
        if (tcp->in.size > HTTP_MOST_HEAD)
            return -CO_ERULES;
        if (tcp->over)
            return tcp->rc < 0 ? tcp->rc : tcp->in.size ? -CO_ERULES : -ECONNRESET;
        int rc = co__tcp_await(self, tcp, tcp->in.size);
        if (rc < 0)
            return rc;
    }
    if (pt_http_read_answer(&head, co__tcp_unread(tcp), length, "GET") < 0)
        return -CO_ERULES;
    if (pt_ws_check_answer(&head, key, options->protocols))
        return head.status == 101 ? -CO_ERULES : -CO_ENOUPGRADE;
    const char *protocol = pt_http_find(head.headers, "Sec-WebSocket-Protocol", 0, &n);
    if (protocol && n < sizeof ws->protocol)
        snprintf(ws->protocol, sizeof ws->protocol, "%.*s", (int)n, protocol);
    co__tcp_consume(tcp, length);
    return 0;
}

static int connect(struct co_task *self, struct tcp *tcp, const char *address, const char *path, struct co_ws *ws,
                   const struct co_ws_options *options)
{
    char key[WS_KEY + 1];
    uint8_t bytes[16];
    struct random random;
    int rc = 0;
    while (!tcp->open && !tcp->over && rc == 0)
        rc = co__tcp_await(self, tcp, 0);
    if (rc == 0 && !tcp->open)
        rc = tcp->rc < 0 ? tcp->rc : -ECONNRESET;
    if (rc < 0)
        return rc;
    pt_random_begin(&random, tcp->seed);
    pt_random_take(&random, bytes, sizeof bytes);
    pt_ws_make_key(key, bytes);
    for (int i = 0; i < WORLD_SEED; i += 16)    /* masks are to have nothing of what is seen in the key */
        pt_random_take(&random, tcp->seed + i, 16);
    rc = ask(tcp, address, path, key, options);
    return rc < 0 ? rc : await_answer(self, tcp, key, ws, options);
}

int co_ws_connect(struct co_ws *ws, const char *url, const struct co_ws_options *options)
{
    char address[300];
    const char *path;
    struct co_timeout limit;
    const void *pc = CALLER;
    int rc;
    *ws = (struct co_ws){0};
    struct co_task *self = co__enter(pc, &rc);
    if (!self || (rc = split(url, address, &path)) < 0)
        return rc;
    options = options ? options : &defaults;
    if (!pt_http_are_headers(options->headers) || (options->protocols && strpbrk(options->protocols, "\r\n")))
        return -EINVAL;
    size_t length = strlen(address);
    struct world_request request = {.call = WORLD_SOCKET_CONNECT, .data = address, .size = length,
                                    .lengths = {(uint32_t)length}};
    struct tcp *tcp = co__tcp_new(&request);
    if (!tcp)
        return -ENOMEM;
    tcp->buffer = options->buffer ? options->buffer : TCP_BUFFER;
    rc = co__limit_begin(self, &limit, options->timeout ? options->timeout : CO_SEC(5));
    if (rc == 0)
        rc = co_timeout_end(&limit, connect(self, tcp, address, path, ws, options));
    if (rc == 0 && !(ws->socket = co__socket_new(tcp, NULL, options, pc)))
        rc = -ENOMEM;
    if (rc < 0)
        co__tcp_close(tcp);
    return rc;
}
