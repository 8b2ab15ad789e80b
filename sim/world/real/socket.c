/* socket.c - curl's sockets and timers: curl says what it waits for, watch.c says when it is there.
 *
 * A connection's socket stays watched while it lies idle between two requests. One that never became a connection does
 * not whenever curl has no wish for it, as curl closes those without a word. The sockets are found by their descriptor.
 */
#include "real.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- Found by descriptor ---------------------------------------------------------------------------- */

struct socket *rw_socket_find(const struct real *world, curl_socket_t fd)
{
    const struct http *http = &world->http;
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
    struct socket *known = rw_socket_find(world, fd);
    if (known || fd < 0)
        return known;
    struct socket *socket = make_room(&world->http, fd) ? calloc(1, sizeof *socket) : NULL;
    if (!socket)
        return NULL;
    socket->world = world;
    socket->fd = fd;
    if (!rw_watch_begin(socket)) {
        free(socket);
        return NULL;
    }
    world->http.sockets[fd] = socket;
    return socket;
}

static void socket_free(struct socket *socket)
{
    socket->world->http.sockets[socket->fd] = NULL;
    rw_watch_end(socket);
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

/* The connection that the port is of, among the sockets opened last for a request: new, as it has no number yet. Where
 * only one was opened, there is no question which. */
static struct socket *opened_with(struct real *world, const curl_socket_t opened[2], int local)
{
    for (int i = 0; i < 2; i++) {
        struct socket *socket = rw_socket_of(world, opened[i]);
        if (socket && !socket->number && (opened[1] < 0 || local_port(opened[i]) == local))
            return socket;
    }
    return NULL;
}

struct socket *rw_socket_connected(struct real *world, const curl_socket_t opened[2], int local, int remote,
                                   bool *reused)
{
    struct socket *socket = opened_with(world, opened, local);
    if (socket) {
        socket->number = ++world->http.last_socket;
        socket->local_port = local;
        socket->remote_port = remote;
        return socket;
    }
    *reused = true;
    for (size_t fd = 0; world->trace && fd < world->http.socket_room; fd++) {
        socket = world->http.sockets[fd];
        if (socket && socket->number && socket->local_port == local && socket->remote_port == remote)
            return socket;
    }
    return NULL;
}

int rw_socket_close(void *argument, curl_socket_t fd)
{
    struct real *world = argument;
    struct socket *socket = rw_socket_find(world, fd);
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

static void act(struct session *session, curl_socket_t fd, int what)
{
    int under_way;
    curl_multi_socket_action(session->multi, fd, what, &under_way);
    rw_messages(session);
}

void rw_socket_ready(struct socket *socket, int what)
{
    act(socket->session, socket->fd, what);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *argument, void *assigned)
{
    struct session *session = argument;
    struct socket *socket = what == CURL_POLL_REMOVE ? rw_socket_find(session->world, fd)
        : rw_socket_of(session->world, fd);
    (void)easy, (void)assigned;
    if (what == CURL_POLL_REMOVE) {
        if (socket && !socket->number)
            socket_free(socket);
        else if (socket)
            rw_watch(socket, 0);
        return 0;
    }
    if (!socket)
        return -1;
    socket->session = session;
    int events = (what & CURL_POLL_IN ? CURL_CSELECT_IN : 0) | (what & CURL_POLL_OUT ? CURL_CSELECT_OUT : 0);
    return rw_watch(socket, events) ? 0 : -1;
}

static void on_time(uv_timer_t *timer)
{
    act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

/* What is due at once waits for no timer. */
static int on_timer(CURLM *multi, long ms, void *argument)
{
    struct session *session = argument;
    struct http *http = &session->world->http;
    (void)multi;
    if (ms > 0) {
        uv_update_time(&session->world->loop);
        return uv_timer_start(&session->timer, on_time, (uint64_t)ms, 0);
    }
    if (ms == 0 && !session->is_due) {
        session->is_due = true;
        session->next_due = http->due;
        http->due = session;
    }
    return uv_timer_stop(&session->timer);
}

void rw_sockets_act(struct real *world)
{
    struct session *session = world->http.due, *next;
    world->http.due = NULL;
    for (; session; session = next) {
        next = session->next_due;
        session->is_due = false;
        act(session, CURL_SOCKET_TIMEOUT, 0);
    }
}

void rw_sockets_detach(struct session *session)
{
    struct session **at = &session->world->http.due;
    while (*at && *at != session)
        at = &(*at)->next_due;
    if (*at)
        *at = session->next_due;
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
