/* departure.h - when the bodies on a link have left their server. */
#ifndef DEPARTURE_H
#define DEPARTURE_H

#include "exchange.h"

struct world;

/* An answer with a body is ready: it begins to leave. Only where the site counts requests in hand (limit_conn). */
void vw_departure_begin(struct world *world, struct exchange *exchange);
/* The program has read some of it: more may leave. */
void vw_departure_go_on(struct world *world, struct exchange *exchange);
/* It leaves no more, whatever is left of it. */
void vw_departure_end(struct world *world, struct exchange *exchange);
/* Gives back the hands of those whose last byte has left by now. */
void vw_departures_settle(struct world *world, struct site *site);

#endif
