/* reply.c - what a request is answered, whole or piece by piece. */
#include "runtime/outside/tcp.h"
#include "runtime/tasks/enter.h"

#include <stdio.h>
#include <string.h>

enum { STATUS_LINE = 64, OWN_LINES = 128, CHUNK_LINE = 20 };

/* ---- Heads ---------------------------------------------------------------------------------------- */

static bool is_own(const char *headers)
{
    size_t length;
    return pt_http_find(headers, "Content-Length", 0, &length) || pt_http_find(headers, "Transfer-Encoding", 0, &length)
        || pt_http_find(headers, "Connection", 0, &length);
}

static bool has_no_body(const struct co_client *client, int status)
{
    return status == 204 || status == 304 || strcmp(client->head.method, "HEAD") == 0;
}

/* Adds "Name: value\n" lines as "Name: value\r\n". Room was reserved. */
static void put_lines(struct tcp *tcp, const char *headers)
{
    for (const char *end; (end = strchr(headers, '\n')); headers = end + 1) {
        co__tcp_put(tcp, headers, (size_t)(end - headers));
        co__tcp_put(tcp, "\r\n", 2);
    }
}

/* Adds a head, and reserves room for `more` bytes behind it. length < 0: it is not known. */
static int put_head(struct co_client *client, int status, const char *headers, int64_t length, size_t more)
{
    struct tcp *tcp = client->tcp;
    char first[STATUS_LINE], own[OWN_LINES] = "";
    size_t lines = strlen(headers), at = 0;
    if (!co__tcp_reserve(tcp, sizeof first + sizeof own + 2 * lines + more))
        return -ENOMEM;
    if (length >= 0 && status != 204)
        at = (size_t)snprintf(own, sizeof own, "Content-Length: %lld\r\n", (long long)length);
    if (client->chunked)
        at = (size_t)snprintf(own, sizeof own, "Transfer-Encoding: chunked\r\n");
    if (!client->keeps)
        at += (size_t)snprintf(own + at, sizeof own - at, "Connection: close\r\n");
    else if (!client->head.is_1_1)
        at += (size_t)snprintf(own + at, sizeof own - at, "Connection: keep-alive\r\n");
    int n = snprintf(first, sizeof first, "HTTP/1.1 %d %s\r\n", status, pt_http_reason(status));
    co__tcp_put(tcp, first, (size_t)n);
    put_lines(tcp, headers);
    co__tcp_put(tcp, own, at);
    co__tcp_put(tcp, "\r\n", 2);
    client->answered = true;
    return 0;
}

void co__refuse_client(struct co_client *client, int status, const char *headers)
{
    char body[STATUS_LINE];
    char lines[256];
    int n = snprintf(body, sizeof body, "%d %s\n", status, pt_http_reason(status));
    snprintf(lines, sizeof lines, "Content-Type: text/plain; charset=utf-8\n%s", headers ? headers : "");
    bool skips = client->body.ended && client->head.keeps && (status == 404 || status == 405)
        && !client->gate->stopping;
    client->keeps = skips;
    if (put_head(client, status, lines, n, (size_t)n) < 0)
        return;
    if (!has_no_body(client, status))
        co__tcp_put(client->tcp, body, (size_t)n);
    client->ended = true;
    co__tcp_flush(client->tcp);
}

/* Whether an answer may begin with that. */
static int check(const struct co_client *client, int status, const char *headers)
{
    if (status < 200 || status > 599 || !pt_http_are_headers(headers) || is_own(headers))
        return -EINVAL;
    return client->answered ? -EALREADY : 0;
}

/* ---- Whole ------------------------------------------------------------------------------------------- */

static int reply(struct co_task *self, struct co_client *client, int status, const char *headers, const void *body,
                 size_t length)
{
    headers = headers ? headers : "";
    int rc = check(client, status, headers);
    if (rc == 0)
        rc = co__tcp_await_room(self, client->tcp, false);
    if (rc == 0)
        rc = put_head(client, status, headers, (int64_t)length, length);
    if (rc < 0)
        return rc;
    if (!has_no_body(client, status))
        co__tcp_put(client->tcp, body, length);
    client->ended = true;
    co__tcp_flush(client->tcp);
    return client->tcp->lost ? client->tcp->rc : 0;
}

int co_reply(struct co_call *call, int status, const char *headers, const void *body, size_t length)
{
    int rc;
    struct co_task *self;
    struct co_client *client = co__call_enter(call, CALLER, &rc, &self);
    return client ? reply(self, client, status, headers, body, length) : rc;
}

int co_reply_text(struct co_call *call, int status, const char *text)
{
    int rc;
    struct co_task *self;
    struct co_client *client = co__call_enter(call, CALLER, &rc, &self);
    return client ? reply(self, client, status, "Content-Type: text/plain; charset=utf-8\n", text, strlen(text)) : rc;
}

/* ---- Piece by piece -------------------------------------------------------------------------------------- */

static int begin(struct co_client *client, int status, const char *headers)
{
    headers = headers ? headers : "";
    int rc = check(client, status, headers);
    if (rc < 0)
        return rc;
    client->chunked = client->head.is_1_1 && status != 204 && status != 304;
    if (!client->head.is_1_1)
        client->keeps = false;          /* its end is the connection's */
    rc = put_head(client, status, headers, -1, 0);
    if (rc < 0)
        return rc;
    client->in_pieces = true;
    if (has_no_body(client, status))
        client->ended = true;
    co__tcp_flush(client->tcp);
    return 0;
}

int co_reply_begin(struct co_call *call, int status, const char *headers)
{
    int rc;
    struct co_task *self;
    struct co_client *client = co__call_enter(call, CALLER, &rc, &self);
    return client ? begin(client, status, headers) : rc;
}

static int write_piece(struct co_task *self, struct co_client *client, const void *data, size_t size, bool try)
{
    struct tcp *tcp = client->tcp;
    char line[CHUNK_LINE];
    if (!client->in_pieces || (!data && size))
        return -EINVAL;
    int rc = co__tcp_await_room(self, tcp, try);
    if (rc < 0 || size == 0 || client->ended)
        return rc;
    int n = client->chunked ? snprintf(line, sizeof line, "%zx\r\n", size) : 0;
    if (!co__tcp_reserve(tcp, size + sizeof line))
        return -ENOMEM;
    co__tcp_put(tcp, line, (size_t)n);
    co__tcp_put(tcp, data, size);
    if (client->chunked)
        co__tcp_put(tcp, "\r\n", 2);
    co__tcp_flush(tcp);
    return tcp->lost ? tcp->rc : 0;
}

int co_reply_write(struct co_call *call, const void *data, size_t size)
{
    int rc;
    struct co_task *self;
    struct co_client *client = co__call_enter(call, CALLER, &rc, &self);
    return client ? write_piece(self, client, data, size, false) : rc;
}

int co_reply_try_write(struct co_call *call, const void *data, size_t size)
{
    int rc;
    struct co_task *self;
    struct co_client *client = co__call_enter(call, CALLER, &rc, &self);
    return client ? write_piece(self, client, data, size, true) : rc;
}

void co__reply_end(struct co_client *client, bool whole)
{
    static const char last[] = "0\r\n\r\n";
    if (!whole) {
        client->keeps = false;
        return;
    }
    if (client->ended || !client->chunked || !co__tcp_reserve(client->tcp, sizeof last))
        return;
    co__tcp_put(client->tcp, last, sizeof last - 1);
    client->ended = true;
    co__tcp_flush(client->tcp);
}

/* ---- Events --------------------------------------------------------------------------------------------------- */

/* One "name: value" line for each line of the value, into out. NULL: out has no room. */
static char *event_lines(char *out, const char *end, const char *name, const char *value)
{
    while (out && value) {
        size_t length = strcspn(value, "\r\n");
        if ((size_t)(end - out) < strlen(name) + length + 4)
            return NULL;
        out += sprintf(out, "%s: %.*s\n", name, (int)length, value);
        value += length;
        value += *value == '\r' && value[1] == '\n' ? 2 : *value ? 1 : 0;
        if (!*value)
            break;
    }
    return out;
}

int co_reply_event(struct co_call *call, const char *event, const char *id, const char *data)
{
    int rc;
    struct co_task *self;
    char text[16 * 1024], *at = text;
    const char *end = text + sizeof text - 1;
    struct co_client *client = co__call_enter(call, CALLER, &rc, &self);
    if (!client)
        return rc;
    if (client->gate->stopping)
        return -CO_ECLOSED;
    if ((event && strpbrk(event, "\r\n")) || (id && strpbrk(id, "\r\n")))
        return -EINVAL;
    at = event_lines(at, end, "event", event);
    at = event_lines(at, end, "id", id);
    at = event_lines(at, end, "data", data ? data : "");
    if (!at)
        return -EMSGSIZE;
    *at++ = '\n';
    if (!client->answered)
        rc = begin(client, 200, "Content-Type: text/event-stream\nCache-Control: no-store\n");
    else
        rc = 0;
    return rc < 0 ? rc : write_piece(self, client, text, (size_t)(at - text), false);
}
