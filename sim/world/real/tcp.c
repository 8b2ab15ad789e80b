/* tcp.c - a connection for bytes as they are: libuv's TCP. What comes is handed over with its operation, as much as its
 * window has room for; what is told read makes room. */
#include "tcp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 64 * 1024 };

/* ---- A connection's life ---------------------------------------------------------------- */

static void on_freed(uv_handle_t *handle)
{
    struct link *link = (struct link *)handle;
    if (link->addresses)
        uv_freeaddrinfo(link->addresses);
    free(link->in.data);
    free(link->shown.data);
    free(link);
}

/* Its host's name was asked for, and the answer will find it. */
static bool is_asking(const struct link *link)
{
    return link->question.data && !link->resolved;
}

void rw_link_close(struct link *link)
{
    if (link->dial)
        link->dial->link = NULL;
    link->dial = NULL;
    link->closing = true;
    if (!is_asking(link) && !uv_is_closing((uv_handle_t *)&link->handle))
        uv_close((uv_handle_t *)&link->handle, on_freed);
}

struct link *rw_link_new(struct real *world, struct dial *dial)
{
    struct link *link = calloc(1, sizeof *link);
    if (!link)
        return NULL;
    if (uv_tcp_init(&world->loop, &link->handle) < 0) {
        free(link);
        return NULL;
    }
    link->world = world;
    link->number = dial->operation.id;
    link->room = dial->window;
    if (!rw_table_put(&world->links, link->number, link)) {
        uv_close((uv_handle_t *)&link->handle, on_freed);
        return NULL;
    }
    link->dial = dial;
    dial->link = link;
    return link;
}

static bool add(struct bytes *bytes, const void *data, size_t size)
{
    size_t room = bytes->room ? bytes->room : 1024;
    while (room < bytes->size + size)
        room *= 2;
    if (room > bytes->room) {
        char *more = realloc(bytes->data, room);
        if (!more)
            return false;
        bytes->data = more;
        bytes->room = room;
    }
    memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
    return true;
}

void rw_link_over(struct link *link, int32_t rc)
{
    link->over = true;
    if (link->reading)
        uv_read_stop((uv_stream_t *)&link->handle);
    link->reading = false;
    if (link->dial)
        rw_dial_end(link->world, link->dial, rc);
}

/* What is read is copied at once: one piece of memory does for all. */
static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    static _Thread_local char piece[PIECE];
    const struct link *link = (const struct link *)handle;
    (void)suggested;
    *buffer = uv_buf_init(piece, (unsigned)(link->room < PIECE ? link->room : PIECE));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
    struct link *link = (struct link *)stream;
    if (n < 0) {
        rw_link_over(link, n == UV_EOF ? 0 : rw_socket_error((int)n));
        return;
    }
    if (n == 0 || !link->dial)
        return;
    link->room -= (size_t)n;
    if (!add(&link->in, buffer->base, (size_t)n)) {
        rw_link_over(link, -ENOMEM);
        return;
    }
    rw_operation_offer(link->world, &link->dial->operation);
    if (link->room == 0) {
        uv_read_stop(stream);
        link->reading = false;
    }
}

void rw_link_read_on(struct link *link)
{
    if (link->reading || link->over || !link->open || link->room == 0)
        return;
    link->reading = uv_read_start((uv_stream_t *)&link->handle, on_room, on_read) == 0;
    if (!link->reading)
        rw_link_over(link, -ECONNRESET);
}

/* It is there: with the HEAD comes `head`. */
void rw_link_opened(struct link *link, const void *head, size_t size)
{
    struct dial *dial = link->dial;
    uv_tcp_nodelay(&link->handle, 1);
    link->open = true;
    if (!add(&link->in, head, size)) {
        rw_link_over(link, -ENOMEM);
        return;
    }
    link->head = size;
    rw_socket_trace(link->world, "socket.open", link->number);
    rw_operation_offer(link->world, &dial->operation);
    rw_link_read_on(link);
}

/* ---- Connecting ---------------------------------------------------------------- */

static void try_next(struct link *link, int rc);

static void on_connected(uv_connect_t *connect, int status)
{
    struct link *link = connect->data;
    unsigned char seed[WORLD_SEED];
    if (!link->dial || link->closing)
        return;                         /* nobody waits for it any more */
    if (status < 0)
        try_next(link, status);
    else if (uv_random(NULL, NULL, seed, sizeof seed, 0, NULL) < 0)
        rw_link_over(link, -EAGAIN);
    else
        rw_link_opened(link, seed, sizeof seed);
}

static void on_another(uv_handle_t *handle)
{
    struct link *link = (struct link *)handle;
    if (link->closing) {
        on_freed(handle);
        return;
    }
    uv_tcp_init(&link->world->loop, &link->handle);
    try_next(link, 0);
}

/* libuv's handle is of no use once its connecting has failed: another address takes another one. rc: why it has. */
static void try_next(struct link *link, int rc)
{
    const struct addrinfo *address = link->next;
    link->connect.data = link;
    if (rc < 0 && address) {
        uv_close((uv_handle_t *)&link->handle, on_another);
        return;
    }
    if (address) {
        link->next = address->ai_next;
        rc = uv_tcp_connect(&link->connect, &link->handle, address->ai_addr, on_connected);
        if (rc == 0)
            return;
    }
    rw_link_over(link, rw_socket_error(rc < 0 ? rc : UV_ECONNREFUSED));
}

static void on_resolved(uv_getaddrinfo_t *question, int status, struct addrinfo *addresses)
{
    struct link *link = question->data;
    link->addresses = link->next = addresses;
    link->resolved = true;
    if (link->closing)                  /* nobody waits for it any more */
        rw_link_close(link);
    else
        try_next(link, status);
}

void rw_link_connect(struct real *world, struct dial *dial, const struct world_request *request)
{
    char host[MOST_ADDRESS], port[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC};
    bool ok = rw_address_split(request->data, request->size, host, port) && *host;
    struct link *link = ok ? rw_link_new(world, dial) : NULL;
    if (!link) {
        rw_dial_end(world, dial, ok ? -ENOMEM : -EINVAL);
        return;
    }
    link->question.data = link;
    int rc = uv_getaddrinfo(&world->loop, &link->question, on_resolved, host, port, &hints);
    link->resolved = rc < 0;
    if (rc < 0)
        rw_link_over(link, rw_socket_error(rc));
}

/* ---- Writing and closing ---------------------------------------------------------------- */

static void on_written(uv_write_t *write, int status)
{
    struct dial *dial = write->data;
    struct real *world = write->handle->loop->data;
    if (!dial->operation.over)
        rw_dial_end(world, dial, rw_socket_error(status));
    rw_operation_release(world, &dial->operation);
}

void rw_link_write(struct real *world, struct dial *dial, const struct world_request *request)
{
    struct link *link = rw_table_find(&world->links, request->file);
    if (!link || !link->open || link->finishing) {
        rw_dial_end(world, dial, -EBADF);
        return;
    }
    dial->data = malloc(request->size ? request->size : 1);
    if (!dial->data) {
        rw_dial_end(world, dial, -ENOMEM);
        return;
    }
    memcpy(dial->data, request->data, request->size);
    dial->write.data = dial;
    uv_buf_t buffer = uv_buf_init(dial->data, (unsigned)request->size);
    int rc = uv_write(&dial->write, (uv_stream_t *)&link->handle, &buffer, 1, on_written);
    if (rc < 0)
        rw_dial_end(world, dial, rw_socket_error(rc));
    else
        dial->operation.at_work = true;
}

static void on_shut(uv_shutdown_t *shutdown, int status)
{
    struct link *link = (struct link *)shutdown->handle;
    (void)status;
    if (link->closing)
        rw_link_close(link);
}

void rw_link_finish(struct link *link)
{
    if (link->finishing || !link->open)
        return;
    link->finishing = uv_shutdown(&link->shutdown, (uv_stream_t *)&link->handle, on_shut) == 0;
}

/* What was written still goes; then it is closed. */
void rw_link_leave(struct real *world, struct link *link)
{
    rw_table_remove(&world->links, link->number);
    rw_socket_trace(world, "socket.closed", link->number);
    if (link->dial && !link->dial->operation.over)
        rw_dial_end(world, link->dial, -ECANCELED);
    if (link->dial)
        link->dial->link = NULL;
    link->dial = NULL;
    if (link->reading)
        uv_read_stop((uv_stream_t *)&link->handle);
    link->reading = false;
    link->closing = true;
    bool was_shut = link->finishing && uv_stream_get_write_queue_size((uv_stream_t *)&link->handle) == 0;
    rw_link_finish(link);
    if (!link->finishing || was_shut)
        rw_link_close(link);
}
