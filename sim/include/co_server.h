/* co_server.h - servers and WebSockets: the student's manual. Beside co.h, whose three rules hold here too.
 *
 * A server waits for clients, reads what they ask, and answers. Each client has a task of its own: a handler may wait
 * as long as it likes, and the others are served meanwhile. In the virtual world the clients stand in the world file;
 * in the real one they come from anywhere.
 *
 *     #include "co.h"
 *     #include "co_server.h"
 *
 *     static int hello(struct co_call *call, void *arg)
 *     {
 *         char name[32];
 *         (void)arg;
 *         if (!co_call_param(call, "name", name, sizeof name))
 *             return co_reply_text(call, 400, "a longer name than I know\n");
 *         return co_reply_text(call, 200, name);
 *     }
 *
 *     static int echo(struct co_call *call, void *arg)
 *     {
 *         (void)arg;
 *         struct co_message message;
 *         CO_WS(ws);                                     // closed at the end of this block
 *         int rc = co_ws_accept(&ws, call, NULL);
 *         while (rc >= 0 && (rc = co_ws_recv(&ws, &message)) > 0)
 *             rc = co_ws_send(&ws, message.is_text, message.data, message.length);
 *         return rc;
 *     }
 *
 *     static int serve(void *job)
 *     {
 *         static const struct co_route routes[] = {{"GET", "/hello/:name", hello}, {"GET", "/echo", echo}};
 *         CO_SERVER(server);
 *         int rc = co_server_open(&server, ":8080", NULL);
 *         return rc < 0 ? rc : co_serve(&server, routes, 2, NULL);     // until Ctrl-C, or co_server_stop
 *     }
 */
#ifndef CO_SERVER_H
#define CO_SERVER_H

#include "co.h"

/* ---- Errors --------------------------------------------------------------------------------- */
/* Besides co.h's:
 *   -EADDRINUSE      somebody listens at that port already
 *   -EACCES          you may not listen there (ports below 1024, mostly)
 *   -CO_ECLOSED      it is closed: by you, or the other side has said that it wants no more
 *   -ECONNRESET      the connection broke; what was sent last may have arrived or not
 *   -CO_ERULES       the other side broke the rules of HTTP or of WebSocket, and the connection is closed for that
 *   -EPROTO          a request's body broke off before its end
 *   -EMSGSIZE        more than the limit
 *   -CO_ENOUPGRADE   the server opens no WebSocket there (a 404, say)
 *   -EBUSY           another task waits for what comes over this connection
 */
#define CO_ECLOSED ENOTCONN
#define CO_ENOUPGRADE EPROTOTYPE
#define CO_ERULES EILSEQ

/* ---- A server ------------------------------------------------------------------------------- */

struct co_server { struct co_gate *gate; int port; };
struct co_server_options {
    int most_clients;                /* at a time: further ones wait to be let in; 0 = 10,000                */
    size_t most_body;                /* bytes of a request's body that co_call_body takes; 0 = 1 MiB         */
    size_t buffer;                   /* bytes that may wait to be sent to a client, before a send waits; 0 = 64 KiB */
    int64_t idle;                    /* ns that a client may be silent before and within a request; 0 = 60 s */
    int64_t grace;                   /* ns that handlers have to finish once the server stops; 0 = 10 s      */
};

/* Listens at "HOST:PORT" (":8080": at any of this machine's addresses; port 0: a free one, see server->port). From now
 * on clients may come; they wait until they are let in. options NULL: the defaults. Waits. 0, -EINVAL (no address), or
 * an error from above. asyncio: asyncio.start_server(). */
int co_server_open(struct co_server *server, const char *address, const struct co_server_options *options) CO_MUST_USE;
/* Nobody more is let in, and the port is free again. Does not wait. Never closed = a leak. */
void co_server_close(struct co_server *server);
#define CO_SERVER(name) __attribute__((cleanup(co_server_close))) struct co_server name = {0}

/* What a server does. method: "GET" (which answers HEAD, too), ...; NULL: any. path: "/news/today"; a part that begins
 * with ':' is any one part, see co_call_param; a last part "*" is all the rest. The first that fits is called. */
struct co_call;
struct co_route {
    const char *method, *path;
    int (*handler)(struct co_call *call, void *arg);
};

/* Lets clients in and calls the handlers, each client in a task of its own, until the server is stopped, or you are
 * cancelled (Ctrl-C cancels the main task). Then nobody more is let in, those who are silent between two requests are
 * closed, WebSockets are told so (1001), and handlers go on until they are done; who is not done after `grace` is
 * cancelled. So when it returns, no client is left.
 * A handler that returns an error, or has not answered, is told on stderr in debug mode (CO_DEBUG), and its client is
 * answered with 500; the others do not notice. What no route fits is answered with 404 or 405.
 * 0: it was stopped. -ECANCELED, -EBADF (not open), -EBUSY (it serves already), -ENOMEM. asyncio: serve_forever(). */
int co_serve(struct co_server *server, const struct co_route routes[], size_t n, void *arg) CO_MUST_USE;
/* Any task, a handler too: asks it to stop. Does not wait. */
void co_server_stop(struct co_server *server);
/* Clients that are connected now. */
int co_server_clients(const struct co_server *server);

/* ---- A request, and its answer ---------------------------------------------------------------- */
/* All of it belongs to the call, and lasts until the handler returns. */

struct co_call {
    const char *method;              /* "GET"                                                        */
    const char *path;                /* "/news/today", as it was sent                                */
    const char *query;               /* what stood behind the '?'; "": nothing                       */
    const char *headers;             /* "Name: value\n" lines                                        */
    struct co_client *client;        /* the rest: the call's own                                     */
};

/* A header (its name in any case), a ":name" part of the route's path, a "name=value" of the query (these two with %20
 * and the like undone). Copied into value[size]; NULL: there is none, or it does not fit. */
const char *co_call_header(const struct co_call *call, const char *name, char *value, size_t size);
const char *co_call_param(const struct co_call *call, const char *name, char *value, size_t size);
const char *co_call_query(const struct co_call *call, const char *name, char *value, size_t size);

/* The request's body. Piece by piece: waits until there is at least one byte; returns how many, 0 at the end, or an
 * error. Reading slowly slows the client down. Or whole, with a '\0' behind it: 0 and *body, which is the call's;
 * -EMSGSIZE: it is larger than most_body, and the client is told so (413). */
int co_call_read(struct co_call *call, void *buffer, size_t size) CO_MUST_USE;
int co_call_body(struct co_call *call, const char **body, size_t *length) CO_MUST_USE;

/* Answers with status, headers ("Name: value\n" lines; NULL: none) and body. Waits while more than `buffer` bytes wait
 * to be sent to this client. 0; -EINVAL (no status, or headers that are none; Connection, Content-Length and
 * Transfer-Encoding are written by the server itself); -EALREADY (it was answered); or an error from above. */
int co_reply(struct co_call *call, int status, const char *headers, const void *body, size_t length) CO_MUST_USE;
int co_reply_text(struct co_call *call, int status, const char *text) CO_MUST_USE;   /* as text/plain */

/* The same piece by piece, for bodies that are large or never end. Its end is the handler's, if it returns 0 or more;
 * else the connection is broken off, so that the client does not take it for whole. try_: -EAGAIN instead of waiting,
 * and nothing of it was sent. */
int co_reply_begin(struct co_call *call, int status, const char *headers) CO_MUST_USE;
int co_reply_write(struct co_call *call, const void *data, size_t size) CO_MUST_USE;
int co_reply_try_write(struct co_call *call, const void *data, size_t size) CO_MUST_USE;

/* A server-sent event: the first one begins the answer (text/event-stream). event, id: NULL for none; data may have
 * several lines. -CO_ECLOSED: the server stops, so let this stream end. */
int co_reply_event(struct co_call *call, const char *event, const char *id, const char *data) CO_MUST_USE;

/* ---- WebSockets ------------------------------------------------------------------------------- */
/* Messages both ways, in order and whole, over one connection (RFC 6455). The rules that hold between the two sides are
 * kept for you: pings are answered while you wait in co_ws_recv, texts are UTF-8, what is too large or wrong ends the
 * connection with the code that says so. */

struct co_ws {
    struct co_socket *socket;        /* NULL: not open                                               */
    int code;                        /* closed: why. 1000 done, 1001 going away, 1002 rules broken, 1005 not said,
                                        1006 broke off, 1007 no UTF-8, 1009 too large; yours: 3000 to 4999 */
    char reason[124];                /* closed: the other side's words                               */
    char protocol[32];               /* the subprotocol agreed upon; "": none                        */
};
struct co_ws_options {
    const char *protocols;           /* "chat, superchat": those that you speak, the best first; NULL: none */
    const char *headers;             /* of the request that opens it, "Name: value\n" lines; NULL: none */
    size_t most_message;             /* bytes of a message that comes; 0 = 1 MiB                     */
    size_t buffer;                   /* as the server's; 0 = 64 KiB (accepted: the server's own)     */
    int64_t timeout;                 /* ns for opening, and for the other side's answer to a close; 0 = 5 s */
};

/* In a handler: makes a WebSocket of the request. What asks for none is answered (400, 405, 426), and
 * -CO_ERULES returned. options NULL: the defaults. Waits. */
int co_ws_accept(struct co_ws *ws, struct co_call *call, const struct co_ws_options *options) CO_MUST_USE;
/* As a client: url is "ws://host:port/path". (wss:// is not spoken: -EPROTONOSUPPORT.) Waits. 0, -CO_ENOUPGRADE,
 * -ECONNREFUSED, -CO_ENOHOST, -ETIMEDOUT, -EINVAL, or an error from above. asyncio: websockets.connect(). */
int co_ws_connect(struct co_ws *ws, const char *url, const struct co_ws_options *options) CO_MUST_USE;

/* A message. data belongs to the WebSocket, lasts until the next co_ws_recv, and has a '\0' behind it. */
struct co_message { bool is_text; const char *data; size_t length; };

/* Waits for the next message: 1; 0: it was closed in order, see ws->code; -ECONNRESET: it broke off (1006);
 * -CO_ERULES; -ETIMEDOUT: you have closed it, and no answer came; -ECANCELED (nothing is lost, ask again); -EBUSY.
 * asyncio: await ws.recv(). */
int co_ws_recv(struct co_ws *ws, struct co_message *message) CO_MUST_USE;
/* Sends a message. Waits while more than `buffer` bytes wait to be sent: so who sends faster than the other side reads
 * is slowed down. 0, or -CO_ECLOSED, -ECONNRESET, -EINVAL (a text that is no UTF-8). Cancelled while it waits, nothing
 * of the message was sent. try_: -EAGAIN instead of waiting. asyncio: await ws.send(). */
int co_ws_send(struct co_ws *ws, bool is_text, const void *data, size_t length) CO_MUST_USE;
int co_ws_try_send(struct co_ws *ws, bool is_text, const void *data, size_t length) CO_MUST_USE;
int co_ws_send_text(struct co_ws *ws, const char *text) CO_MUST_USE;
/* A piece of a message: the last one says so. Other messages cannot come in between (-EBUSY). */
int co_ws_send_piece(struct co_ws *ws, bool is_text, const void *data, size_t length, bool last) CO_MUST_USE;
int co_ws_ping(struct co_ws *ws) CO_MUST_USE;         /* sends one; the answer needs no care           */
size_t co_ws_unsent(const struct co_ws *ws);          /* bytes that wait to be sent: how far behind is it? */

/* Closes it in order: says why (code, reason; both may be seen by the other side), waits for its answer, at most
 * `timeout`; messages that still come are dropped. 0; -ETIMEDOUT (closed all the same), -ECONNRESET, -ECANCELED,
 * -EINVAL (no such code can be sent), -CO_ECLOSED (it is closed already). */
int co_ws_close(struct co_ws *ws, int code, const char *reason) CO_MUST_USE;
/* Ends it without waiting: an open one is closed with 1000 (1001 if you were cancelled), and its answer not awaited. */
void co_ws_end(struct co_ws *ws);
#define CO_WS(name) __attribute__((cleanup(co_ws_end))) struct co_ws name = {0}

#endif
