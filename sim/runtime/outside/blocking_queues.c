/* blocking_queues.c - waiting for other processes at the kernel's message queues and semaphores (System V's and
 * <mqueue.h>), caught at link time as the calls in blocking.c are. Each is tried first; one that has to wait waits in
 * earnest, and how long that takes only the machine knows.
 */
#define _GNU_SOURCE
#include "runtime/outside/blocking.h"

#include <fcntl.h>
#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>

static struct timespec long_ago;        /* {0, 0}; not const, as qemu's kernel writes it back */

/* The call, or, in a simulated loop, first the attempt, which fails with `busy` where the call would wait. */
#define TRY_FIRST(type, name, attempt, busy, call) __extension__({ \
    type tried_ = 0; \
    !simulated() ? REALLY(type, (call), name) \
    : (tried_ = (attempt)) != -1 || errno != (busy) ? tried_ : BY_MACHINE(type, (call), name); \
})

/* ---- System V ------------------------------------------------------------------------------------------------ */

WRAP(ssize_t, msgrcv, int queue, void *message, size_t size, long type, int flags)
{
    if (flags & IPC_NOWAIT)
        return __real_msgrcv(queue, message, size, type, flags);
    return TRY_FIRST(ssize_t, "msgrcv", __real_msgrcv(queue, message, size, type, flags | IPC_NOWAIT), ENOMSG,
                     __real_msgrcv(queue, message, size, type, flags));
}

WRAP(int, msgsnd, int queue, const void *message, size_t size, int flags)
{
    if (flags & IPC_NOWAIT)
        return __real_msgsnd(queue, message, size, flags);
    return TRY_FIRST(int, "msgsnd", __real_msgsnd(queue, message, size, flags | IPC_NOWAIT), EAGAIN,
                     __real_msgsnd(queue, message, size, flags));
}

/* Is one of them not to be waited for? Then EAGAIN is its answer. */
static bool some_at_once(const struct sembuf *changes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (changes[i].sem_flg & IPC_NOWAIT)
            return true;
    }
    return false;
}

enum { MOST_CHANGES = 500 };        /* Linux takes no more at once */

int __real_semop(int set, struct sembuf *changes, size_t n);

/* All changes if none of them has to wait; else -1 with EAGAIN. */
static int try_changes(int set, const struct sembuf *changes, size_t n)
{
    struct sembuf at_once[MOST_CHANGES];
    if (n > MOST_CHANGES)
        return errno = E2BIG, -1;
    for (size_t i = 0; i < n; i++) {
        at_once[i] = changes[i];
        at_once[i].sem_flg |= IPC_NOWAIT;
    }
    return __real_semop(set, at_once, n);
}

WRAP(int, semop, int set, struct sembuf *changes, size_t n)
{
    if (some_at_once(changes, n))
        return __real_semop(set, changes, n);
    return TRY_FIRST(int, "semop", try_changes(set, changes, n), EAGAIN, __real_semop(set, changes, n));
}

WRAP(int, semtimedop, int set, struct sembuf *changes, size_t n, const struct timespec *timeout)
{
    if (!simulated())
        return REALLY(int, __real_semtimedop(set, changes, n, timeout), "semtimedop");
    if (some_at_once(changes, n) || (timeout && is_wrong(timeout)))
        return __real_semtimedop(set, changes, n, timeout);
    int rc = try_changes(set, changes, n);
    if (rc == 0 || errno != EAGAIN)
        return rc;
    if (!timeout)
        return BY_MACHINE(int, __real_semtimedop(set, changes, n, timeout), "semtimedop");
    stop_loop(from_timespec(timeout), "semtimedop", CALLER);
    return errno = EAGAIN, -1;
}

/* ---- <mqueue.h> ---------------------------------------------------------------------------------------------- */
/* A queue that is open with O_NONBLOCK says EAGAIN at once. glibc before 2.34 has these calls in a library of their
 * own, which only programs that use them are linked with. */
#pragma weak __real_mq_receive
#pragma weak __real_mq_send
#pragma weak __real_mq_timedreceive
#pragma weak __real_mq_timedsend

ssize_t __real_mq_timedreceive(mqd_t queue, char *message, size_t size, unsigned *priority, const struct timespec *at);
int __real_mq_timedsend(mqd_t queue, const char *message, size_t size, unsigned priority, const struct timespec *at);

WRAP(ssize_t, mq_receive, mqd_t queue, char *message, size_t size, unsigned *priority)
{
    return TRY_FIRST(ssize_t, "mq_receive", __real_mq_timedreceive(queue, message, size, priority, &long_ago),
                     ETIMEDOUT, __real_mq_receive(queue, message, size, priority));
}

WRAP(int, mq_send, mqd_t queue, const char *message, size_t size, unsigned priority)
{
    return TRY_FIRST(int, "mq_send", __real_mq_timedsend(queue, message, size, priority, &long_ago), ETIMEDOUT,
                     __real_mq_send(queue, message, size, priority));
}

/* With a deadline, which is one of the loop's clock: it is over when nothing has come until then. */
static void wait_until(const struct timespec *at, const char *on, const void *pc)
{
    stop_loop(ns_until(CLOCK_REALTIME, at), on, pc);
    errno = ETIMEDOUT;
}

WRAP(ssize_t, mq_timedreceive, mqd_t queue, char *message, size_t size, unsigned *priority, const struct timespec *at)
{
    if (!simulated() || is_wrong(at))
        return REALLY(ssize_t, __real_mq_timedreceive(queue, message, size, priority, at), "mq_timedreceive");
    ssize_t length = __real_mq_timedreceive(queue, message, size, priority, &long_ago);
    if (length < 0 && errno == ETIMEDOUT)
        wait_until(at, "mq_timedreceive", CALLER);
    return length;
}

WRAP(int, mq_timedsend, mqd_t queue, const char *message, size_t size, unsigned priority, const struct timespec *at)
{
    if (!simulated() || is_wrong(at))
        return REALLY(int, __real_mq_timedsend(queue, message, size, priority, at), "mq_timedsend");
    int rc = __real_mq_timedsend(queue, message, size, priority, &long_ago);
    if (rc < 0 && errno == ETIMEDOUT)
        wait_until(at, "mq_timedsend", CALLER);
    return rc;
}
