/* blocking_kernel.c - waiting for signals, descriptors, child processes and file locks, caught at link time as the
 * calls in blocking.c are. What another process or a person can end is waited for in earnest, and how long that takes
 * only the machine knows.
 */
#define _GNU_SOURCE
#include "runtime/outside/blocking.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- Events and signals ------------------------------------------------------------------------------------ */

static int fail_with(int error)
{
    errno = error;
    return -1;
}

WRAP(int, epoll_wait, int epoll, struct epoll_event *events, int max, int ms)
{
    if (!simulated())
        return REALLY(int, __real_epoll_wait(epoll, events, max, ms), "epoll_wait");
    int ready = __real_epoll_wait(epoll, events, max, 0);
    if (ready == 0 && ms != 0)
        block_for(ms < 0 ? -1 : CO_MS(ms), "epoll_wait", CALLER);
    return ready;
}

WRAP(int, epoll_pwait, int epoll, struct epoll_event *events, int max, int ms, const sigset_t *mask)
{
    if (!simulated())
        return REALLY(int, __real_epoll_pwait(epoll, events, max, ms, mask), "epoll_pwait");
    int ready = __real_epoll_pwait(epoll, events, max, 0, mask);
    if (ready == 0 && ms != 0)
        block_for(ms < 0 ? -1 : CO_MS(ms), "epoll_pwait", CALLER);
    return ready;
}

static const struct timespec at_once = {0, 0};

#pragma weak __real_epoll_pwait2        /* glibc has it since 2.35 */
WRAP(int, epoll_pwait2, int epoll, struct epoll_event *events, int max, const struct timespec *timeout,
     const sigset_t *mask)
{
    if (!simulated() || (timeout && is_wrong(timeout)))
        return REALLY(int, __real_epoll_pwait2(epoll, events, max, timeout, mask), "epoll_pwait2");
    int ready = __real_epoll_pwait2(epoll, events, max, &at_once, mask);
    if (ready == 0)
        block_for(timeout ? from_timespec(timeout) : -1, "epoll_pwait2", CALLER);
    return ready;
}

WRAP(int, sigtimedwait, const sigset_t *set, siginfo_t *info, const struct timespec *timeout)
{
    if (!simulated() || (timeout && is_wrong(timeout)))
        return REALLY(int, __real_sigtimedwait(set, info, timeout), "sigtimedwait");
    int number = __real_sigtimedwait(set, info, &at_once);
    if (number >= 0)
        return number;
    if (!timeout)
        co__report_blocked_for_ever("sigtimedwait", CALLER);
    stop_loop(from_timespec(timeout), "sigtimedwait", CALLER);
    return fail_with(EAGAIN);
}

WRAP(int, sigwaitinfo, const sigset_t *set, siginfo_t *info)
{
    if (!simulated())
        return REALLY(int, __real_sigwaitinfo(set, info), "sigwaitinfo");
    int number = __real_sigtimedwait(set, info, &at_once);
    if (number < 0)
        co__report_blocked_for_ever("sigwaitinfo", CALLER);
    return number;
}

WRAP(int, sigwait, const sigset_t *set, int *number)
{
    if (!simulated())
        return REALLY(int, __real_sigwait(set, number), "sigwait");
    *number = __real_sigtimedwait(set, NULL, &at_once);
    if (*number < 0)
        co__report_blocked_for_ever("sigwait", CALLER);
    return 0;
}

WRAP(int, sigsuspend, const sigset_t *mask)
{
    if (!simulated())
        return REALLY(int, __real_sigsuspend(mask), "sigsuspend");
    co__report_blocked_for_ever("sigsuspend", CALLER);
}

/* ---- Child processes, locks of files ------------------------------------------------------------------------ */

WRAP(pid_t, waitpid, pid_t pid, int *status, int options)
{
    if (!simulated())
        return REALLY(pid_t, __real_waitpid(pid, status, options), "waitpid");
    pid_t ended = __real_waitpid(pid, status, options | WNOHANG);
    return ended || (options & WNOHANG) ? ended : BY_MACHINE(pid_t, __real_waitpid(pid, status, options), "waitpid");
}

WRAP(pid_t, wait, int *status)
{
    if (!simulated())
        return REALLY(pid_t, __real_wait(status), "wait");
    pid_t ended = __real_waitpid(-1, status, WNOHANG);
    return ended ? ended : BY_MACHINE(pid_t, __real_wait(status), "wait");
}

WRAP(pid_t, wait4, pid_t pid, int *status, int options, struct rusage *usage)
{
    if (!simulated())
        return REALLY(pid_t, __real_wait4(pid, status, options, usage), "wait4");
    pid_t ended = __real_wait4(pid, status, options | WNOHANG, usage);
    return ended || (options & WNOHANG) ? ended : BY_MACHINE(pid_t, __real_wait4(pid, status, options, usage), "wait4");
}

WRAP(int, waitid, idtype_t kind, id_t id, siginfo_t *info, int options)
{
    if (!simulated())
        return REALLY(int, __real_waitid(kind, id, info, options), "waitid");
    siginfo_t seen;
    memset(&seen, 0, sizeof seen);
    bool waits = __real_waitid(kind, id, &seen, options | WNOHANG | WNOWAIT) == 0 && seen.si_pid == 0 &&
                 !(options & WNOHANG);
    return waits ? BY_MACHINE(int, __real_waitid(kind, id, info, options), "waitid")
                 : __real_waitid(kind, id, info, options);
}

/* What `lock` asks for is tried with `attempt`; if that says that another process has it, `lock` waits for it. */
#define LOCK(attempt, lock, name) __extension__({ \
    int rc_ = (attempt); \
    rc_ == 0 || (errno != EACCES && errno != EAGAIN) ? rc_ : BY_MACHINE(int, (lock), (name)); \
})

#define LOCKF(name, offset) \
    WRAP(int, name, int fd, int how, offset length) \
    { \
        if (how != F_LOCK) \
            return __real_##name(fd, how, length); \
        if (!simulated()) \
            return REALLY(int, __real_##name(fd, how, length), "lockf"); \
        return LOCK(__real_##name(fd, F_TLOCK, length), __real_##name(fd, F_LOCK, length), "lockf"); \
    }
LOCKF(lockf, off_t)
#ifdef __GLIBC__
LOCKF(lockf64, off64_t)
#endif

/* Whatever the third argument is, it fits into a pointer, as it does in the C library. */
#define FCNTL(name) \
    WRAP(int, name, int fd, int how, ...) \
    { \
        va_list rest; \
        va_start(rest, how); \
        void *what = va_arg(rest, void *); \
        va_end(rest); \
        if (how != F_SETLKW && how != F_OFD_SETLKW) \
            return __real_##name(fd, how, what); \
        if (!simulated()) \
            return REALLY(int, __real_##name(fd, how, what), "fcntl"); \
        int try = how == F_SETLKW ? F_SETLK : F_OFD_SETLK; \
        return LOCK(__real_##name(fd, try, what), __real_##name(fd, how, what), "fcntl"); \
    }
FCNTL(fcntl)
#ifdef __GLIBC__
FCNTL(fcntl64)
#endif

WRAP(int, flock, int fd, int how)
{
    if (!simulated())
        return REALLY(int, __real_flock(fd, how), "flock");
    int rc = __real_flock(fd, how | LOCK_NB);
    return rc == 0 || errno != EWOULDBLOCK || (how & LOCK_NB) ? rc : BY_MACHINE(int, __real_flock(fd, how), "flock");
}

/* ---- Descriptors ------------------------------------------------------------------------------------------------ */

static bool would_wait(int fd)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && !(flags & O_NONBLOCK) && simulated() && ppoll(&one, 1, &at_once, NULL) == 0;
}

#define FROM_DESCRIPTOR(type, name, parameters, call) \
    type __real_##name parameters; \
    type __wrap_##name parameters; \
    type __wrap_##name parameters \
    { \
        if (!simulated()) \
            return REALLY(type, __real_##name call, #name); \
        return would_wait(fd) ? BY_MACHINE(type, __real_##name call, #name) : __real_##name call; \
    }
FROM_DESCRIPTOR(ssize_t, recv, (int fd, void *buffer, size_t size, int flags), (fd, buffer, size, flags))
FROM_DESCRIPTOR(ssize_t, recvfrom,
                (int fd, void *buffer, size_t size, int flags, struct sockaddr *from, socklen_t *length),
                (fd, buffer, size, flags, from, length))
FROM_DESCRIPTOR(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags))
FROM_DESCRIPTOR(int, accept, (int fd, struct sockaddr *from, socklen_t *length), (fd, from, length))
FROM_DESCRIPTOR(int, accept4, (int fd, struct sockaddr *from, socklen_t *length, int flags), (fd, from, length, flags))
FROM_DESCRIPTOR(ssize_t, readv, (int fd, const struct iovec *parts, int n), (fd, parts, n))
FROM_DESCRIPTOR(ssize_t, read, (int fd, void *buffer, size_t size), (fd, buffer, size))

/* Begun without waiting: only a connection that is not there at once is waited for. */
WRAP(int, connect, int fd, const struct sockaddr *to, socklen_t length)
{
    if (!simulated())
        return REALLY(int, __real_connect(fd, to, length), "connect");
    int flags = __real_fcntl(fd, F_GETFL);
    if (flags < 0 || (flags & O_NONBLOCK))
        return __real_connect(fd, to, length);
    __real_fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    int rc = __real_connect(fd, to, length), error = errno;
    __real_fcntl(fd, F_SETFL, flags);
    if (rc == 0 || (error != EINPROGRESS && error != EAGAIN))
        return errno = error, rc;
    return BY_MACHINE(int, __real_connect(fd, to, length), "connect");
}
