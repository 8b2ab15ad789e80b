/* pth.c - GNU Pth 2.0.7. It has no virtual time, so nothing sleeps here. Its message ports, made for this, are the
 * queue; they have no limit, so `queue` sends 128 messages, then receives them. */
#include "peer.h"

#include <pth.h>

static long count;

/* ---- Yield, spawn ---------------------------------------------------------------------------- */

static void *yield_often(void *arg)
{
    for (long i = 0; i < count / 2; i++)
        pth_yield(NULL);
    return arg;
}

static long bench_yield(void)
{
    pth_t one = pth_spawn(PTH_ATTR_DEFAULT, yield_often, NULL), two = pth_spawn(PTH_ATTR_DEFAULT, yield_often, NULL);
    peer_start();
    pth_join(one, NULL);
    pth_join(two, NULL);
    peer_stop();
    return count;
}

static void *nothing(void *arg)
{
    return arg;
}

static long bench_spawn(void)
{
    pth_t threads[CROWD];
    long done;
    peer_start();
    for (done = 0; done < count; done += CROWD) {
        for (int i = 0; i < CROWD; i++)
            threads[i] = pth_spawn(PTH_ATTR_DEFAULT, nothing, NULL);
        for (int i = 0; i < CROWD; i++)
            pth_join(threads[i], NULL);
    }
    peer_stop();
    return done;
}

/* ---- Queue ----------------------------------------------------------------------------------- */

static pth_msgport_t there, back;
static pth_message_t messages[128];

static void wait_for(pth_msgport_t port)
{
    pth_event_t arrival = pth_event(PTH_EVENT_MSG, port);
    while (pth_msgport_pending(port) == 0)
        pth_wait(arrival);
    pth_event_free(arrival, PTH_FREE_THIS);
}

/* The consumer: a burst is received when it is there. */
static void *consume(void *arg)
{
    for (long i = 0; i < count;) {
        wait_for(there);
        while (pth_msgport_get(there))
            i++;
        pth_msgport_put(back, (pth_message_t *)arg);
    }
    return arg;
}

static long bench_queue(void)
{
    static pth_message_t again;
    count = (count + 127) / 128 * 128;
    there = pth_msgport_create("there");
    back = pth_msgport_create("back");
    pth_t other = pth_spawn(PTH_ATTR_DEFAULT, consume, &again);
    peer_start();
    for (long i = 0; i < count; i += 128) {
        for (int k = 0; k < 128; k++)
            pth_msgport_put(there, &messages[k]);
        wait_for(back);
        pth_msgport_get(back);
    }
    peer_stop();
    pth_join(other, NULL);
    return count;
}

static void *echo(void *arg)
{
    for (long i = 0; i < count / 2; i++) {
        wait_for(there);
        pth_msgport_put(back, pth_msgport_get(there));
    }
    return arg;
}

static long bench_rendezvous(void)
{
    there = pth_msgport_create("there");
    back = pth_msgport_create("back");
    pth_t other = pth_spawn(PTH_ATTR_DEFAULT, echo, NULL);
    peer_start();
    for (long i = 0; i < count / 2; i++) {
        pth_msgport_put(there, &messages[0]);
        wait_for(back);
        pth_msgport_get(back);
    }
    peer_stop();
    pth_join(other, NULL);
    return count;
}

/* ---- Lock, event ----------------------------------------------------------------------------- */

static pth_mutex_t lock = PTH_MUTEX_INIT;

/* A released Pth mutex belongs to nobody, so the releaser would take it again: pth_yield lets the other one have it. */
static void *lock_often(void *arg)
{
    for (long i = 0; i < count / 2; i++) {
        pth_mutex_acquire(&lock, 0, NULL);
        pth_yield(NULL);
        pth_mutex_release(&lock);
    }
    return arg;
}

static long bench_lock(void)
{
    pth_t other = pth_spawn(PTH_ATTR_DEFAULT, lock_often, NULL);
    peer_start();
    lock_often(NULL);
    pth_join(other, NULL);
    peer_stop();
    return count;
}

/* ---- Cancel ---------------------------------------------------------------------------------- */

static pth_cond_t never = PTH_COND_INIT;

static void *wait_for_ever(void *arg)
{
    pth_mutex_acquire(&lock, 0, NULL);
    pth_cond_await(&never, &lock, NULL);
    pth_mutex_release(&lock);
    return arg;
}

static long bench_cancel(void)
{
    pth_t threads[CROWD];
    long done;
    for (done = 0; done < count; done += CROWD) {
        for (int i = 0; i < CROWD; i++)
            threads[i] = pth_spawn(PTH_ATTR_DEFAULT, wait_for_ever, NULL);
        pth_yield(NULL);
        peer_start();
        for (int i = 0; i < CROWD; i++)
            pth_cancel(threads[i]);
        for (int i = 0; i < CROWD; i++)
            pth_join(threads[i], NULL);
        peer_stop();
    }
    return done;
}

static const struct { const char *name; long (*fn)(void); } rows[] = {
    {"yield", bench_yield}, {"spawn", bench_spawn}, {"queue", bench_queue}, {"rendezvous", bench_rendezvous},
    {"lock", bench_lock}, {"cancel", bench_cancel},
};

int main(int argc, char *argv[])
{
    if (argc != 3 || !pth_init())
        return 2;
    count = atol(argv[2]);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].name, argv[1]) == 0) {
            peer_print(argv[1], rows[i].fn());
            return 0;
        }
    return NOT_SHARED;
}
