/* blocking_threads.c - waiting for other threads, as <threads.h>, <pthread.h> and <semaphore.h> have it, caught at link
 * time as the calls in blocking.c are. While the loop stands still there is no other thread that could end such a wait,
 * unless the program has begun one: then the call is made in earnest, and how long it takes only the machine knows.
 */
#define _GNU_SOURCE
#include "runtime/outside/blocking.h"

#include <pthread.h>
#include <semaphore.h>
#include <threads.h>

static bool has_threads;            /* the program has begun one */

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
    has_threads = true;
    return __real_pthread_create(thread, attr, fn, arg);
}

int __real_thrd_create(thrd_t *thread, thrd_start_t fn, void *arg);
int __wrap_thrd_create(thrd_t *thread, thrd_start_t fn, void *arg);
int __wrap_thrd_create(thrd_t *thread, thrd_start_t fn, void *arg)
{
    has_threads = true;
    return __real_thrd_create(thread, fn, arg);
}

/* A call that may wait. `tried`: an expression that is true if it had not to, and all is done. Else the loop stands
 * still until the deadline `at` of `clock` (NULL: for ever), and the result is `late`. */
#define WAIT_AT(name, parameters, call, tried, clock, at, late) \
    int __real_##name parameters; \
    int __wrap_##name parameters; \
    int __wrap_##name parameters \
    { \
        const struct timespec *at_ = (at); \
        if (!simulated()) \
            return REALLY(int, __real_##name call, #name); \
        if (tried) \
            return 0; \
        if (at_ && is_wrong(at_)) \
            return __real_##name call; \
        if (has_threads) \
            return BY_MACHINE(int, __real_##name call, #name); \
        block_for(at_ ? at_least_0(ns_until((clock), at_)) : -1, #name, CALLER); \
        return (late); \
    }

static inline int64_t at_least_0(int64_t ns)
{
    return ns > 0 ? ns : 0;
}

static inline int timed_out(void)
{
    errno = ETIMEDOUT;
    return -1;
}

/* ---- Sleeping ------------------------------------------------------------------------------------- */

int __real_thrd_sleep(const struct timespec *request, struct timespec *rest);
int __wrap_thrd_sleep(const struct timespec *request, struct timespec *rest);
int __wrap_thrd_sleep(const struct timespec *request, struct timespec *rest)
{
    if (!simulated() || is_wrong(request))
        return REALLY(int, __real_thrd_sleep(request, rest), "thrd_sleep");
    stop_loop(from_timespec(request), "thrd_sleep", CALLER);
    return 0;
}

/* ---- Semaphores, locks ------------------------------------------------------------------------------ */

WAIT_AT(sem_wait, (sem_t *sem), (sem), sem_trywait(sem) == 0, 0, NULL, 0)
WAIT_AT(sem_timedwait, (sem_t *sem, const struct timespec *at), (sem, at), sem_trywait(sem) == 0, CLOCK_REALTIME, at,
        timed_out())
WAIT_AT(sem_clockwait, (sem_t *sem, clockid_t clock, const struct timespec *at), (sem, clock, at),
        sem_trywait(sem) == 0, clock, at, timed_out())
WAIT_AT(pthread_mutex_timedlock, (pthread_mutex_t *lock, const struct timespec *at), (lock, at),
        pthread_mutex_trylock(lock) == 0, CLOCK_REALTIME, at, ETIMEDOUT)
WAIT_AT(pthread_mutex_clocklock, (pthread_mutex_t *lock, clockid_t clock, const struct timespec *at), (lock, clock, at),
        pthread_mutex_trylock(lock) == 0, clock, at, ETIMEDOUT)
WAIT_AT(mtx_timedlock, (mtx_t *lock, const struct timespec *at), (lock, at), mtx_trylock(lock) == thrd_success,
        CLOCK_REALTIME, at, thrd_timedout)
WAIT_AT(pthread_rwlock_timedrdlock, (pthread_rwlock_t *lock, const struct timespec *at), (lock, at),
        pthread_rwlock_tryrdlock(lock) == 0, CLOCK_REALTIME, at, ETIMEDOUT)
WAIT_AT(pthread_rwlock_timedwrlock, (pthread_rwlock_t *lock, const struct timespec *at), (lock, at),
        pthread_rwlock_trywrlock(lock) == 0, CLOCK_REALTIME, at, ETIMEDOUT)

/* Without a deadline: one that is over already says whether there is anything to wait for. Where another thread has the
 * lock nothing is said: whether it still had it at that moment is chance. */
static const struct timespec long_ago = {0, 1};

#define WAIT_FOR(name, type, try) \
    int __real_##name(type *lock); \
    int __wrap_##name(type *lock); \
    int __wrap_##name(type *lock) \
    { \
        if (!simulated()) \
            return REALLY(int, __real_##name(lock), #name); \
        int rc_ = __real_##try(lock, &long_ago); \
        if (rc_ != ETIMEDOUT) \
            return rc_; \
        if (has_threads) \
            return __real_##name(lock); \
        co__report_blocked_for_ever(#name, CALLER); \
    }
WAIT_FOR(pthread_mutex_lock, pthread_mutex_t, pthread_mutex_timedlock)
WAIT_FOR(pthread_rwlock_rdlock, pthread_rwlock_t, pthread_rwlock_timedrdlock)
WAIT_FOR(pthread_rwlock_wrlock, pthread_rwlock_t, pthread_rwlock_timedwrlock)

WRAP(int, mtx_lock, mtx_t *lock)
{
    if (!simulated())
        return REALLY(int, __real_mtx_lock(lock), "mtx_lock");
    int rc = mtx_trylock(lock);
    if (rc != thrd_busy || has_threads)
        return rc != thrd_busy ? rc : __real_mtx_lock(lock);
    co__report_blocked_for_ever("mtx_lock", CALLER);
}

/* ---- Barriers: how many it takes only who made it knows ---- */

enum { MADE = 64 };
static _Thread_local struct { const pthread_barrier_t *barrier; unsigned count; } made[MADE];   /* the last ones */

WRAP(int, pthread_barrier_init, pthread_barrier_t *barrier, const pthread_barrierattr_t *attr, unsigned count)
{
    static _Thread_local size_t next;
    size_t i = 0;
    while (i < MADE && made[i].barrier != barrier)
        i++;
    if (i == MADE)
        i = next++ % MADE;
    made[i].barrier = barrier;
    made[i].count = count;
    return __real_pthread_barrier_init(barrier, attr, count);
}

static unsigned count_of(const pthread_barrier_t *barrier)
{
    for (size_t i = 0; i < MADE; i++) {
        if (made[i].barrier == barrier)
            return made[i].count;
    }
    return 0;
}

WRAP(int, pthread_barrier_wait, pthread_barrier_t *barrier)
{
    if (!simulated())
        return REALLY(int, __real_pthread_barrier_wait(barrier), "pthread_barrier_wait");
    unsigned count = count_of(barrier);
    if (count > 1 && !has_threads)
        co__report_blocked_for_ever("pthread_barrier_wait", CALLER);
    return count == 1 ? __real_pthread_barrier_wait(barrier)
                      : BY_MACHINE(int, __real_pthread_barrier_wait(barrier), "pthread_barrier_wait");
}

/* ---- Conditions: nobody can signal one while the loop stands still, so the lock need not even be given back ---- */

WAIT_AT(pthread_cond_wait, (pthread_cond_t *cond, pthread_mutex_t *lock), (cond, lock), false, 0, NULL, 0)
WAIT_AT(pthread_cond_timedwait, (pthread_cond_t *cond, pthread_mutex_t *lock, const struct timespec *at),
        (cond, lock, at), false, CLOCK_REALTIME, at, ETIMEDOUT)
WAIT_AT(pthread_cond_clockwait,
        (pthread_cond_t *cond, pthread_mutex_t *lock, clockid_t clock, const struct timespec *at),
        (cond, lock, clock, at), false, clock, at, ETIMEDOUT)
WAIT_AT(cnd_wait, (cnd_t *cond, mtx_t *lock), (cond, lock), false, 0, NULL, 0)
WAIT_AT(cnd_timedwait, (cnd_t *cond, mtx_t *lock, const struct timespec *at), (cond, lock, at), false, CLOCK_REALTIME,
        at, thrd_timedout)

/* ---- Ends of threads ------------------------------------------------------------------------------------ */

#define JOIN(name, parameters, call) \
    int __real_##name parameters; \
    int __wrap_##name parameters; \
    int __wrap_##name parameters \
    { \
        if (!simulated()) \
            return REALLY(int, __real_##name call, #name); \
        return BY_MACHINE(int, __real_##name call, #name); \
    }
JOIN(pthread_join, (pthread_t thread, void **result), (thread, result))
JOIN(thrd_join, (thrd_t thread, int *result), (thread, result))
