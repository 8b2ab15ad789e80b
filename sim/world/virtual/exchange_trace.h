/* exchange_trace.h - what the trace says of a request. There must be a trace. */
#ifndef EXCHANGE_TRACE_H
#define EXCHANGE_TRACE_H

#include "exchange.h"

#include <stdint.h>

/* An event that says no more than which request it is about. */
void vw_exchange_trace(const struct world *world, const struct exchange *exchange, const char *ev);
void vw_exchange_trace_start(const struct world *world, const struct exchange *exchange,
                             const struct world_request *request);
void vw_exchange_trace_end(const struct world *world, const struct exchange *exchange, int32_t rc);

#endif
