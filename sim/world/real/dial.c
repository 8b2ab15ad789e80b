/* dial.c - what a program asks of connections for bytes: its operations. */
#include "tcp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Trace ---------------------------------------------------------------- */

static void trace_start(struct real *world, const struct dial *dial, const struct world_request *request)
{
    static const char *const calls[] = {"listen", "accept", "connect"};
    struct trace *trace = rw_trace(world, "socket.start", dial->operation.id);
    if (!trace)
        return;
    if (request->task)
        trace_int(trace, "task", request->task);
    trace_str(trace, "call", calls[dial->call - 1], strlen(calls[dial->call - 1]));
    if (dial->call != WORLD_SOCKET_ACCEPT)
        trace_str(trace, "address", request->data, request->size);
    trace_end(trace);
}

void rw_socket_trace(struct real *world, const char *ev, uint64_t number)
{
    struct trace *trace = rw_trace(world, ev, number);
    if (trace)
        trace_end(trace);
}

int32_t rw_socket_error(int code)
{
    switch (code) {
    case UV_EPIPE: case UV_ECONNRESET: case UV_ECONNABORTED: case UV_ENOTCONN: return -ECONNRESET;
    case UV_EAI_NONAME: case UV_EAI_NODATA: case UV_EAI_FAIL: case UV_EAI_AGAIN: return -ENXIO;
    case UV_EADDRINUSE: return -EADDRINUSE;
    case UV_ECONNREFUSED: return -ECONNREFUSED;
    case UV_ETIMEDOUT: case UV_EHOSTUNREACH: case UV_ENETUNREACH: return -ETIMEDOUT;
    case UV_EMFILE: case UV_ENFILE: return -EMFILE;
    case UV_EACCES: case UV_EPERM: return -EACCES;
    case UV_ENOMEM: return -ENOMEM;
    default: return code < 0 ? -ECONNRESET : 0;
    }
}

void rw_dial_end(struct real *world, struct dial *dial, int32_t rc)
{
    struct trace *trace = dial->call == WORLD_SOCKET_ACCEPT || dial->call == WORLD_SOCKET_CONNECT
        ? rc == -ECANCELED ? NULL : rw_trace(world, "socket.end", dial->operation.id) : NULL;
    if (trace) {
        trace_int(trace, "rc", rc);
        trace_end(trace);
    }
    if (!dial->operation.over)
        rw_operation_end(world, &dial->operation, rc);
}

/* "HOST:PORT", a port of digits. False: it is none. */
bool rw_address_split(const char *data, size_t size, char host[MOST_ADDRESS], char port[8])
{
    char text[MOST_ADDRESS];
    if (size == 0 || size >= sizeof text)
        return false;
    memcpy(text, data, size);
    text[size] = '\0';
    char *colon = strrchr(text, ':');
    size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;
    if (!digits || digits > 5 || colon[1 + digits] || strlen(text) != size)
        return false;
    *colon = '\0';
    snprintf(port, 8, "%s", colon + 1);
    bool six = text[0] == '[' && colon[-1] == ']';
    if (six)
        colon[-1] = '\0';
    snprintf(host, MOST_ADDRESS, "%s", text + six);
    return atol(port) <= 65535;
}

/* ---- Calls ---------------------------------------------------------------- */

static void tell(struct real *world, const struct world_request *request)
{
    struct link *link = rw_table_find(&world->links, request->file);
    struct listener *listener = rw_table_find(&world->listeners, request->file);
    if (listener && request->call == WORLD_SOCKET_CLOSE) {
        rw_listener_close(world, listener);
    } else if (link && request->call == WORLD_SOCKET_CLOSE) {
        rw_link_leave(world, link);
    } else if (link && request->call == WORLD_SOCKET_READ) {
        link->room += (size_t)request->count;
        rw_link_read_on(link);
    } else if (link) {
        rw_link_finish(link);
    }
}

uint64_t rw_dial_submit(struct real *world, const struct world_request *request)
{
    if (request->call >= WORLD_SOCKET_READ) {
        tell(world, request);
        return ++world->last_id;
    }
    struct dial *dial = (struct dial *)rw_operation_new(world, request, sizeof *dial);
    if (!dial)
        return 0;
    dial->call = request->call;
    dial->window = request->window;
    if (dial->call != WORLD_SOCKET_WRITE)
        trace_start(world, dial, request);
    switch (dial->call) {
    case WORLD_SOCKET_LISTEN: rw_dial_end(world, dial, rw_listener_open(world, dial, request)); break;
    case WORLD_SOCKET_ACCEPT: rw_listener_let_in(world, dial, request->file); break;
    case WORLD_SOCKET_CONNECT: rw_link_connect(world, dial, request); break;
    default: rw_link_write(world, dial, request);
    }
    return dial->operation.id;
}

void rw_dial_cancel(struct real *world, struct dial *dial)
{
    rw_listener_forget(world, dial);
    rw_dial_end(world, dial, -ECANCELED);
}

void rw_dial_give(struct dial *dial, struct world_completion *out)
{
    struct link *link = dial->link;
    out->parts = dial->operation.over ? WORLD_END : 0;
    out->rc = dial->operation.over ? dial->operation.rc : 0;
    if (!link)
        return;
    struct bytes shown = link->shown;
    shown.size = 0;
    link->shown = link->in;
    link->in = shown;
    if (link->open && !dial->head_handed) {
        out->parts |= WORLD_HEAD;
        out->head = (uint32_t)link->head;
        dial->head_handed = true;
    }
    out->data = link->shown.data;
    out->size = link->shown.size;
    if (out->size > out->head)
        out->parts |= WORLD_BODY;
    if (dial->operation.over) {
        link->dial = NULL;
        dial->link = NULL;
    }
}

void rw_dial_forget(struct dial *dial)
{
    if (dial->link)
        dial->link->dial = NULL;
    free(dial->data);
}

void rw_dials_close(struct real *world)
{
    for (size_t i = 0; world->links.slots && i <= world->links.mask; i++)
        if (world->links.slots[i].number)
            rw_link_close(world->links.slots[i].thing);
    for (size_t i = 0; world->listeners.slots && i <= world->listeners.mask; i++)
        if (world->listeners.slots[i].number)
            rw_listener_free(world->listeners.slots[i].thing);
    rw_table_free(&world->links);
    rw_table_free(&world->listeners);
}
