/* socket.c - a WebSocket: messages in and out, and how it is closed (RFC 6455, 5 to 7). */
#include "runtime/outside/tcp.h"
#include "runtime/tasks/enter.h"
#include "runtime/tasks/ready.h"

#include <stdlib.h>
#include <string.h>

/* ---- Frames out ------------------------------------------------------------------------------------ */

/* Adds a frame; it goes when the connection is flushed. 0 or -ENOMEM. */
static int put_frame(struct co_socket *socket, bool final, enum ws_opcode opcode, const void *data, size_t length)
{
    struct tcp *tcp = socket->tcp;
    uint8_t head[WS_MOST_HEAD], mask[4];
    bool masked = !socket->client;
    if (!co__tcp_reserve(tcp, sizeof head + length))
        return -ENOMEM;
    if (masked)
        pt_random_take(&socket->random, mask, sizeof mask);
    co__tcp_put(tcp, head, pt_ws_head(head, final, opcode, length, masked ? mask : NULL));
    co__tcp_put(tcp, data, length);
    if (masked)
        pt_ws_mask(tcp->out + tcp->out_size - length, length, mask, 0);
    co__tcp_flush(tcp);
    return 0;
}

void co__socket_say_close(struct co_socket *socket, int code, const char *reason)
{
    uint8_t payload[WS_MOST_CONTROL];
    if (socket->sent_close || socket->ended)
        return;
    socket->sent_close = true;
    socket->close_by = co__loop->now > INT64_MAX - socket->timeout ? INT64_MAX : co__loop->now + socket->timeout;
    if (!socket->tcp->lost)
        (void)!put_frame(socket, true, WS_OP_CLOSE, payload, pt_ws_close_payload(payload, code, reason));
}

/* ---- Frames in --------------------------------------------------------------------------------------- */

/* Nothing more will be read. */
static int end(struct co_socket *socket, int rc, int code)
{
    socket->ended = true;
    socket->rc = rc;
    socket->code = code;
    co__tcp_wake_readers(socket->tcp);          /* who waits for that in co_ws_close */
    return rc;
}

static int closed(struct co_socket *socket)
{
    const struct ws_reader *reader = &socket->reader;
    size_t length = reader->control_length > 2 ? reader->control_length - 2 : 0;
    memcpy(socket->reason, reader->control + 2, length);
    socket->reason[length] = '\0';
    co__socket_say_close(socket, reader->code, NULL);
    return end(socket, 0, reader->code);
}

/* 1: a message; 0: it was closed; -EAGAIN: something else; or an error. */
static int take_event(struct co_socket *socket, enum ws_event event)
{
    struct ws_reader *reader = &socket->reader;
    switch (event) {
    case WS_MESSAGE: return socket->sent_close ? -EAGAIN : 1;
    case WS_PING:                       /* whoever does not read its pongs gets no more of them */
        if (!socket->sent_close && co__tcp_unsent(socket->tcp) < socket->tcp->buffer)
            (void)!put_frame(socket, true, WS_OP_PONG, reader->control, reader->control_length);
        return -EAGAIN;
    case WS_CLOSE: return closed(socket);
    case WS_FAILED:
        co__socket_say_close(socket, reader->code, reader->why);
        return end(socket, reader->no_memory ? -ENOMEM : -CO_ERULES, reader->code);
    default: return -EAGAIN;
    }
}

/* The next thing that happens; waits for it. */
static int receive(struct co_task *self, struct co_socket *socket)
{
    struct tcp *tcp = socket->tcp;
    while (!socket->ended) {
        while (tcp->in.size > 0) {
            enum ws_event event;
            co__tcp_consume(tcp, pt_ws_read(&socket->reader, co__tcp_unread(tcp), tcp->in.size, &event));
            int rc = take_event(socket, event);
            if (rc != -EAGAIN)
                return rc;
        }
        if (tcp->over)
            return end(socket, tcp->rc < 0 ? tcp->rc : -ECONNRESET, WS_ABNORMAL);
        if (socket->sent_close && co__loop->now >= socket->close_by)
            return end(socket, -ETIMEDOUT, WS_ABNORMAL);
        struct co_timeout limit = {0};
        int rc = socket->sent_close ? co__limit_begin(self, &limit, socket->close_by - co__loop->now) : 0;
        if (rc == 0)
            rc = co_timeout_end(&limit, co__tcp_await(self, tcp, 0));
        if (rc < 0 && rc != -ETIMEDOUT)
            return rc;
    }
    return socket->rc;
}

static void tell_end(struct co_ws *ws)
{
    const struct co_socket *socket = ws->socket;
    if (!socket->ended)
        return;
    ws->code = socket->code;
    memcpy(ws->reason, socket->reason, sizeof ws->reason);
}

int co_ws_recv(struct co_ws *ws, struct co_message *message)
{
    int rc;
    struct co_task *self = co__enter(CALLER, &rc);
    struct co_socket *socket = ws->socket;
    *message = (struct co_message){.data = ""};
    if (!self)
        return rc;
    if (!socket)
        return -CO_ECLOSED;
    if (socket->receiving)
        return -EBUSY;
    socket->receiving = true;
    rc = receive(self, socket);
    socket->receiving = false;
    if (rc == 1)
        *message = (struct co_message){socket->reader.is_text, socket->reader.message, socket->reader.length};
    tell_end(ws);
    return rc;
}

/* ---- Messages out --------------------------------------------------------------------------------------- */

static int may_send(const struct co_socket *socket)
{
    if (socket->sent_close)
        return -CO_ECLOSED;
    return socket->tcp->lost ? -ECONNRESET : 0;
}

/* Waits for room; what is asked for may not be possible any more then. */
static int await_room(struct co_task *self, struct co_socket *socket, bool try)
{
    int rc = may_send(socket);
    if (rc == 0)
        rc = co__tcp_await_room(self, socket->tcp, try);
    return rc < 0 ? rc : may_send(socket);
}

static int send(struct co_task *self, struct co_socket *socket, bool is_text, const void *data, size_t length, bool try)
{
    struct utf8 utf8 = {0};
    if (!socket)
        return -CO_ECLOSED;
    if ((!data && length) || (is_text && !(pt_utf8_take(&utf8, data, length) && pt_utf8_is_whole(&utf8))))
        return -EINVAL;
    int rc = await_room(self, socket, try);
    if (rc == 0 && socket->in_pieces)
        rc = -EBUSY;
    return rc < 0 ? rc : put_frame(socket, true, is_text ? WS_OP_TEXT : WS_OP_BINARY, data, length);
}

int co_ws_send(struct co_ws *ws, bool is_text, const void *data, size_t length)
{
    int rc;
    struct co_task *self = co__enter(CALLER, &rc);
    return self ? send(self, ws->socket, is_text, data, length, false) : rc;
}

int co_ws_try_send(struct co_ws *ws, bool is_text, const void *data, size_t length)
{
    int rc;
    struct co_task *self = co__enter(CALLER, &rc);
    return self ? send(self, ws->socket, is_text, data, length, true) : rc;
}

int co_ws_send_text(struct co_ws *ws, const char *text)
{
    int rc;
    struct co_task *self = co__enter(CALLER, &rc);
    return self ? send(self, ws->socket, true, text, text ? strlen(text) : 0, false) : rc;
}

static int send_piece(struct co_task *self, struct co_socket *socket, bool is_text, const void *data, size_t length,
                      bool last)
{
    struct utf8 utf8;
    int rc = await_room(self, socket, false);
    if (rc < 0)
        return rc;
    bool first = !socket->in_pieces;
    utf8 = first ? (struct utf8){0} : socket->utf8;
    if (is_text && (!pt_utf8_take(&utf8, data, length) || (last && !pt_utf8_is_whole(&utf8))))
        return -EINVAL;
    rc = put_frame(socket, last, !first ? WS_OP_CONTINUATION : is_text ? WS_OP_TEXT : WS_OP_BINARY, data, length);
    if (rc == 0) {
        socket->utf8 = utf8;
        socket->in_pieces = !last;
    }
    return rc;
}

int co_ws_send_piece(struct co_ws *ws, bool is_text, const void *data, size_t length, bool last)
{
    int rc;
    struct co_task *self = co__enter(CALLER, &rc);
    if (!self)
        return rc;
    if (!ws->socket)
        return -CO_ECLOSED;
    return !data && length ? -EINVAL : send_piece(self, ws->socket, is_text, data, length, last);
}

int co_ws_ping(struct co_ws *ws)
{
    int rc;
    struct co_task *self = co__enter(CALLER, &rc);
    if (!self)
        return rc;
    if (!ws->socket)
        return -CO_ECLOSED;
    rc = await_room(self, ws->socket, false);
    return rc < 0 ? rc : put_frame(ws->socket, true, WS_OP_PING, NULL, 0);
}

size_t co_ws_unsent(const struct co_ws *ws)
{
    return ws->socket ? co__tcp_unsent(ws->socket->tcp) : 0;
}

/* ---- Closing ------------------------------------------------------------------------------------------------ */

/* Waits until the other side has answered. Whoever is in co_ws_recv sees to that; else we do. */
static int await_end(struct co_task *self, struct co_socket *socket)
{
    int rc = 0;
    while (!socket->ended && rc >= 0) {
        if (socket->receiving) {
            rc = co__suspend_in(self, WAIT_PEER, socket->tcp, &socket->tcp->readers);
        } else {
            socket->receiving = true;
            rc = receive(self, socket);
            socket->receiving = false;
        }
    }
    return socket->ended ? socket->rc : rc;
}

int co_ws_close(struct co_ws *ws, int code, const char *reason)
{
    int rc;
    struct co_task *self = co__enter(CALLER, &rc);
    struct co_socket *socket = ws->socket;
    struct utf8 utf8 = {0};
    if (!self)
        return rc;
    if (!socket || socket->ended)
        return -CO_ECLOSED;
    if (!pt_ws_may_send(code)
        || (reason && !(pt_utf8_take(&utf8, reason, strlen(reason)) && pt_utf8_is_whole(&utf8))))
        return -EINVAL;
    co__socket_say_close(socket, code, reason);
    co__tcp_wake_readers(socket->tcp);          /* who waits for a message, waits for the answer from now on */
    rc = await_end(self, socket);
    tell_end(ws);
    return rc > 0 ? 0 : rc;
}

void co__socket_free(struct co_socket *socket)
{
    struct servers *servers = co__loop->servers;
    if (socket->prev)
        socket->prev->next = socket->next;
    else
        servers->sockets = socket->next;
    if (socket->next)
        socket->next->prev = socket->prev;
    if (socket->client)
        socket->client->socket = NULL;
    else
        co__tcp_close(socket->tcp);
    pt_ws_reader_free(&socket->reader);
    free(socket);
}

void co_ws_end(struct co_ws *ws)
{
    struct loop *loop = co__loop;
    struct co_socket *socket = loop && loop->servers && !co__in_job() ? loop->servers->sockets : NULL;
    while (socket && socket != ws->socket)      /* one of this loop's? */
        socket = socket->next;
    ws->socket = NULL;
    if (!socket)
        return;
    bool canceled = loop->current && loop->current->cancel_now;
    co__socket_say_close(socket, canceled ? WS_GOING_AWAY : WS_NORMAL, NULL);
    co__socket_free(socket);
}

struct co_socket *co__socket_new(struct tcp *tcp, struct co_client *client, const struct co_ws_options *options,
                                 const void *pc)
{
    struct co_socket *socket = calloc(1, sizeof *socket);
    struct servers *servers = co__loop->servers;
    if (!socket)
        return NULL;
    socket->tcp = tcp;
    socket->client = client;
    socket->opened_at = pc;
    socket->timeout = options->timeout ? options->timeout : CO_SEC(5);
    socket->reader = (struct ws_reader){.masked = client != NULL,
                                        .most = options->most_message ? options->most_message : 1 << 20};
    if (!client)
        pt_random_begin(&socket->random, tcp->seed);
    socket->next = servers->sockets;
    if (socket->next)
        socket->next->prev = socket;
    servers->sockets = socket;
    if (client)
        client->socket = socket;
    return socket;
}
