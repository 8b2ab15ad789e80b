/* flow.h - how the body of an answer flows: how much of it will come, when, and in which pieces. */
#ifndef FLOW_H
#define FLOW_H

#include "exchange.h"

#include <stdbool.h>
#include <stdint.h>

/* The body ends before all of it has come; or, where nothing but the connection's end tells that it is all, that end is
 * none. */
bool vw_flow_is_cut(const struct exchange *exchange);
/* How many bytes of the body will come before the end. */
int64_t vw_flow_length(const struct exchange *exchange);
/* What the end is: 0 or an error. */
int32_t vw_flow_rc(const struct exchange *exchange);
/* Whether it shares its site's link with others (link.c): then it takes as long as those let it. */
bool vw_flow_is_linked(const struct exchange *exchange);
/* How long it takes until the first `bytes` bytes of a flow are there; ns. */
int64_t vw_flow_time(const struct exchange *exchange, int64_t bytes);
/* When the first `bytes` bytes of the body are there, or were; VW_UNLIMITED: never. */
int64_t vw_flow_arrival(const struct exchange *exchange, int64_t bytes);
/* Whether all of the body leaves the server at its own pace, however slowly the program reads: what is not read the
 * kernels take. */
bool vw_flow_fits(const struct exchange *exchange);
/* How far the server may send for now; how much of the body is there when the next piece is. */
int64_t vw_flow_limit(const struct exchange *exchange);
int64_t vw_flow_next(const struct exchange *exchange);
/* The same of a body on a link, for the link: up to where it may come, which the kernels' room decides, not the
 * program; and how much of it has come when the next piece has. */
int64_t vw_flow_room(const struct exchange *exchange);
int64_t vw_flow_next_linked(const struct exchange *exchange);
/* The program reads on, after it had let the window fill. */
void vw_flow_resume(struct exchange *exchange, int64_t now);

#endif
