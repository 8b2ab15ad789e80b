/* watch.c - waiting: for curl's sockets, for the alarm, and for all else that libuv waits for, in one call.
 *
 * On Linux that is epoll_wait, on a set of our own in which libuv's set lies as one descriptor among others. libuv's
 * uv_poll would ask the kernel eight times for a connection: it tries each new socket in its set, and takes it out and
 * puts it in again whenever other events are wanted. Here it is asked once when a socket comes, and once for each
 * change. A connection of which nothing is wanted for a while stays in the set: nearly always the next wish is the same
 * one, and if it fires meanwhile, it is taken out then. Elsewhere each socket has its uv_poll.
 */
#define _GNU_SOURCE     /* syscall */
#include "real.h"

#include <stdlib.h>

#ifdef RW_EPOLL

#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { AT_ONCE = 64 };                      /* events taken at a time */

/* Whose an event is, instead of a socket's descriptor. */
enum { LIBUV = -1, ALARM = -2 };

/* A descriptor's number may be another socket's by the time its event is looked at: with the serial it is not. */
static uint64_t tag_of(int fd, uint32_t serial)
{
    return (uint64_t)serial << 32 | (uint32_t)fd;
}

static bool add(const struct real *world, int fd, int whose)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = tag_of(whose, 0)};
    return epoll_ctl(world->set, EPOLL_CTL_ADD, fd, &event) == 0;
}

bool rw_watch_open(struct real *world)
{
    world->set = epoll_create1(EPOLL_CLOEXEC);
    uv_run(&world->loop, UV_RUN_NOWAIT);    /* only now its set has all that it waits for */
    return world->set >= 0 && add(world, uv_backend_fd(&world->loop), LIBUV);
}

void rw_watch_close(struct real *world)
{
    if (world->set >= 0)
        close(world->set);
}

bool rw_watch_alarm(struct real *world, int fd)
{
    return add(world, fd, ALARM);
}

bool rw_watch_begin(struct socket *socket)
{
    socket->serial = ++socket->world->last_serial;
    return true;
}

bool rw_watch(struct socket *socket, int events)
{
    socket->events = events;
    if (events == 0 || events == socket->watched)
        return true;
    struct epoll_event event = {.data.u64 = tag_of(socket->fd, socket->serial)};
    event.events = (events & CURL_CSELECT_IN ? EPOLLIN : 0u) | (events & CURL_CSELECT_OUT ? EPOLLOUT : 0u);
    int rc = epoll_ctl(socket->world->set, socket->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, socket->fd, &event);
    socket->watched = rc == 0 ? events : 0;
    return rc == 0;
}

static void take_out(struct socket *socket)
{
    if (socket->watched)
        epoll_ctl(socket->world->set, EPOLL_CTL_DEL, socket->fd, NULL);
    socket->watched = 0;
}

void rw_watch_end(struct socket *socket)
{
    take_out(socket);
    free(socket);
}

/* An error makes a socket ready for all: curl finds out about it by itself when it reads or writes. */
static void fire(struct real *world, const struct epoll_event *event)
{
    struct socket *socket = rw_socket_find(world, (int)(uint32_t)event->data.u64);
    bool has_error = event->events & (EPOLLERR | EPOLLHUP);
    if (!socket || socket->serial != event->data.u64 >> 32)
        return;
    if (socket->events == 0)
        take_out(socket);
    else
        rw_socket_ready(socket, (has_error || event->events & EPOLLIN ? CURL_CSELECT_IN : 0)
                                | (has_error || event->events & EPOLLOUT ? CURL_CSELECT_OUT : 0));
}

/* The system's own call: the program's epoll_wait is caught at link time. */
static int wait_for(int set, struct epoll_event events[AT_ONCE], int ms)
{
    return (int)syscall(SYS_epoll_pwait, set, events, AT_ONCE, ms, NULL, 0);
}

/* libuv is let run only if it has something to do: a timer is up, or one of its own descriptors is ready. */
void rw_watch_wait(struct real *world, bool wait)
{
    struct epoll_event events[AT_ONCE];
    uv_update_time(&world->loop);
    int timeout = uv_backend_timeout(&world->loop);
    int n = wait_for(world->set, events, wait ? timeout : 0);
    bool is_due = timeout == 0 || (wait && n == 0);
    for (int i = 0; i < n; i++)
        if (events[i].data.u64 == tag_of(LIBUV, 0))
            is_due = true;
        else if (events[i].data.u64 == tag_of(ALARM, 0))
            rw_alarm_rings(world);
        else
            fire(world, &events[i]);
    if (is_due)
        uv_run(&world->loop, UV_RUN_NOWAIT);
}

#else

bool rw_watch_open(struct real *world)
{
    (void)world;
    return true;
}

void rw_watch_close(struct real *world)
{
    (void)world;
}

bool rw_watch_begin(struct socket *socket)
{
    socket->poll.data = socket;
    return uv_poll_init_socket(&socket->world->loop, &socket->poll, socket->fd) == 0;
}

/* libuv has ceased to watch a socket with an error. */
static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct socket *socket = poll->data;
    struct real *world = socket->world;
    curl_socket_t fd = socket->fd;
    if (status < 0)
        socket->watched = 0;
    if (socket->events == 0) {
        uv_poll_stop(poll);
        socket->watched = 0;
        return;
    }
    rw_socket_ready(socket, (status < 0 || events & UV_READABLE ? CURL_CSELECT_IN : 0)
                            | (status < 0 || events & UV_WRITABLE ? CURL_CSELECT_OUT : 0));
    if (status < 0 && rw_socket_find(world, fd) == socket)
        rw_watch(socket, socket->events);
}

bool rw_watch(struct socket *socket, int events)
{
    socket->events = events;
    if (events == 0 || events == socket->watched)
        return true;
    int rc = uv_poll_start(&socket->poll, (events & CURL_CSELECT_IN ? UV_READABLE : 0)
                                          | (events & CURL_CSELECT_OUT ? UV_WRITABLE : 0), on_ready);
    socket->watched = rc == 0 ? events : 0;
    return rc == 0;
}

static void on_closed(uv_handle_t *poll)
{
    free(poll->data);
}

void rw_watch_end(struct socket *socket)
{
    uv_close((uv_handle_t *)&socket->poll, on_closed);
}

void rw_watch_wait(struct real *world, bool wait)
{
    world->polling = true;
    uv_run(&world->loop, wait ? UV_RUN_ONCE : UV_RUN_NOWAIT);
    world->polling = false;
}

#endif
