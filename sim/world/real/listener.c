/* listener.c - what clients come to. */
#include "tcp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BACKLOG = 1024, HEAD = 64 };

/* ---- Letting in ---------------------------------------------------------------- */

static void let_in(struct listener *listener, struct dial *dial)
{
    struct real *world = listener->world;
    struct sockaddr_storage name;
    int size = sizeof name;
    char host[INET6_ADDRSTRLEN] = "", text[HEAD] = "";
    struct link *link = rw_link_new(world, dial);
    int rc = link ? uv_accept((uv_stream_t *)&listener->handle, (uv_stream_t *)&link->handle) : UV_ENOMEM;
    if (rc < 0) {
        rw_dial_end(world, dial, rw_socket_error(rc));
        return;
    }
    if (uv_tcp_getpeername(&link->handle, (struct sockaddr *)&name, &size) == 0)
        uv_ip_name((struct sockaddr *)&name, host, sizeof host);
    snprintf(text, sizeof text, "%s", host);
    rw_link_opened(link, text, strlen(text));
}

static void on_client(uv_stream_t *stream, int status)
{
    struct listener *listener = (struct listener *)stream;
    struct dial *dial = listener->first;
    if (status < 0)
        return;
    if (!dial) {
        listener->come++;
        return;
    }
    listener->first = dial->next;
    let_in(listener, dial);
}

static void on_listener_closed(uv_handle_t *handle)
{
    free(handle);
}

/* Binds and listens. The port, or libuv's error. */
static int listen_at(struct listener *listener, const char *host, const char *port)
{
    uv_loop_t *loop = &listener->world->loop;
    struct sockaddr_storage name;
    uv_getaddrinfo_t question;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    int size = sizeof name, rc = uv_ip6_addr("::", atoi(port), (struct sockaddr_in6 *)&name);
    if (*host) {
        rc = uv_getaddrinfo(loop, &question, NULL, host, port, &hints);
        if (rc == 0)
            memcpy(&name, question.addrinfo->ai_addr, question.addrinfo->ai_addrlen);
        if (rc == 0)
            uv_freeaddrinfo(question.addrinfo);
    }
    if (rc == 0)
        rc = uv_tcp_bind(&listener->handle, (struct sockaddr *)&name, 0);
    if (rc < 0 && !*host) {             /* no IPv6 here */
        uv_ip4_addr("0.0.0.0", atoi(port), (struct sockaddr_in *)&name);
        rc = uv_tcp_bind(&listener->handle, (struct sockaddr *)&name, 0);
    }
    if (rc == 0)
        rc = uv_listen((uv_stream_t *)&listener->handle, BACKLOG, on_client);
    if (rc == 0)
        rc = uv_tcp_getsockname(&listener->handle, (struct sockaddr *)&name, &size);
    if (rc < 0)
        return rc;
    return ntohs(name.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&name)->sin6_port
                 : ((struct sockaddr_in *)&name)->sin_port);
}

int32_t rw_listener_open(struct real *world, struct dial *dial, const struct world_request *request)
{
    char host[MOST_ADDRESS], port[8];
    if (!rw_address_split(request->data, request->size, host, port))
        return -EINVAL;
    struct listener *listener = calloc(1, sizeof *listener);
    if (!listener || uv_tcp_init(&world->loop, &listener->handle) < 0) {
        free(listener);
        return -ENOMEM;
    }
    listener->world = world;
    listener->number = dial->operation.id;
    int rc = listen_at(listener, host, port);
    if (rc > 0 && !rw_table_put(&world->listeners, listener->number, listener))
        rc = UV_ENOMEM;
    if (rc > 0)
        return rc;
    uv_close((uv_handle_t *)&listener->handle, on_listener_closed);
    return rw_socket_error(rc);
}

void rw_listener_let_in(struct real *world, struct dial *dial, uint64_t number)
{
    struct listener *listener = rw_table_find(&world->listeners, number);
    dial->listener = number;
    if (!listener) {
        rw_dial_end(world, dial, -EBADF);
    } else if (listener->come > 0) {
        listener->come--;
        let_in(listener, dial);
    } else if (listener->first) {
        listener->last->next = dial;
        listener->last = dial;
    } else {
        listener->first = listener->last = dial;
    }
}

void rw_listener_close(struct real *world, struct listener *listener)
{
    rw_table_remove(&world->listeners, listener->number);
    for (struct dial *dial; (dial = listener->first); listener->first = dial->next)
        rw_dial_end(world, dial, -EBADF);
    rw_socket_trace(world, "socket.closed", listener->number);
    uv_close((uv_handle_t *)&listener->handle, on_listener_closed);
}

void rw_listener_free(struct listener *listener)
{
    uv_close((uv_handle_t *)&listener->handle, on_listener_closed);
}

void rw_listener_forget(struct real *world, struct dial *dial)
{
    struct listener *listener = rw_table_find(&world->listeners, dial->listener);
    struct dial *before = NULL;
    for (struct dial **at = listener ? &listener->first : NULL; at && *at; before = *at, at = &(*at)->next)
        if (*at == dial) {
            *at = dial->next;
            if (listener->last == dial)
                listener->last = before;
            break;
        }
}
