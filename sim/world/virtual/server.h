/* server.h - what requests to one site compete for. */
#ifndef SERVER_H
#define SERVER_H

#include "exchange.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct world;

/* Whether the connection is accepted: 1 now (a server without room closes one that lies idle); 0 not yet, it stands in
 * line; -EAGAIN: the line is full, and nothing is answered. */
int vw_server_accept(struct world *world, struct exchange *exchange);
/* A connection is gone; the next in line gets its place. */
void vw_server_closed(struct world *world, struct site *site);
/* A request comes in. 0: accepted; else how long, in ns, until the limit would let it in. */
int64_t vw_server_rate(struct world *world, struct site *site);
/* The same for its bucket, and *delay says how long who is accepted has to wait. */
int64_t vw_server_leak(struct world *world, struct site *site, int64_t *delay);
/* Whether a hand is free for the exchange, which has it then; and that it is done with. */
bool vw_server_take_hand(struct exchange *exchange);
void vw_server_drop_hand(struct exchange *exchange);
/* Gives the exchange a worker, or lets it stand in line: false. */
bool vw_server_take_worker(struct exchange *exchange);
/* Gives the worker back; returns who gets it next, or NULL. */
struct exchange *vw_server_release_worker(struct exchange *exchange);

#endif
