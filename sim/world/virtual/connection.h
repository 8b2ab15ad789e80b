/* connection.h - connections, and the sessions that keep them. */
#ifndef CONNECTION_H
#define CONNECTION_H

#include "exchange.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct world;

/* A connection that lies idle, since when, and for how many requests it was used. */
struct idle { uint64_t connection; int64_t since, uses; };

/* The sessions' connections to one site. */
struct pool {
    /* The site's next pool. */
    struct pool *next;
    struct site *site;
    /* Whose it is. */
    uint32_t session;
    /* The session was closed: connections that come back are closed, not kept. */
    bool closed;
    /* Its connections: in use, being opened, and idle. */
    int64_t count;
    /* The idle ones; the latest used is taken first. */
    struct idle *idle;
    int64_t idle_count, idle_room;
    /* Exchanges that wait for one of its connections. */
    struct line waiting;
};

/* Puts the exchange into its session's pool (session 0: none). False: no memory. */
bool vw_pool_join(struct exchange *exchange, uint32_t session);
/* Whether the exchange may set out: with an idle connection, or to open one. Else it stands in line. */
bool vw_pool_enter(struct world *world, struct exchange *exchange);
/* Its connection was used before and is gone: it goes on with another one, idle or yet to be opened. */
void vw_pool_again(struct world *world, struct exchange *exchange);
/* Closes the site's connection that has lain idle for longest, for want of room. False: there is none. */
bool vw_pools_drop_longest(struct world *world, struct site *site);
/* Whether the program may open one thing more: its connections and its files have a descriptor each. */
bool vw_has_descriptor(const struct world *world);
/* Takes one of the program's descriptors, until the connection is closed. 0, or -EMFILE: none is left. */
int32_t vw_socket_open(struct world *world, struct exchange *exchange);
/* The connection is set up. */
void vw_connection_opened(struct world *world, struct exchange *exchange);
/* The exchange no longer needs its connection, which is in order: it goes back to the session, or is closed. */
void vw_connection_keep(struct world *world, struct exchange *exchange);
/* The same, when the connection is not in order, or not there yet. */
void vw_connection_drop(struct world *world, struct exchange *exchange);
/* Closes the connection and nothing else: the exchange goes on and opens another. */
void vw_connection_close(struct world *world, struct exchange *exchange);
/* Has the session an idle connection to the site? */
bool vw_session_has_idle(const struct site *site, uint32_t session);
void vw_session_close(struct world *world, uint32_t session);
void vw_pools_free(struct site *site);

#endif
