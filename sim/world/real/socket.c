/* socket.c - curl's sockets and timers in libuv's loop: curl says what it waits for, libuv says when it is there.
 *
 * A connection's socket keeps its place in libuv's loop while it lies idle between two requests: only what it is
 * watched for changes. One that never became a connection leaves the loop whenever curl has no wish for it, as curl
 * closes those without a word. The sockets are found by their descriptor.
 */
#include "real.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- Found by descriptor ---------------------------------------------------------------------------- */

static struct socket *find(struct real *world, curl_socket_t fd)
{
    struct http *http = &world->http;
    return fd >= 0 && (size_t)fd < http->socket_room ? http->sockets[fd] : NULL;
}

static bool make_room(struct http *http, curl_socket_t fd)
{
    size_t room = http->socket_room ? http->socket_room : 64;
    while (room <= (size_t)fd)
        room *= 2;
    if (room == http->socket_room)
        return true;
    struct socket **sockets = realloc(http->sockets, room * sizeof *sockets);
    if (!sockets)
        return false;
    memset(sockets + http->socket_room, 0, (room - http->socket_room) * sizeof *sockets);
    http->sockets = sockets;
    http->socket_room = room;
    return true;
}

struct socket *rw_socket_of(struct real *world, curl_socket_t fd)
{
    struct socket *known = find(world, fd);
    if (known || fd < 0)
        return known;
    struct socket *socket = make_room(&world->http, fd) ? calloc(1, sizeof *socket) : NULL;
    if (!socket || uv_poll_init_socket(&world->loop, &socket->poll, fd) < 0) {
        free(socket);
        return NULL;
    }
    socket->world = world;
    socket->fd = fd;
    socket->poll.data = socket;
    world->http.sockets[fd] = socket;
    return socket;
}

static void on_closed(uv_handle_t *poll)
{
    free(poll->data);
}

static void socket_free(struct socket *socket)
{
    socket->world->http.sockets[socket->fd] = NULL;
    uv_close((uv_handle_t *)&socket->poll, on_closed);
}

void rw_sockets_free(struct real *world)
{
    free(world->http.sockets);
}

/* ---- Connections: opened and closed for curl ----------------------------------------------------------- */

curl_socket_t rw_socket_open(struct real *world, const struct curl_sockaddr *address)
{
    if (!rw_served_socket(world, true)) {
        errno = EMFILE;
        return CURL_SOCKET_BAD;
    }
    int type = address->socktype;
#ifdef SOCK_CLOEXEC
    type |= SOCK_CLOEXEC;
#endif
    curl_socket_t fd = socket(address->family, type, address->protocol);
    if (fd >= 0)
        return fd;
    rw_served_socket(world, false);
    return CURL_SOCKET_BAD;
}

/* The local port of a descriptor; 0: it has none. */
static int local_port(curl_socket_t fd)
{
    struct sockaddr_storage name;
    socklen_t size = sizeof name;
    if (getsockname(fd, (struct sockaddr *)&name, &size) < 0)
        return 0;
    bool six = name.ss_family == AF_INET6;
    return ntohs(six ? ((struct sockaddr_in6 *)&name)->sin6_port : ((struct sockaddr_in *)&name)->sin_port);
}

struct socket *rw_socket_connected(struct real *world, const curl_socket_t opened[2], int local, int remote,
                                   bool *reused)
{
    for (int i = 0; i < 2; i++) {
        struct socket *socket = opened[i] >= 0 && local_port(opened[i]) == local ? rw_socket_of(world, opened[i])
            : NULL;
        if (!socket || socket->number)
            continue;
        socket->number = ++world->http.last_socket;
        socket->local_port = local;
        socket->remote_port = remote;
        return socket;
    }
    *reused = true;
    for (size_t fd = 0; world->trace && fd < world->http.socket_room; fd++) {
        struct socket *socket = world->http.sockets[fd];
        if (socket && socket->number && socket->local_port == local && socket->remote_port == remote)
            return socket;
    }
    return NULL;
}

int rw_socket_close(void *argument, curl_socket_t fd)
{
    struct real *world = argument;
    struct socket *socket = find(world, fd);
    if (socket && socket->number && rw_trace(world, "http.closed", 0)) {
        trace_int(world->trace, "conn", (int64_t)socket->number);
        trace_end(world->trace);
    }
    if (socket)
        socket_free(socket);        /* libuv lets go of it first */
    rw_served_socket(world, false);
    return close(fd);
}

/* ---- What curl waits for -------------------------------------------------------------------------------- */

static struct session *session_of(struct real *world, CURLM *multi)
{
    struct session *session = world->http.sessions;
    while (session && session->multi != multi)
        session = session->next;
    return session;
}

static void act(struct real *world, CURLM *multi, curl_socket_t fd, int what)
{
    int under_way;
    curl_multi_socket_action(multi, fd, what, &under_way);
    struct session *session = session_of(world, multi);
    if (session)
        rw_messages(session);
}

/* An error curl finds out about by itself when it reads or writes: told of one it would give up where it could try
 * again. libuv has ceased to watch a socket with an error. */
static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct socket *socket = poll->data;
    struct real *world = socket->world;
    curl_socket_t fd = socket->fd;
    int what = status < 0 ? CURL_CSELECT_IN | CURL_CSELECT_OUT : 0;
    if (events & UV_READABLE)
        what |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        what |= CURL_CSELECT_OUT;
    if (status < 0)
        socket->failed = true;
    act(world, socket->multi, fd, what);
    if (status < 0 && find(world, fd) == socket && socket->failed)
        uv_poll_start(&socket->poll, socket->events, on_ready);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *argument, void *assigned)
{
    struct session *session = argument;
    struct socket *socket = what == CURL_POLL_REMOVE ? find(session->world, fd) : rw_socket_of(session->world, fd);
    (void)easy, (void)assigned;
    if (what == CURL_POLL_REMOVE) {
        if (socket && socket->number) {
            uv_poll_stop(&socket->poll);
            socket->failed = false;
        } else if (socket) {
            socket_free(socket);
        }
        return 0;
    }
    if (!socket)
        return -1;
    socket->multi = session->multi;
    socket->failed = false;
    socket->events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    return uv_poll_start(&socket->poll, socket->events, on_ready) < 0 ? -1 : 0;
}

static void on_time(uv_timer_t *timer)
{
    struct session *session = timer->data;
    act(session->world, session->multi, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer(CURLM *multi, long ms, void *argument)
{
    struct session *session = argument;
    (void)multi;
    if (ms < 0)
        return uv_timer_stop(&session->timer);
    if (ms > 0)
        uv_update_time(&session->world->loop);
    return uv_timer_start(&session->timer, on_time, (uint64_t)ms, 0);
}

/* connections; what curl would keep by itself falls with the number of requests under way */
enum { MOST_IDLE = 1024 };

bool rw_sockets_attach(struct session *session)
{
    CURLM *multi = session->multi;
    session->timer.data = session;
    uv_timer_init(&session->world->loop, &session->timer);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, session);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, session);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)MOST_IDLE);
    return true;
}
