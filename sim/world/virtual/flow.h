/* flow.h - how the body of an answer flows: how much of it will come, when, and in which pieces. */
#ifndef FLOW_H
#define FLOW_H

#include "exchange.h"

#include <stdbool.h>
#include <stdint.h>

/* Inline are those that each request asks, as far as no fault strikes: that is what nearly all of them want to know. */

/* With a fault: the body ends before all of it has come; or, where nothing but the connection's end tells that it is
 * all, that end is none. */
bool vw_flow_fault_cuts(const struct exchange *exchange);
static inline bool vw_flow_is_cut(const struct exchange *exchange)
{
    return exchange->fault && vw_flow_fault_cuts(exchange);
}

/* How many bytes of the body will come before the end. */
static inline int64_t vw_flow_length(const struct exchange *exchange)
{
    int64_t all = exchange->head_only ? 0 : exchange->answer->body;
    return vw_flow_is_cut(exchange) && exchange->fault->after < all ? exchange->fault->after : all;
}

/* What the end of a cut body is: 0 or an error. */
int32_t vw_flow_cut_rc(const struct exchange *exchange);
/* What the end is. */
static inline int32_t vw_flow_rc(const struct exchange *exchange)
{
    return vw_flow_is_cut(exchange) ? vw_flow_cut_rc(exchange) : 0;
}

/* Whether it shares its site's link with others (link.c): then it takes as long as those let it. */
static inline bool vw_flow_is_linked(const struct exchange *exchange)
{
    return exchange->site->link.rate > 0 && !(exchange->fault && exchange->fault->kind == FAULT_DRIP);
}

/* How long it takes until the first `bytes` bytes of a flow are there; ns. */
int64_t vw_flow_time(const struct exchange *exchange, int64_t bytes);
/* Whether it takes no time at all. */
static inline bool vw_flow_is_at_once(const struct exchange *exchange)
{
    return !exchange->fault && (!exchange->route || exchange->route->bandwidth == VW_UNLIMITED);
}

/* When the first `bytes` bytes of the body are there, or were; VW_UNLIMITED: never. */
int64_t vw_flow_arrival(const struct exchange *exchange, int64_t bytes);
/* Whether all of the body leaves the server at its own pace, however slowly the program reads: what is not read the
 * kernels take. */
bool vw_flow_fits(const struct exchange *exchange);
/* How far the server may send for now; how much of the body is there when the next piece is. */
static inline int64_t vw_flow_limit(const struct exchange *exchange)
{
    return exchange->coming < exchange->window_end ? exchange->coming : exchange->window_end;
}
int64_t vw_flow_next(const struct exchange *exchange);
/* The same of a body on a link, for the link: up to where it may come, which the kernels' room decides, not the
 * program; and how much of it has come when the next piece has. */
int64_t vw_flow_room(const struct exchange *exchange);
int64_t vw_flow_next_linked(const struct exchange *exchange);
/* The program reads on, after it had let the window fill. */
void vw_flow_resume(struct exchange *exchange, int64_t now);

#endif
