/* client.c - one client of a server: a request after the other, each handed to its handler. */
#include "runtime/outside/tcp.h"
#include "runtime/tasks/enter.h"
#include "runtime/tasks/ready.h"
#include "runtime/watch/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINGER_S = 2 };          /* so long a client has to close its side, too */

/* ---- The next request ----------------------------------------------------------------------------- */

/* Waits for a head that is whole. Its length; 0: there is none to come; or an error. */
static long await_head(struct co_task *self, struct co_client *client)
{
    struct tcp *tcp = client->tcp;
    size_t searched = 0, length;
    while (!(length = pt_http_head_length(co__tcp_unread(tcp), tcp->in.size, &searched))) {
        if (tcp->in.size > HTTP_MOST_HEAD)
            return -EMSGSIZE;
        client->resting = tcp->in.size == 0;
        if (tcp->over || (client->gate->stopping && client->resting))
            return 0;
        int rc = co__tcp_await(self, tcp, tcp->in.size);
        if (rc < 0)
            return rc;
    }
    return (long)length;
}

/* Forgets the request that is done with. */
static void forget(struct co_client *client)
{
    free(client->bytes);
    free(client->whole);
    client->bytes = client->whole = NULL;
    client->said_continue = client->answered = client->in_pieces = client->chunked = client->ended = false;
}

/* 1: a request is there; 0: there is none, or it was refused; or an error. */
static int next_request(struct co_task *self, struct co_client *client)
{
    struct co_timeout limit;
    struct tcp *tcp = client->tcp;
    int status = 0;
    long length = co__limit_begin(self, &limit, client->gate->options.idle);
    if (length == 0)
        length = co_timeout_end(&limit, (int)await_head(self, client));
    if (length == -ETIMEDOUT && tcp->in.size > 0)
        status = 408;
    if (length > HTTP_MOST_HEAD || length == -EMSGSIZE)
        status = 431;
    client->resting = false;
    if (length > 0 && !status) {
        client->bytes = malloc((size_t)length);
        if (!client->bytes)
            return -ENOMEM;
        memcpy(client->bytes, co__tcp_unread(tcp), (size_t)length);
        co__tcp_consume(tcp, (size_t)length);
        status = pt_http_read_request(&client->head, client->bytes, (size_t)length);
    }
    if (status) {
        client->head = (struct http_head){.method = "", .is_1_1 = true, .headers = ""};
        co__refuse_client(client, status, NULL);
    }
    return status ? 0 : length > 0 ? 1 : (int)length;
}

/* ---- Its handler ------------------------------------------------------------------------------------- */

/* "Allow: GET, PUT\n": what this path can be asked for with. */
static void allowed(const struct co_client *client, char *out, size_t size)
{
    size_t at = (size_t)snprintf(out, size, "Allow: ");
    for (size_t i = 0; i < client->gate->route_count; i++) {
        int status;
        const char *method = client->gate->routes[i].method;
        if (method && co__route_find(client->gate, method, client->head.path, &status) == &client->gate->routes[i]
            && at + strlen(method) + 4 < size)
            at += (size_t)snprintf(out + at, size - at, "%s%s", at > 7 ? ", " : "", method);
    }
    snprintf(out + at, size - at, "\n");
}

/* Whatever has become of it: the client is told, or the connection ends. */
static void settle(struct co_task *self, struct co_client *client, int rc)
{
    if (client->socket) {
        co__leak(co__loop, "WebSocket", NULL, client->socket->opened_at);
        co__socket_free(client->socket);
    }
    if (client->upgraded) {
        client->keeps = false;
        return;
    }
    if (co__loop->debug && (rc < 0 || !client->answered))
        fprintf(stderr, "%s: the handler of %s %s %s%s\n", co__loop->program, client->head.method, client->head.path,
                rc < 0 ? "returned an error: " : "has not answered", rc < 0 ? co_strerror(rc) : "");
    if (!client->answered)
        co__refuse_client(client, 500, NULL);
    else if (client->in_pieces)
        co__reply_end(client, rc >= 0);
    if (client->keeps && !client->body.ended && !co__call_skip(self, client))
        client->keeps = false;
    if (client->tcp->lost || self->cancel_now)
        client->keeps = false;
}

static void handle(struct co_task *self, struct co_client *client)
{
    int status;
    const struct http_head *head = &client->head;
    client->body = pt_http_body_of(head);
    client->keeps = head->keeps && !client->gate->stopping;
    client->route = co__route_find(client->gate, head->method, head->path, &status);
    if (!client->route) {
        char headers[200] = "";
        if (status == 405)
            allowed(client, headers, sizeof headers);
        co__refuse_client(client, status, headers);
        return;
    }
    client->call = (struct co_call){head->method, head->path, head->query, head->headers, client};
    int rc = client->route->handler(&client->call, client->gate->arg);
    self->waits_at = client->gate->pc;
    settle(self, client, rc);
}

/* ---- Beginning and end ---------------------------------------------------------------------------------- */

/* The last of what was sent arrives: the client closes its side when it has seen the end of ours. */
static int linger(struct co_task *self, struct tcp *tcp)
{
    int rc = co__tcp_drain(self, tcp);
    if (rc < 0)
        return rc;
    co__tcp_finish(tcp);
    while (!tcp->over && rc == 0) {
        co__tcp_consume(tcp, tcp->in.size);
        rc = co__tcp_await(self, tcp, 0);
    }
    return rc;
}

static void leave(struct co_client *client)
{
    struct co_gate *gate = client->gate;
    co__tcp_close(client->tcp);
    forget(client);
    if (client->prev)
        client->prev->next = client->next;
    else
        gate->clients = client->next;
    if (client->next)
        client->next->prev = client->prev;
    gate->count--;
    free(client);
    if (gate->waiting.first)
        co__wake(gate->waiting.first, 0);
}

int co__client_run(void *job)
{
    struct co_client *client = job;
    struct co_task *self = co__enter_always(client->gate->pc);
    struct co_timeout limit;
    int rc;
    do {
        rc = next_request(self, client);
        if (rc > 0)
            handle(self, client);
        self->waits_at = client->gate->pc;
        forget(client);
    } while (rc > 0 && client->keeps);
    if (!client->tcp->over && co__limit_begin(self, &limit, CO_SEC(LINGER_S)) == 0)
        (void)!co_timeout_end(&limit, linger(self, client->tcp));
    leave(client);
    return 0;
}

void co__client_stop(struct co_client *client)
{
    if (client->socket)
        co__socket_say_close(client->socket, WS_GOING_AWAY, NULL);
    co__tcp_wake_readers(client->tcp);
}
