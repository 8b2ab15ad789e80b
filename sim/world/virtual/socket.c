/* socket.c - what a program asks of the network, for bytes as they are: it listens, lets in, connects, writes. */
#define _GNU_SOURCE     /* memrchr */
#include "connection.h"
#include "draw.h"
#include "virtual.h"
#include "wire.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_FREE_PORT = 49152, LAST_PORT = 65535, WINDOW = 64 * 1024 };

/* ---- Trace ---------------------------------------------------------------------------------------------- */

static struct trace *trace_line(const struct world *world, const char *ev, uint64_t op)
{
    if (!world->trace)
        return NULL;
    trace_begin(world->trace, world->now, TRACE_WORLD, ev);
    trace_int(world->trace, "op", (int64_t)op);
    return world->trace;
}

static void trace_closed(const struct world *world, uint64_t op)
{
    struct trace *trace = trace_line(world, "socket.closed", op);
    if (trace)
        trace_end(trace);
}

/* ---- Operations ----------------------------------------------------------------------------------------- */

struct socket *vw_socket_new(struct world *world, enum socket_role role)
{
    static const struct world_request nobodys = {0};
    struct socket *socket = (struct socket *)vw_operation_new(world, WORLD_SOCKET, &nobodys);
    if (socket)
        socket->role = role;
    return socket;
}

static void end_now(struct world *world, struct socket *socket, int32_t rc)
{
    struct trace *trace = socket->role != SOCKET_END || rc == -ECANCELED ? NULL
        : trace_line(world, "socket.end", socket->operation.id);
    if (trace) {
        trace_int(trace, "rc", rc);
        trace_end(trace);
    }
    vw_result_end(world, &socket->operation, rc);
}

void vw_write_end(struct world *world, struct socket *write, int32_t rc)
{
    if (!write->operation.ended)
        end_now(world, write, rc);
}

void vw_socket_forget(struct socket *socket)
{
    free(socket->data);
    socket->data = NULL;
}

/* ---- Listening -------------------------------------------------------------------------------------------- */

struct socket *vw_listener_find(const struct world *world, int64_t port)
{
    struct socket *listener = world->guests.listeners;
    while (listener && listener->port != port)
        listener = listener->next;
    return listener;
}

/* The port of "HOST:PORT"; below 0: it is none. */
static int64_t port_of(const char *address, size_t size)
{
    const char *colon = size ? memrchr(address, ':', size) : NULL;
    int64_t port = 0;
    if (!colon || colon + 1 == address + size)
        return -EINVAL;
    for (const char *c = colon + 1; c < address + size; c++) {
        if (*c < '0' || *c > '9' || (port = 10 * port + *c - '0') > LAST_PORT)
            return -EINVAL;
    }
    return port;
}

static int32_t listen_at(struct world *world, struct socket *socket, const char *address, size_t size)
{
    struct guests *guests = &world->guests;
    int64_t port = port_of(address, size);
    if (port == 0) {
        if (guests->free_port < FIRST_FREE_PORT)
            guests->free_port = FIRST_FREE_PORT;
        while (guests->free_port <= LAST_PORT && vw_listener_find(world, guests->free_port))
            guests->free_port++;
        port = guests->free_port <= LAST_PORT ? guests->free_port : -EADDRINUSE;
    }
    if (port < 0)
        return (int32_t)port;
    if (vw_listener_find(world, port))
        return -EADDRINUSE;
    if (!vw_has_descriptor(world))
        return -EMFILE;
    world->network.sockets++;
    socket->port = port;
    socket->next = guests->listeners;
    guests->listeners = socket;
    socket->operation.lives_on = true;
    return (int32_t)port;
}

static void listener_close(struct world *world, struct socket *listener)
{
    struct socket **at = &world->guests.listeners;
    while (*at != listener)
        at = &(*at)->next;
    *at = listener->next;
    world->network.sockets--;
    for (struct socket *end; (end = (struct socket *)vw_line_take(&listener->waiting));)
        end_now(world, end, -EBADF);
    for (struct end *end; (end = listener->first);) {   /* who was not let in finds that nobody is there */
        listener->first = end->next;
        vw_end_reset(world, end);
        vw_end_let_go(world, end);
    }
    trace_closed(world, listener->operation.id);
    listener->operation.lives_on = false;
    if (listener->operation.handed_over)
        vw_operation_retire(world, &listener->operation);
}

/* ---- Connections --------------------------------------------------------------------------------------------- */

/* The end is the program's from now on. */
static void take(struct world *world, struct socket *socket, struct end *end)
{
    socket->end = end;
    end->socket = socket;
    end->number = socket->operation.id;
    end->program = socket->program;
    world->network.sockets++;
    if (end->other->guest) {
        vw_guest_name(end->other->guest, socket->head);
        socket->head_size = (uint32_t)strlen(socket->head);
    }
    socket->operation.lives_on = true;      /* until it is closed */
    struct trace *trace = trace_line(world, "socket.open", end->number);
    if (trace && end->other->guest)
        trace_str(trace, "client", socket->head, socket->head_size);
    if (trace)
        trace_end(trace);
    vw_result_part(world, &socket->operation, WORLD_HEAD);
    if (end->here.size)
        vw_result_part(world, &socket->operation, WORLD_BODY);
    if (end->broken || end->over)
        end_now(world, socket, end->broken ? -ECONNRESET : 0);
}

bool vw_listener_come(struct world *world, struct end *end)
{
    struct socket *listener = vw_listener_find(world, (int64_t)end->number);
    end->number = 0;
    if (!listener)
        return false;
    struct socket *waiting = (struct socket *)vw_line_take(&listener->waiting);
    if (waiting && !vw_has_descriptor(world)) {
        end_now(world, waiting, -EMFILE);
        return false;
    }
    if (waiting) {
        take(world, waiting, end);
        return true;
    }
    end->next = NULL;
    if (listener->first)
        listener->last->next = end;
    else
        listener->first = end;
    listener->last = end;
    return true;
}

void vw_end_tell(struct world *world, struct end *end, enum arrives what)
{
    if (end->guest) {
        if (what == ARRIVES_BYTES)
            vw_guest_arrived(world, end->guest);
        else if (what == ARRIVES_FIN)
            vw_guest_over(world, end->guest);
        else
            vw_guest_lost(world, end->guest, "reset");
        return;
    }
    struct socket *socket = end->socket;
    if (!socket || socket->operation.ended)
        return;
    if (what == ARRIVES_BYTES)
        vw_result_part(world, &socket->operation, WORLD_BODY);
    else
        end_now(world, socket, what == ARRIVES_FIN ? 0 : -ECONNRESET);
}

static void let_in(struct world *world, struct socket *socket, uint64_t number)
{
    struct socket *listener = world->guests.listeners;
    while (listener && (listener->operation.id != number || listener->program != socket->program))
        listener = listener->next;
    if (!listener) {
        end_now(world, socket, -EBADF);
        return;
    }
    struct end *first = listener->first;
    if (!first) {
        vw_line_add(&listener->waiting, &socket->operation);
    } else if (!vw_has_descriptor(world)) {
        end_now(world, socket, -EMFILE);
    } else {
        listener->first = first->next;
        take(world, socket, first);
    }
}

/* 32 bytes that the seed alone decides. */
static void make_seed(struct world *world, struct socket *socket)
{
    static const char name[] = "masks";
    for (uint32_t i = 0; i < WORLD_SEED; i += 8) {
        uint64_t drawn = vw_draw(world->seed, vw_key(name, sizeof name - 1), ++world->guests.seeds, DRAW_MASK);
        memcpy(socket->head + i, &drawn, 8);
    }
    socket->head_size = WORLD_SEED;
}

/* To a listener of a program's: there is no way between. */
static void connect(struct world *world, struct socket *socket, const char *address, size_t size)
{
    int64_t port = port_of(address, size);
    struct wire *wire = NULL;
    int32_t rc = port < 0 ? (int32_t)port : !vw_listener_find(world, port) ? -ECONNREFUSED
        : !vw_has_descriptor(world) ? -EMFILE : !(wire = vw_wire_new(world, 0, WINDOW)) ? -ENOMEM : 0;
    if (rc < 0) {
        end_now(world, socket, rc);
        return;
    }
    wire->ends[1].number = (uint64_t)port;
    take(world, socket, &wire->ends[0]);
    make_seed(world, socket);
}

/* ---- Calls ------------------------------------------------------------------------------------------------------ */

/* The end of a connection that is this program's, or NULL: its operation lives on until it is closed. */
static struct end *end_of(const struct world *world, const struct world_request *request)
{
    const struct operation *operation = vw_operation_find(world, request->file);
    const struct socket *socket = (const struct socket *)operation;
    bool is_end = operation && operation->kind == WORLD_SOCKET && socket->role == SOCKET_END;
    return is_end && socket->program == request->program ? socket->end : NULL;
}

static void close_it(struct world *world, const struct world_request *request)
{
    struct end *end = end_of(world, request);
    struct socket *listener = world->guests.listeners;
    while (listener && (listener->operation.id != request->file || listener->program != request->program))
        listener = listener->next;
    if (listener)
        listener_close(world, listener);
    if (!end)
        return;
    struct socket *socket = end->socket;
    world->network.sockets--;
    trace_closed(world, end->number);
    if (socket) {
        socket->end = NULL;
        if (!socket->operation.ended)
            end_now(world, socket, -ECANCELED);
        socket->operation.lives_on = false;
        if (socket->operation.handed_over)
            vw_operation_retire(world, &socket->operation);
    }
    vw_end_let_go(world, end);
}

static void tell(struct world *world, const struct world_request *request)
{
    struct end *end = request->call == WORLD_SOCKET_CLOSE ? NULL : end_of(world, request);
    if (request->call == WORLD_SOCKET_CLOSE)
        close_it(world, request);
    else if (end && request->call == WORLD_SOCKET_READ)
        vw_end_read(world, end, (size_t)request->count);
    else if (end)
        vw_end_finish(world, end);
}

static void write_to(struct world *world, struct socket *socket, const struct world_request *request)
{
    struct end *end = end_of(world, request);
    if (!end || end->finishes || end->broken) {
        end_now(world, socket, !end || !end->broken ? -EBADF : -ECONNRESET);
        return;
    }
    socket->data = malloc(request->size ? request->size : 1);
    if (!socket->data) {
        end_now(world, socket, -ENOMEM);
        return;
    }
    memcpy(socket->data, request->data, request->size);
    socket->size = request->size;
    socket->end = end;
    vw_line_add(&end->writes, &socket->operation);
    vw_end_pump(world, end);
}

uint64_t vw_socket_submit(struct world *world, const struct world_request *request)
{
    static const char *const calls[] = {"listen", "accept", "connect", "write"};
    if (request->call >= WORLD_SOCKET_READ) {
        tell(world, request);
        return ++world->operations.last_id;
    }
    struct socket *socket = (struct socket *)vw_operation_new(world, WORLD_SOCKET, request);
    if (!socket)
        return 0;
    uint64_t id = socket->operation.id;
    uint32_t call = request->call >= WORLD_SOCKET_LISTEN ? request->call : WORLD_SOCKET_WRITE;
    socket->program = request->program;
    socket->role = call == WORLD_SOCKET_LISTEN ? SOCKET_LISTEN : call == WORLD_SOCKET_WRITE ? SOCKET_WRITE : SOCKET_END;
    struct trace *trace = call == WORLD_SOCKET_WRITE ? NULL : trace_line(world, "socket.start", id);
    if (trace) {
        if (request->task)
            trace_int(trace, "task", request->task);
        trace_str(trace, "call", calls[call - 1], strlen(calls[call - 1]));
        if (call != WORLD_SOCKET_ACCEPT)
            trace_str(trace, "address", request->data, request->size);
        trace_end(trace);
    }
    switch (call) {
    case WORLD_SOCKET_LISTEN: end_now(world, socket, listen_at(world, socket, request->data, request->size)); break;
    case WORLD_SOCKET_ACCEPT: let_in(world, socket, request->file); break;
    case WORLD_SOCKET_CONNECT: connect(world, socket, request->data, request->size); break;
    default: write_to(world, socket, request);
    }
    return id;
}

void vw_socket_step(struct world *world, struct socket *socket)
{
    switch (socket->role) {
    case SOCKET_CARRIER: vw_carrier_step(world, socket->end); break;
    case SOCKET_TIMER: vw_guest_step(world, socket->guest); break;
    case SOCKET_READER: vw_guest_read(world, socket->guest); break;
    case SOCKET_STOP: vw_result_part(world, &socket->operation, WORLD_INTERRUPT); break;
    default: break;
    }
}

/* A connection that is given up is closed by its CLOSE: this ends only what is told of it. */
void vw_socket_cancel(struct world *world, struct socket *socket)
{
    if (socket->role > SOCKET_WRITE)
        return;
    if (socket->operation.line)
        vw_line_remove(&socket->operation);
    if (socket->role == SOCKET_WRITE && socket->end && socket->sent < socket->size
        && !pt_bytes_add(&socket->end->pending, socket->data + socket->sent, socket->size - socket->sent))
        vw_end_reset(world, socket->end);       /* half a write cannot be taken back */
    if (socket->role == SOCKET_END && socket->end)
        socket->end->socket = NULL;
    socket->end = NULL;
    end_now(world, socket, -ECANCELED);
}

void vw_socket_give(struct socket *socket, uint32_t parts, struct world_completion *out)
{
    struct end *end = socket->end;
    if (parts & WORLD_INTERRUPT)
        *out = (struct world_completion){.t = out->t, .parts = WORLD_INTERRUPT};
    if (parts & WORLD_HEAD) {
        out->parts |= WORLD_HEAD;
        out->head = socket->head_size;
        out->data = socket->head;
        out->size = socket->head_size;
    } else if (parts & WORLD_BODY && end) {
        struct pt_bytes shown = end->shown;
        shown.first = shown.size = 0;
        end->shown = end->here;
        end->here = shown;
        out->parts |= WORLD_BODY;
        out->data = pt_bytes_begin(&end->shown);
        out->size = end->shown.size;
    }
}
