/* link.h - a link that bodies share. */
#ifndef LINK_H
#define LINK_H

#include "exchange.h"

#include <stdint.h>

struct world;

/* The exchange wants so many bytes more (below 0: fewer) of a body over the link. Returns how long until they are
 * there, if nothing changes meanwhile; whatever changes moves its event. */
int64_t vw_link_want(struct world *world, struct link *link, struct exchange *exchange, int64_t bytes);
/* How many of the bytes that it wants are still to come. */
int64_t vw_link_left(struct world *world, struct exchange *exchange);
/* It wants none, now or ever: those that remain get more. */
void vw_link_leave(struct world *world, struct exchange *exchange);

#endif
