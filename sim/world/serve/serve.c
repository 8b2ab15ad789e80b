/* serve.c - `make serve`: opens a world file, listens for each of its sites, and
 * leads the world's clock by the real one.
 *
 *     serve WORLD.json
 *
 * Prints where each site is, then one line CO_CONNECT_TO=..., which tells a program in the real world where to find
 * them; then serves until Ctrl-C. Exit code 0, or 2 with one line on stderr.
 */
#include "serve.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { QUEUE = 4096, AT_ONCE = 64 };

/* ---- The clock ------------------------------------------------------------------------------------ */

static int64_t real_now(const struct server *server)
{
    return (int64_t)(uv_hrtime() - server->begin);
}

/* Rings at the world's next event. */
static void set_alarm(struct server *server)
{
    int64_t next = world_virtual_next(server->world);
    struct itimerspec when = {0};
    if (next != INT64_MAX) {
        uint64_t ns = server->begin + (uint64_t)next;
        when.it_value = (struct timespec){.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};
    }
    timerfd_settime(server->alarm_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

void serve_catch_up(struct server *server)
{
    struct world_completion out[AT_ONCE];
    int64_t now = real_now(server);
    if (server->catching_up)
        return;
    server->catching_up = true;
    for (size_t n; (n = server->world->wait(server->world, now, out, AT_ONCE)) > 0;)
        for (size_t i = 0; i < n; i++)
            peer_deliver(&out[i]);
    server->catching_up = false;
    set_alarm(server);
}

static void on_alarm(uv_poll_t *alarm, int status, int events)
{
    struct server *server = alarm->data;
    uint64_t times;
    (void)status, (void)events;
    if (read(server->alarm_fd, &times, sizeof times) == (ssize_t)sizeof times)
        serve_catch_up(server);
}

/* ---- Listening ------------------------------------------------------------------------------------- */

static bool always(const struct fault *fault, enum fault_kind kind)
{
    return fault->kind == kind && fault->times == VW_UNLIMITED && !fault->by_chance;
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
    listener->server = server;
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

/* The wake-up, and the two signals that end it. */
static int prepare(struct server *server)
{
    static const int signals[] = {SIGINT, SIGTERM};
    int rc = uv_loop_init(&server->loop);
    server->alarm_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (rc < 0 || server->alarm_fd < 0)
        return rc < 0 ? rc : -errno;
    server->alarm.data = server;
    rc = uv_poll_init(&server->loop, &server->alarm, server->alarm_fd);
    if (rc == 0)
        rc = uv_poll_start(&server->alarm, UV_READABLE, on_alarm);
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
    server.world = world_virtual_open(argv[1], 0, NULL, NULL, error, sizeof error);
    if (!server.world)
        return fail("the world", error);
    server.inside = (struct world *)server.world;
    int rc = prepare(&server);
    if (rc < 0)
        return fail("libuv", uv_strerror(rc));
    for (size_t i = 0; i < server.inside->network.site_count; i++) {
        struct site *site = &server.inside->network.sites[i];
        if (strncmp(site->origin, "http://", strlen("http://")) != 0)
            return fail(site->url, "only http:// can be served");
        if ((rc = listen_for(&server, site)) < 0)
            return fail(site->url, uv_strerror(rc));
    }
    server.begin = uv_hrtime();
    tell(&server);
    uv_run(&server.loop, UV_RUN_DEFAULT);
    return 0;       /* whatever is open, the kernel closes */
}
