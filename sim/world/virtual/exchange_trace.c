/* exchange_trace.c - what the trace says of a request. */
#include "exchange_trace.h"

#include "virtual.h"

void vw_exchange_trace(const struct world *world, const struct exchange *exchange, const char *ev)
{
    trace_begin(world->trace, world->now, TRACE_WORLD, ev);
    trace_int(world->trace, "op", (int64_t)exchange->operation.id);
    trace_end(world->trace);
}

void vw_exchange_trace_start(const struct world *world, const struct exchange *exchange,
                             const struct world_request *request)
{
    const char *method = request->data, *url = method + request->lengths[0];
    trace_begin(world->trace, world->now, TRACE_WORLD, "http.start");
    trace_int(world->trace, "op", (int64_t)exchange->operation.id);
    trace_int(world->trace, "task", request->task);
    if (request->program)
        trace_int(world->trace, "program", request->program);
    trace_str(world->trace, "url", url, request->lengths[1]);
    trace_str(world->trace, "method", method, request->lengths[0]);
    if (request->session)
        trace_int(world->trace, "session", request->session);
    if (request->lengths[3])
        trace_int(world->trace, "sent", request->lengths[3]);
    if (request->blocking)
        trace_int(world->trace, "blocking", 1);
    trace_end(world->trace);
}

void vw_exchange_trace_end(const struct world *world, const struct exchange *exchange, int32_t rc)
{
    int64_t cpu = vw_exchange_cpu(exchange, rc);
    trace_begin(world->trace, world->now, TRACE_WORLD, "http.end");
    trace_int(world->trace, "op", (int64_t)exchange->operation.id);
    trace_int(world->trace, "rc", rc);
    trace_int(world->trace, "status", exchange->phase >= PHASE_HEAD && exchange->answer ? exchange->answer->status : 0);
    trace_int(world->trace, "bytes", exchange->arrived);
    if (cpu > 0)
        trace_int(world->trace, "cpu", cpu);
    trace_end(world->trace);
}
