/* exchange.h - one HTTP request and its answer. */
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include "network.h"
#include "operation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pool;
struct world;

/* What an exchange does at its next step. */
enum phase {
    PHASE_BEGIN,       /* sets out: it has a connection of its session, or may open one */
    PHASE_CONNECT,     /* the server learns of the connection                       */
    PHASE_ESTABLISH,   /* the connection is there                                   */
    PHASE_UPLOAD,      /* the last of its body has left the program, over a link    */
    PHASE_ARRIVE,      /* the request reaches the server                            */
    PHASE_ADMIT,       /* it has waited as long as the server's rate wants            */
    PHASE_SERVED,      /* a worker has its answer ready                             */
    PHASE_SENT,        /* the last of a short body leaves the worker, and nothing is there yet */
    PHASE_HEAD,        /* the head of the answer reaches the program                */
    PHASE_BODY,        /* more of the body reaches it                               */
    PHASE_ALL_SENT,    /* the last of the body leaves the server, and not all of it is there */
    PHASE_LOST,        /* the program learns that its connection was closed, and no answer will come */
    PHASE_HUNG,        /* nothing, ever                                             */
};

/* A body that leaves its server over a link. */
struct leaving {
    /* How far `served` must come until it has left, as far as it may: up to byte `room`. */
    __int128 target;
    int64_t room;
    struct exchange *next;
};

struct exchange {
    struct operation operation;
    enum phase phase;
    /* What is wrong with the connection, if it must fail: -ECONNREFUSED, -ENXIO; else 0. */
    int32_t connect_rc;
    /* Where it goes; NULL: a host that nobody has. */
    struct site *site;
    /* NULL: the site has no such path. */
    struct route *route;
    /* What the server sends: the route's answer, or one of `exceptions`. */
    const struct answer *answer;
    /* The same, where it gets none of the route's turns. */
    const struct answer *own;
    /* The route's fault, if it strikes this time; else NULL. */
    const struct fault *fault;
    /* Its chances were drawn. */
    bool drawn;
    /* It was asked for with HEAD: the answer has no body. */
    bool head_only;
    /* The request lacks a header that the route requires; it is refused before its body is there. */
    bool unauthorized, early;
    /* It counts among its pool's connections; among its site's; among the site's busy workers, and busy hands. */
    bool in_pool, in_site, at_work, has_hand;
    /* Its body is one of its site's departures. */
    bool departs;
    /* One of the program's descriptors is its connection's. */
    bool has_socket;
    /* Its connection was used before; the server will have closed it when the request arrives. */
    bool reused, stale;
    /* The server closed its connection behind the answer. */
    bool closed;
    /* It has come as far as `window_end`, and stopped. */
    bool stopped;
    /* How often it was sent again, and how often its connection was asked for. */
    uint8_t resent, tries;
    /* Whether it may be sent a second time. */
    enum world_sending sending;
    /* How many connections its pool may have; 0: no limit. */
    uint32_t max_per_host;
    /* The link that it is on; NULL: none. */
    struct link *link;
    /* The number of its connection; 0: not yet, or no more. And how many requests that one has served. */
    uint64_t connection;
    int64_t uses;
    /* Since when the connection waits to be accepted; -1: it does not, or did not have to. */
    int64_t connected_at;
    /* The connections of its session to this site; NULL: it has one of its own, or has ended. */
    struct pool *pool;
    /* How long it takes to send the request's body, and how long the worker takes. */
    int64_t upload, latency;
    /* How many bytes of the body have arrived, how many will have with the piece
     * on its way, and how many in the end. */
    int64_t arrived, on_its_way, coming;
    /* Of a body on a link: how many have come over it; those that are no part of `arrived` are in the kernels. */
    int64_t came;
    /* Since when the body flows without a stop, and from which byte on. */
    int64_t flow_at, flow_from;
    /* Up to which byte the server may send (VW_UNLIMITED: to the end). */
    int64_t window_end;
    /* What `echoed` consists of, to be freed; NULL: there is none. */
    char *echo;
    /* The answer when it is nobody's: 304, 401, 404, 405, 429, with its headers in `text`. */
    struct answer exception;
    char text[64];
    /* The answer that is this request's alone: it sends the request's body back, or a part of the route's. */
    struct answer echoed;
    /* Its neighbours on its link, and how far `served` there must come for what it wants. */
    struct exchange *link_next, *link_prev;
    __int128 target;
    struct leaving leaving;
    /* Where requests share a link: how many bytes of its own body leave over it, and how many have still to. */
    int64_t sends, unsent;
};

/* Starts the exchange the request asks for. Returns its id, 0: no memory. */
uint64_t vw_exchange_submit(struct world *world, const struct world_request *request);
/* Takes steps until one must wait for time to pass, or for somebody else. */
void vw_exchange_step(struct world *world, struct exchange *exchange);
void vw_exchange_cancel(struct world *world, struct exchange *exchange);
/* The program has read `count` bytes more of its body. */
void vw_exchange_read(struct world *world, struct exchange *exchange, uint64_t count);
/* What its answer costs the program's CPU, when it ended with rc. */
int64_t vw_exchange_cpu(const struct exchange *exchange, int32_t rc);

#endif
