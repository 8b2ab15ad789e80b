/* serve.h - a world served for real: HTTP servers on the loopback that behave as a world file says.
 *
 * The virtual world itself does the thinking. It is opened as ever, but its clock is led by the real one: whatever
 * comes in on a real connection is submitted to it at the instant at which it came, and whatever it completes is
 * written at the instant at which it says so. So latencies, drips, faults, limits and queues are the very ones that a
 * program meets in simulation, by one piece of code.
 *
 *     a client ──▶ peer.c: a connection ──submit──▶ the virtual world
 *              ◀──                      ◀──wait────  (serve.c: up to now, then an alarm for its next event)
 *
 * A connection is a session of its own there, with one connection to its site: setting that up costs what the world
 * file says, for the first request, as it would have cost the client.
 */
#ifndef SERVE_H
#define SERVE_H

#include "../virtual/virtual.h"

#include <uv.h>

struct server {
    struct co_world *world;
    struct world *inside;           /* the same, for a look at its sites                        */
    uv_loop_t loop;
    uv_poll_t alarm;
    int alarm_fd;
    uint64_t begin;                 /* uv_hrtime when the world's clock stood at 0              */
    uint32_t sessions;              /* the newest connection's number                           */
    uv_signal_t ends[2];            /* Ctrl-C and SIGTERM                                       */
    struct listener *listeners;
    bool catching_up;               /* serve_catch_up is at work: what it writes may lead to it again */
};

/* Where one site is served. */
struct listener {
    struct listener *next;
    struct server *server;
    struct site *site;
    uv_tcp_t socket;
    int port;                       /* 0: its host has no address                               */
};

/* ---- serve.c ---------------------------------------------------------------------------------- */

/* Leads the world's clock up to now, and writes what it has completed until then. */
void serve_catch_up(struct server *server);

/* ---- peer.c ----------------------------------------------------------------------------------- */

/* A client has come. */
void peer_accept(uv_stream_t *socket, int status);
/* The world has completed something of what a peer asked for. */
void peer_deliver(const struct world_completion *completion);

#endif
