/* guest_trace.c - a client's lines of the trace. */
#include "virtual.h"
#include "wire.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_MOST = 1024 };          /* bytes of a message or a body that are told */

void vw_guest_name(const struct guest *guest, char name[VW_GUEST_NAME])
{
    if (guest->script->count == 1)
        snprintf(name, VW_GUEST_NAME, "%s", guest->script->name);
    else
        snprintf(name, VW_GUEST_NAME, "%.40s-%lld", guest->script->name, (long long)guest->number);
}

static struct trace *begin(const struct world *world, const struct guest *guest, const char *ev)
{
    char name[VW_GUEST_NAME];
    if (!world->trace)
        return NULL;
    vw_guest_name(guest, name);
    trace_begin(world->trace, world->now, TRACE_WORLD, ev);
    trace_str(world->trace, "client", name, strlen(name));
    return world->trace;
}

static void put_text(struct trace *trace, const void *text, size_t size)
{
    trace_int(trace, "bytes", (int64_t)size);
    if (size <= TEXT_MOST)
        trace_str(trace, "text", size ? text : "", size);
}

void vw_trace_guest(const struct world *world, const struct guest *guest, const char *ev, const char *what,
                    const void *text, size_t size)
{
    struct trace *trace = begin(world, guest, ev);
    if (!trace)
        return;
    if (what)
        trace_str(trace, "what", what, strlen(what));
    if (text)
        put_text(trace, text, size);
    trace_end(trace);
}

void vw_trace_answer(const struct world *world, const struct guest *guest)
{
    struct trace *trace = begin(world, guest, "client.got");
    if (!trace)
        return;
    trace_str(trace, "what", "answer", 6);
    trace_int(trace, "status", guest->status);
    trace_int(trace, "bytes", (int64_t)guest->body_size);
    if (guest->body_size == guest->shown.size)
        trace_str(trace, "text", guest->shown.size ? pt_bytes_begin(&guest->shown) : "", guest->shown.size);
    trace_end(trace);
}

void vw_trace_code(const struct world *world, const struct guest *guest, const char *ev, int code)
{
    struct trace *trace = begin(world, guest, ev);
    if (!trace)
        return;
    trace_str(trace, "what", "close", 5);
    trace_int(trace, "code", code);
    trace_end(trace);
}
