/* st.c - State Threads (libst 1.9). It has no virtual time, so nothing sleeps here, and no queue, semaphore or event:
 * what a user would build from its condition variables would be our code and not its.
 *
 * It has no call to yield either. st_usleep(0) comes nearest: it goes through the heap of sleepers, and looks at the
 * clock. `yield` below is therefore st_usleep(0) with the clock cached (st_timecache_set), its fastest way. `event` is
 * a broadcast to a condition variable. */
#include "peer.h"

#include <st.h>

static long count;

/* ---- Yield, spawn ---------------------------------------------------------------------------- */

static void *yield_often(void *arg)
{
    for (long i = 0; i < count / 2; i++)
        st_usleep(0);
    return arg;
}

static long bench_yield(void)
{
    st_timecache_set(1);
    st_thread_t one = st_thread_create(yield_often, NULL, 1, 0), two = st_thread_create(yield_often, NULL, 1, 0);
    peer_start();
    st_thread_join(one, NULL);
    st_thread_join(two, NULL);
    peer_stop();
    return count;
}

static void *nothing(void *arg)
{
    return arg;
}

static long bench_spawn(void)
{
    st_thread_t threads[CROWD];
    long done;
    peer_start();
    for (done = 0; done < count; done += CROWD) {
        for (int i = 0; i < CROWD; i++)
            threads[i] = st_thread_create(nothing, NULL, 1, 0);
        for (int i = 0; i < CROWD; i++)
            st_thread_join(threads[i], NULL);
    }
    peer_stop();
    return done;
}

/* ---- Lock, event ----------------------------------------------------------------------------- */

static st_mutex_t lock;

static void *lock_often(void *arg)
{
    st_mutex_lock(lock);
    for (long i = 0; i < count / 2; i++) {
        st_mutex_unlock(lock);
        st_mutex_lock(lock);
    }
    st_mutex_unlock(lock);
    return arg;
}

static long bench_lock(void)
{
    lock = st_mutex_new();
    st_mutex_lock(lock);
    st_thread_t one = st_thread_create(lock_often, NULL, 1, 0), two = st_thread_create(lock_often, NULL, 1, 0);
    st_usleep(0);
    peer_start();
    st_mutex_unlock(lock);
    st_thread_join(one, NULL);
    st_thread_join(two, NULL);
    peer_stop();
    return count;
}

static st_cond_t event;
static int over, waiting;

static void *listen_often(void *arg)
{
    while (!over) {
        waiting++;
        st_cond_wait(event);
    }
    return arg;
}

/* The broadcaster must wait for its listeners; the last of them to wait again
 * wakes it (it has the st_usleep(0) above). */
static long bench_event(void)
{
    st_thread_t threads[CROWD];
    long done;
    st_timecache_set(1);
    event = st_cond_new();
    for (int i = 0; i < CROWD; i++)
        threads[i] = st_thread_create(listen_often, NULL, 1, 0);
    while (waiting < CROWD)
        st_usleep(0);
    peer_start();
    for (done = 0; done < count; done += CROWD) {
        waiting = 0;
        st_cond_broadcast(event);
        while (waiting < CROWD)
            st_usleep(0);
    }
    peer_stop();
    over = 1;
    st_cond_broadcast(event);
    for (int i = 0; i < CROWD; i++)
        st_thread_join(threads[i], NULL);
    return done;
}

/* ---- Cancel ---------------------------------------------------------------------------------- */

/* A thread that was joined is switched to once more, and only then gives its stack back. Ours have given theirs back
 * when the watch stops, so here it stops after one st_usleep(0) for the whole batch, which lets them all do so.
 * (Without that it takes about a quarter less.) */

static void *wait_for_ever(void *arg)
{
    st_cond_wait(event);
    return arg;
}

static long bench_cancel(void)
{
    static st_thread_t threads[BATCH];
    long done;
    event = st_cond_new();
    for (done = 0; done < count; done += BATCH) {
        for (int i = 0; i < BATCH; i++)
            threads[i] = st_thread_create(wait_for_ever, NULL, 1, 0);
        st_usleep(0);
        peer_start();
        for (int i = 0; i < BATCH; i++)
            st_thread_interrupt(threads[i]);
        for (int i = 0; i < BATCH; i++)
            st_thread_join(threads[i], NULL);
        st_usleep(0);
        peer_stop();
    }
    return done;
}

static const struct { const char *name; long (*fn)(void); } rows[] = {
    {"yield", bench_yield}, {"spawn", bench_spawn}, {"lock", bench_lock}, {"event", bench_event},
    {"cancel", bench_cancel},
};

int main(int argc, char *argv[])
{
    if (argc != 3 || st_init() < 0)
        return 2;
    count = atol(argv[2]);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].name, argv[1]) == 0) {
            peer_print(argv[1], rows[i].fn());
            return 0;
        }
    return NOT_SHARED;
}
