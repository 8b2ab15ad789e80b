/* flow.c - how the body of an answer flows.
 *
 * The server sends at its own pace: flow_from bytes were there at flow_at, and what follows takes its time from then
 * on. A program that reads slowly does not stop it at once. First the kernels on the way fill up, and only when they
 * are full, the server waits; then the flow starts anew when the program reads.
 */
#include "flow.h"

#include "network.h"
#include "schedule.h"
#include "unit.h"

#include <errno.h>

enum {
    /* Bytes that the socket buffers of both ends take: measured with Linux 6.18 on the loopback. */
    KERNEL = 2900000,
    /* What arrives within a millisecond is read as one piece: at least a TCP segment, at most what libcurl hands over
     * at a time. */
    SEGMENT = 1448, HANDED_OVER = 16384,
};

bool vw_flow_fault_cuts(const struct exchange *exchange)
{
    const struct fault *fault = exchange->fault;
    return (fault->kind == FAULT_RESET || fault->kind == FAULT_TRUNCATE) && !exchange->head_only
        && (fault->after < exchange->answer->body
            || (fault->kind == FAULT_RESET && exchange->answer->framing == FRAMED_CLOSE));
}

/* Who has all of the answer does not mind that the connection is broken off then. Who was told no length takes what has
 * come for all. */
int32_t vw_flow_cut_rc(const struct exchange *exchange)
{
    if (exchange->fault->kind == FAULT_RESET)
        return -ECONNRESET;
    return exchange->answer->framing == FRAMED_CLOSE ? 0 : -EPROTO;
}

static bool drips(const struct exchange *exchange)
{
    return exchange->fault && exchange->fault->kind == FAULT_DRIP;
}

int64_t vw_flow_time(const struct exchange *exchange, int64_t bytes)
{
    if (drips(exchange))
        return vw_scale(bytes / exchange->fault->bytes + (bytes % exchange->fault->bytes != 0), exchange->fault->every,
                        1);
    if (exchange->route && exchange->route->bandwidth != VW_UNLIMITED)
        return vw_scale(bytes, VW_SECOND, exchange->route->bandwidth);
    return 0;
}

int64_t vw_flow_arrival(const struct exchange *exchange, int64_t bytes)
{
    int64_t more = bytes - exchange->flow_from;
    return more <= 0 ? exchange->flow_at : vw_later(exchange->flow_at, vw_flow_time(exchange, more));
}

/* A server that is served for real has real kernels before it. */
static int64_t kernels_of(const struct exchange *exchange)
{
    return exchange->sending == WORLD_ONCE_KEPT ? 0 : KERNEL;
}

bool vw_flow_fits(const struct exchange *exchange)
{
    return !vw_flow_is_linked(exchange)
        && vw_flow_length(exchange) <= vw_later(exchange->window_end, kernels_of(exchange));
}

/* In which pieces the body comes. Who takes it as a whole need not know. */
static int64_t piece_of(const struct exchange *exchange)
{
    if (drips(exchange))
        return exchange->fault->bytes;
    if (!exchange->route)
        return VW_UNLIMITED;
    const struct route *route = exchange->route;
    int64_t bandwidth = exchange->site->link.rate > 0 ? exchange->site->link.rate : route->bandwidth;
    if (route->chunk != VW_UNLIMITED || bandwidth == VW_UNLIMITED || exchange->window_end == VW_UNLIMITED)
        return route->chunk;
    int64_t piece = bandwidth / 1000;
    return piece < SEGMENT ? SEGMENT : piece > HANDED_OVER ? HANDED_OVER : piece;
}

int64_t vw_flow_next(const struct exchange *exchange)
{
    int64_t piece = piece_of(exchange), end = vw_flow_limit(exchange);
    return piece < end - exchange->arrived ? exchange->arrived + piece : end;
}

int64_t vw_flow_room(const struct exchange *exchange)
{
    int64_t room = vw_later(exchange->window_end, kernels_of(exchange));
    int64_t length = vw_flow_length(exchange);
    return room < length ? room : length;
}

int64_t vw_flow_next_linked(const struct exchange *exchange)
{
    bool is_wanted = exchange->came < exchange->window_end;
    int64_t piece = piece_of(exchange), end = is_wanted ? vw_flow_limit(exchange) : vw_flow_room(exchange);
    return piece < end - exchange->came ? exchange->came + piece : end;
}

void vw_flow_resume(struct exchange *exchange, int64_t now)
{
    int64_t full = vw_later(exchange->arrived, kernels_of(exchange));
    if (full > exchange->coming)
        full = exchange->coming;
    if (vw_flow_arrival(exchange, full) < now) {
        exchange->flow_at = now;
        exchange->flow_from = full;
    }
}
