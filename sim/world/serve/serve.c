/* serve.c - `make serve`: opens a world file, listens for each of its sites, and
 * leads the world's clock by the real one.
 *
 *     serve WORLD.json
 *
 * Prints where each site is, then one line CO_CONNECT_TO=..., which tells a program in the real world where to find
 * them; then serves until Ctrl-C. Exit code 0, or 2 with one line on stderr.
 *
 * The virtual world itself does the thinking. It is opened as ever, but its clock is led by the real one: whatever
 * comes in on a real connection is submitted to it at the instant at which it came, and whatever it completes is
 * written at the instant at which it says so. So latencies, drips, faults, limits and queues are the very ones that a
 * program meets in simulation, by one piece of code.
 *
 *     a client ──▶ peer.c: a connection ──submit──▶ the virtual world
 *              ◀──                      ◀──wait────  (clock.c: up to now, then an alarm for its next event)
 *
 * A connection is a session of its own there, with one connection to its site: setting that up costs what the world
 * file says, for the first request, as it would have cost the client.
 */
#include "../virtual/virtual.h"
#include "clock.h"
#include "peer.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { QUEUE = 4096 };

struct server {
    struct served served;
    uv_loop_t loop;
    uv_signal_t ends[2];            /* Ctrl-C and SIGTERM                                       */
    struct listener *listeners;
};

/* ---- Listening ------------------------------------------------------------------------------------- */

static bool always(const struct fault *fault, enum fault_kind kind)
{
    return fault->kind == kind && fault->when.times == VW_UNLIMITED && !fault->when.by_chance;
}

/* Takes a free port. A site that refuses everybody keeps its port without
 * listening at it, which is how a kernel refuses. */
static int listen_for(struct server *server, struct site *site)
{
    struct listener *listener = calloc(1, sizeof *listener);
    struct sockaddr_in address;
    int size = sizeof address, rc = listener ? 0 : UV_ENOMEM;
    if (rc < 0)
        return rc;
    listener->next = server->listeners;
    server->listeners = listener;
    listener->served = &server->served;
    listener->site = site;
    listener->socket.data = listener;
    uv_ip4_addr("127.0.0.1", 0, &address);
    uv_tcp_init(&server->loop, &listener->socket);
    rc = uv_tcp_bind(&listener->socket, (const struct sockaddr *)&address, 0);
    if (rc == 0 && !always(&site->fault, FAULT_REFUSED) && !always(&site->fault, FAULT_UNRESOLVED))
        rc = uv_listen((uv_stream_t *)&listener->socket, QUEUE, peer_accept);
    if (rc == 0)
        rc = uv_tcp_getsockname(&listener->socket, (struct sockaddr *)&address, &size);
    if (rc == 0 && !always(&site->fault, FAULT_UNRESOLVED))
        listener->port = ntohs(address.sin_port);
    return rc;
}

static void tell(const struct server *server)
{
    for (const struct listener *at = server->listeners; at; at = at->next)
        if (at->port)
            printf("%s is at 127.0.0.1:%d\n", at->site->url, at->port);
        else
            printf("%s has no address\n", at->site->url);
    printf("CO_CONNECT_TO=");
    for (const struct listener *at = server->listeners; at; at = at->next) {
        printf("%s%s:%u=", at == server->listeners ? "" : ",", at->site->origin + strlen("http://"), at->site->port);
        if (at->port)
            printf("127.0.0.1:%d", at->port);
    }
    printf("\n");
    fflush(stdout);
}

/* ---- Beginning and ending ----------------------------------------------------------------------------- */

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "serve: %s: %s\n", what, why);
    return 2;
}

static void on_end(uv_signal_t *signal, int number)
{
    (void)number;
    uv_stop(signal->loop);
}

/* The clock, and the two signals that end it. */
static int prepare(struct server *server)
{
    static const int signals[] = {SIGINT, SIGTERM};
    int rc = uv_loop_init(&server->loop);
    if (rc == 0)
        rc = clock_prepare(&server->served.clock, &server->loop);
    for (int i = 0; rc == 0 && i < 2; i++) {
        uv_signal_init(&server->loop, &server->ends[i]);
        rc = uv_signal_start(&server->ends[i], on_end, signals[i]);
    }
    signal(SIGPIPE, SIG_IGN);
    return rc;
}

int main(int argc, char **argv)
{
    static struct server server;
    char error[512];
    if (argc != 2)
        return fail("usage", "serve WORLD.json");
    server.served.clock = (struct clock){.world = world_virtual_open(argv[1], 0, NULL, NULL, error, sizeof error),
                                         .deliver = peer_deliver, .settled = peers_settle};
    if (!server.served.clock.world)
        return fail("the world", error);
    struct network *network = &((struct world *)server.served.clock.world)->network;
    network->descriptors = 0;           /* the limit is the client's */
    int rc = prepare(&server);
    if (rc < 0)
        return fail("libuv", uv_strerror(rc));
    for (size_t i = 0; i < network->site_count; i++) {
        struct site *site = &network->sites[i];
        if (strncmp(site->origin, "http://", strlen("http://")) != 0)
            return fail(site->url, "only http:// can be served");
        if ((rc = listen_for(&server, site)) < 0)
            return fail(site->url, uv_strerror(rc));
    }
    clock_begin(&server.served.clock);
    tell(&server);
    uv_run(&server.loop, UV_RUN_DEFAULT);
    return 0;       /* whatever is open, the kernel closes */
}
