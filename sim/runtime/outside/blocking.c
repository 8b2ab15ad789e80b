/* blocking.c - the C library's calls that stop a thread, caught at link time (ld's --wrap, see sim/kit/link.flags).
 *
 * Called by a task they stop the whole loop, as they would in earnest: the loop's clock advances, no other task
 * runs, and the trace says at which line. The calls that read a clock read the loop's. Outside a loop all of
 * them are the C library's own; in the real world, too, but the program hears about it if they stop the loop.
 */
#define _GNU_SOURCE
#include "runtime/outside/blocking.h"

#include <poll.h>
#include <sys/select.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

unsigned __real_sleep(unsigned seconds);
int __real_usleep(useconds_t us);
int __real_nanosleep(const struct timespec *request, struct timespec *rest);
int __real_clock_nanosleep(clockid_t clock, int flags, const struct timespec *request, struct timespec *rest);
int __real_poll(struct pollfd *fds, nfds_t n, int ms);
int __real_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask);
int __real_select(int n, fd_set *r, fd_set *w, fd_set *e, struct timeval *timeout);
int __real_pselect(int n, fd_set *r, fd_set *w, fd_set *e, const struct timespec *timeout, const sigset_t *mask);
int __real_pause(void);
int __real_sched_yield(void);
time_t __real_time(time_t *t);
clock_t __real_clock(void);
int __real_gettimeofday(struct timeval *tv, void *zone);
int __real_clock_gettime(clockid_t clock, struct timespec *ts);
int __real_timespec_get(struct timespec *ts, int base);

static struct timespec to_timespec(int64_t ns)
{
    return (struct timespec){.tv_sec = ns / CO_SEC(1), .tv_nsec = ns % CO_SEC(1)};
}

/* ---- Sleeping ------------------------------------------------------------------------------ */

unsigned __wrap_sleep(unsigned seconds)
{
    if (!simulated())
        return REALLY(unsigned, __real_sleep(seconds), "sleep");
    stop_loop(CO_SEC(seconds), "sleep", CALLER);
    return 0;
}

int __wrap_usleep(useconds_t us)
{
    if (!simulated())
        return REALLY(int, __real_usleep(us), "usleep");
    stop_loop(CO_US(us), "usleep", CALLER);
    return 0;
}

int __wrap_nanosleep(const struct timespec *request, struct timespec *rest)
{
    if (!simulated() || is_wrong(request))
        return REALLY(int, __real_nanosleep(request, rest), "nanosleep");       /* it knows how to refuse */
    stop_loop(from_timespec(request), "nanosleep", CALLER);
    return 0;
}

int __wrap_clock_nanosleep(clockid_t clock, int flags, const struct timespec *request, struct timespec *rest)
{
    if (!simulated() || is_wrong(request))
        return REALLY(int, __real_clock_nanosleep(clock, flags, request, rest), "clock_nanosleep");
    int64_t ns = from_timespec(request);
    if (flags & TIMER_ABSTIME)
        ns -= co_now() + (clock == CLOCK_REALTIME ? CO_SEC(EPOCH) : 0);
    stop_loop(ns, "clock_nanosleep", CALLER);
    return 0;
}

int __wrap_pause(void)
{
    if (!simulated())
        return REALLY(int, __real_pause(), "pause");
    co__report_blocked_for_ever("pause", CALLER);
}

int __wrap_sched_yield(void)
{
    return simulated() ? 0 : __real_sched_yield();     /* there is no other thread to yield to */
}

/* ---- Waiting for descriptors --------------------------------------------------------------- */
/* What is ready already is reported. What is not will not become so while the loop stands still:
 * only the time limit can end the wait. */

int __wrap_poll(struct pollfd *fds, nfds_t n, int ms)
{
    if (!simulated())
        return REALLY(int, __real_poll(fds, n, ms), "poll");
    int ready = __real_poll(fds, n, 0);
    if (ready == 0 && ms != 0)
        block_for(ms < 0 ? -1 : CO_MS(ms), "poll", CALLER);
    return ready;
}

int __wrap_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask)
{
    if (!simulated())
        return REALLY(int, __real_ppoll(fds, n, timeout, mask), "ppoll");
    int ready = __real_poll(fds, n, 0);
    if (ready == 0)
        block_for(timeout ? from_timespec(timeout) : -1, "ppoll", CALLER);
    return ready;
}

int __wrap_select(int n, fd_set *r, fd_set *w, fd_set *e, struct timeval *timeout)
{
    struct timeval none = {0, 0};
    if (!simulated())
        return REALLY(int, __real_select(n, r, w, e, timeout), "select");
    int ready = __real_select(n, r, w, e, &none);
    if (ready == 0)
        block_for(timeout ? ns_of(timeout->tv_sec, CO_US(timeout->tv_usec)) : -1, "select", CALLER);
    return ready;
}

int __wrap_pselect(int n, fd_set *r, fd_set *w, fd_set *e, const struct timespec *timeout, const sigset_t *mask)
{
    struct timeval none = {0, 0};
    if (!simulated())
        return REALLY(int, __real_pselect(n, r, w, e, timeout, mask), "pselect");
    int ready = __real_select(n, r, w, e, &none);
    if (ready == 0)
        block_for(timeout ? from_timespec(timeout) : -1, "pselect", CALLER);
    return ready;
}

/* ---- Reading the clock --------------------------------------------------------------------- */

time_t __wrap_time(time_t *t)
{
    if (!simulated())
        return __real_time(t);
    time_t now = EPOCH + co_now() / CO_SEC(1);
    if (t)
        *t = now;
    return now;
}

clock_t __wrap_clock(void)
{
    return simulated() ? (clock_t)(co__loop->computed / (CO_SEC(1) / CLOCKS_PER_SEC)) : __real_clock();
}

int __wrap_gettimeofday(struct timeval *tv, void *zone)
{
    if (!simulated())
        return __real_gettimeofday(tv, zone);
    int64_t now = co_now();
    *tv = (struct timeval){.tv_sec = EPOCH + now / CO_SEC(1), .tv_usec = now % CO_SEC(1) / 1000};
    return 0;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
    if (!simulated())
        return __real_clock_gettime(clock, ts);
    if (clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID)
        *ts = to_timespec(co__loop->computed);      /* waiting is no computing */
    else
        *ts = to_timespec(co_now() + (clock == CLOCK_REALTIME ? CO_SEC(EPOCH) : 0));
    return 0;
}

int __wrap_timespec_get(struct timespec *ts, int base)
{
    if (!simulated())
        return __real_timespec_get(ts, base);
    *ts = to_timespec(co_now() + CO_SEC(EPOCH));
    return base;
}
