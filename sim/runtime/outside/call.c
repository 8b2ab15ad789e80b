/* call.c - what a request says: its headers, the parts of its path, its body. */
#include "runtime/outside/tcp.h"
#include "runtime/tasks/enter.h"

#include <stdlib.h>
#include <string.h>

enum { SKIPPED_MOST = 64 * 1024 };      /* bytes of a body that are read though nobody wants them */

/* ---- Words ---------------------------------------------------------------------------------------- */

static const char *copy(const char *from, size_t length, char *value, size_t size)
{
    if (!from || length >= size)
        return NULL;
    memcpy(value, from, length);
    value[length] = '\0';
    return value;
}

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10
        : -1;
}

/* The same, with %XX undone, and '+' where it means a blank. What is no %XX stays as it is. */
static const char *decode(const char *from, size_t length, bool plus, char *value, size_t size)
{
    size_t n = 0;
    if (!from)
        return NULL;
    for (size_t i = 0; i < length; i++, n++) {
        if (n + 1 >= size)
            return NULL;
        int high = from[i] == '%' && i + 2 < length ? digit_of(from[i + 1]) : -1;
        int low = high >= 0 ? digit_of(from[i + 2]) : -1;
        value[n] = low >= 0 ? (char)(16 * high + low) : plus && from[i] == '+' ? ' ' : from[i];
        i += low >= 0 ? 2 : 0;
    }
    if (n >= size)
        return NULL;
    value[n] = '\0';
    return value;
}

const char *co_call_header(const struct co_call *call, const char *name, char *value, size_t size)
{
    size_t length = 0;
    const char *found = pt_http_find(call->headers, name, 0, &length);
    return copy(found, length, value, size);
}

const char *co_call_param(const struct co_call *call, const char *name, char *value, size_t size)
{
    size_t length = 0;
    const char *found = co__route_part(call->client->route->path, call->path, name, &length);
    return decode(found, length, false, value, size);
}

const char *co_call_query(const struct co_call *call, const char *name, char *value, size_t size)
{
    size_t wanted = strlen(name);
    for (const char *at = call->query; *at;) {
        size_t length = strcspn(at, "&"), end = strcspn(at, "=&");
        if (end == wanted && memcmp(at, name, wanted) == 0)
            return decode(at + end + (end < length), length - end - (end < length), true, value, size);
        at += length + (at[length] == '&');
    }
    return NULL;
}

/* ---- The body --------------------------------------------------------------------------------------- */

struct co_client *co__call_enter(struct co_call *call, const void *pc, int *rc, struct co_task **self)
{
    *self = co__enter(pc, rc);
    if (*self && call->client->upgraded)
        *rc = -CO_ECLOSED;
    return *self && !call->client->upgraded ? call->client : NULL;
}

/* The client may want to hear that somebody is interested. */
static int say_continue(struct co_client *client)
{
    static const char said[] = "HTTP/1.1 100 Continue\r\n\r\n";
    if (!client->head.waits_for_100 || client->said_continue || client->answered)
        return 0;
    client->said_continue = true;
    if (!co__tcp_reserve(client->tcp, sizeof said - 1))
        return -ENOMEM;
    co__tcp_put(client->tcp, said, sizeof said - 1);
    co__tcp_flush(client->tcp);
    return 0;
}

/* At least one byte of the body, at most `size`; 0: it has ended. */
static int read_some(struct co_task *self, struct co_client *client, char *buffer, size_t size)
{
    struct tcp *tcp = client->tcp;
    int rc = say_continue(client);
    while (rc == 0 && !client->body.ended) {
        const char *piece;
        size_t length, n = tcp->in.size;
        while (n > 0) {
            struct http_body before = client->body;
            long taken = pt_http_body_take(&client->body, co__tcp_unread(tcp), n, &piece, &length);
            if (taken < 0) {
                client->keeps = false;
                return -CO_ERULES;
            }
            if (length > size) {            /* not more than there is room for */
                client->body = before;
                n = (size_t)(piece - co__tcp_unread(tcp)) + size;
                continue;
            }
            if (length)
                memcpy(buffer, piece, length);
            co__tcp_consume(tcp, (size_t)taken);
            if (length)
                return (int)length;
            break;
        }
        if (client->body.ended)
            break;
        if (tcp->over && tcp->in.size == 0)
            return tcp->rc < 0 ? tcp->rc : -EPROTO;
        rc = co__tcp_await(self, tcp, tcp->in.size);
    }
    return rc;
}

/* A silent client is given up. */
static int read_limited(struct co_task *self, struct co_client *client, char *buffer, size_t size)
{
    struct co_timeout limit;
    int rc = co__limit_begin(self, &limit, client->gate->options.idle);
    return rc < 0 ? rc : co_timeout_end(&limit, read_some(self, client, buffer, size));
}

int co_call_read(struct co_call *call, void *buffer, size_t size)
{
    int rc;
    struct co_task *self;
    struct co_client *client = co__call_enter(call, CALLER, &rc, &self);
    if (!client)
        return rc;
    return buffer && size ? read_limited(self, client, buffer, size < INT32_MAX ? size : INT32_MAX) : -EINVAL;
}

static int read_whole(struct co_task *self, struct co_client *client)
{
    size_t most = client->gate->options.most_body, room = 1024;
    char *whole = malloc(room);
    size_t size = 0;
    int rc = whole ? 1 : -ENOMEM;
    if (client->body.framing == HTTP_LENGTH && (uint64_t)client->body.left > most)
        rc = -EMSGSIZE;
    while (rc > 0) {
        if (size + 1 == room) {
            char *more = realloc(whole, room *= 2);
            rc = more ? rc : -ENOMEM;
            whole = more ? more : whole;
            if (!more)
                break;
        }
        rc = read_limited(self, client, whole + size, room - size - 1);
        size += rc > 0 ? (size_t)rc : 0;
        if (size > most)
            rc = -EMSGSIZE;
    }
    if (rc < 0) {
        free(whole);
        return rc;
    }
    whole[size] = '\0';
    client->whole = whole;
    client->whole_size = size;
    return 0;
}

int co_call_body(struct co_call *call, const char **body, size_t *length)
{
    int rc;
    struct co_task *self;
    struct co_client *client = co__call_enter(call, CALLER, &rc, &self);
    if (!client)
        return rc;
    rc = client->whole ? 0 : read_whole(self, client);
    if (rc == -EMSGSIZE && !client->answered)
        co__refuse_client(client, 413, NULL);
    if (rc < 0)
        return rc;
    *body = client->whole;
    *length = client->whole_size;
    return 0;
}

bool co__call_skip(struct co_task *self, struct co_client *client)
{
    char dropped[4096];
    size_t n = 0;
    int rc = 1;
    if (client->head.waits_for_100 && !client->said_continue)
        return false;                   /* it may come or not */
    while (rc > 0 && n <= SKIPPED_MOST) {
        rc = read_limited(self, client, dropped, sizeof dropped);
        n += rc > 0 ? (size_t)rc : 0;
    }
    return rc == 0;
}
