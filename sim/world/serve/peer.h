/* peer.h - one client's connection, and the site it came to. */
#ifndef PEER_H
#define PEER_H

#include "../virtual/network.h"
#include "clock.h"

#include <uv.h>

/* What all connections to one world share. */
struct served {
    struct clock clock;             /* first, so that a struct clock * is a struct served *      */
    uint32_t sessions;              /* the newest connection's number                           */
    struct peer *peers;             /* all connections                                           */
};

/* Where one site is served. */
struct listener {
    struct listener *next;
    struct served *served;
    struct site *site;
    uv_tcp_t socket;
    int port;                       /* 0: its host has no address                               */
};

/* A client has come: libuv calls it for a listener's socket, whose `data` is the listener. */
void peer_accept(uv_stream_t *socket, int status);
/* The world has completed something of what a peer asked for: a clock's `deliver`. */
void peer_deliver(const struct world_completion *completion);

/* The world's servers may have closed connections that lay idle: those are closed. A clock's `settled`. */
void peers_settle(struct clock *clock);

#endif
