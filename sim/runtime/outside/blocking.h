/* blocking.h - what the wrapped calls of the C library share: stopping the loop, and saying so. */
#ifndef BLOCKING_H
#define BLOCKING_H

#include "runtime/state/loop.h"
#include "runtime/tasks/time.h"
#include "runtime/watch/report.h"
#include "runtime/watch/tracing.h"

#include <errno.h>
#include <time.h>

/* Seconds and nanoseconds as ns; the clock's end if that is beyond it. */
static inline int64_t ns_of(int64_t seconds, int64_t ns)
{
    return seconds >= INT64_MAX / CO_SEC(1) ? INT64_MAX : CO_SEC(seconds) + ns;
}

static inline int64_t from_timespec(const struct timespec *ts)
{
    return ns_of(ts->tv_sec, ts->tv_nsec);
}

static inline bool is_wrong(const struct timespec *ts)
{
    return ts->tv_sec < 0 || ts->tv_nsec < 0 || ts->tv_nsec >= CO_SEC(1);
}

/* The loop stands still for ns; the program hears about it. */
static inline void stop_loop(int64_t ns, const char *on, const void *pc)
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
static inline void stopped(int64_t begin, const char *on, const void *pc)
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

/* Defines name(parameters) as its wrapper, around the C library's own. */
#define WRAP(type, name, ...) \
    type __real_##name(__VA_ARGS__); \
    type __wrap_##name(__VA_ARGS__); \
    type __wrap_##name(__VA_ARGS__)

/* In earnest, in a simulated loop: the program hears about it. */
#define BY_MACHINE(type, call, on) __extension__({ \
    co__loop->caught = true;            /* what it comes to in the kernel is no news (asleep.c) */ \
    type result_ = (call); \
    int error_ = errno; \
    co__loop->caught = false; \
    co__report_blocked_by_machine((on), CALLER); \
    errno = error_; \
    result_; \
})

/* ns < 0: no limit. */
static inline void block_for(int64_t ns, const char *on, const void *pc)
{
    if (ns < 0)
        co__report_blocked_for_ever(on, pc);
    stop_loop(ns, on, pc);
}

/* How long it is until a point in time of one of the machine's clocks, which in a loop are the loop's. */
static inline int64_t ns_until(clockid_t clock, const struct timespec *at)
{
    return from_timespec(at) - co_now() - (clock == CLOCK_REALTIME ? CO_SEC(EPOCH) : 0);
}

#endif
