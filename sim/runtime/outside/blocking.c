/* blocking.c - the C library's calls that stop a thread, caught at link time (ld's --wrap, see sim/kit/link.flags).
 *
 * Called by a task they stop the whole loop, as they would in earnest: the loop's clock advances, no other task
 * runs, and the trace says at which line. The calls that read a clock read the loop's. Outside a loop all of
 * them are the C library's own; in the real world, too, but the program hears about it if they stop the loop.
 */
#define _GNU_SOURCE
#include "runtime/state/loop.h"
#include "runtime/tasks/time.h"
#include "runtime/watch/report.h"
#include "runtime/watch/tracing.h"

#include <poll.h>
#include <sys/select.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* What the wall clock says at the loop's time 0: 2026-01-01 00:00:00 UTC, in seconds since 1970. */
enum { EPOCH = 1767225600 };

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

/* Seconds and nanoseconds as ns; the clock's end if that is beyond it. */
static int64_t ns_of(int64_t seconds, int64_t ns)
{
    return seconds >= INT64_MAX / CO_SEC(1) ? INT64_MAX : CO_SEC(seconds) + ns;
}

static int64_t from_timespec(const struct timespec *ts)
{
    return ns_of(ts->tv_sec, ts->tv_nsec);
}

static bool is_wrong(const struct timespec *ts)
{
    return ts->tv_sec < 0 || ts->tv_nsec < 0 || ts->tv_nsec >= CO_SEC(1);
}

/* The loop stands still for ns; the program hears about it. */
static void stop_loop(int64_t ns, const char *on, const void *pc)
{
    if (ns <= 0)
        return;
    if (co__loop->current)
        co__report_blocked(ns, on, pc);
    co__block(ns, on, pc);
}

/* Is the caller in a loop whose time is made up? Outside a loop, and in a world whose clock runs by itself, each of
 * these calls is the C library's own. */
static inline bool simulated(void)
{
    return co__loop && !co__loop->live;
}

enum { LONG_BLOCK = 1000000 };      /* ns: shorter stops of a live loop are not worth a word */

/* Since `begin` (co_now) the C library's own call has stopped a live loop; outside of one, nothing. */
static void stopped(int64_t begin, const char *on, const void *pc)
{
    struct loop *loop = co__loop;
    if (!loop || loop->in_world)        /* a worker's job keeps nobody else waiting */
        return;
    co__read_clock(loop);
    int64_t ns = loop->now - begin;
    if (ns < LONG_BLOCK)
        return;
    co__report_blocked(ns, on, pc);
    if (loop->trace)
        co__trace_block(ns, on, pc);
}

/* The C library's own call, and a word about it if it stopped the loop. */
#define REALLY(type, call, on) __extension__({ \
    int64_t begin_ = co_now(); \
    type result_ = (call); \
    int error_ = errno; \
    stopped(begin_, (on), CALLER); \
    errno = error_; \
    result_; \
})

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

/* ns < 0: no limit. */
static void block_for(int64_t ns, const char *on, const void *pc)
{
    if (ns < 0)
        co__report_blocked_for_ever(on, pc);
    stop_loop(ns, on, pc);
}

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
