/* cases.c - small programs, each with the number of classes of orders it has: `cases NAME` runs one.
 *
 * A class is a set of orders that differ only in steps that could change places unnoticed. An explorer that knows too
 * little of what depends on what explores too few, one that is too careful too many; so each number is worked out by
 * hand, and the grader's tests hold the explorer to it (grader/tests/test_explore.py).
 */
#include "co.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int shared, other, own[8];
static char *volatile grabbed;
static struct co_queue queue;
static struct co_lock lock = CO_LOCK_INIT;
static struct co_sem sem = CO_SEM_INIT(1);
static struct co_event event;

static int spawn_and_join(co_fn fn, int n)
{
    static int numbers[8];
    CO_GROUP(group);
    for (int i = 0; i < n; i++) {
        numbers[i] = i;
        co_spawn(&group, fn, &numbers[i]);
    }
    return co_join(&group);
}

/* ---- Nothing in common --------------------------------------------------------------------------- */

static int alone(void *job)
{
    int *mine = &own[*(int *)job];
    for (int i = 0; i < 3; i++) {
        ++*mine;
        co_yield();
    }
    return 0;
}

/* classes: 1 */
static int independent(void *job)
{
    (void)job;
    return spawn_and_join(alone, 4);
}

static int reads_shared(void *job)
{
    own[*(int *)job] = shared;
    co_yield();
    own[*(int *)job] += shared;
    return 0;
}

/* classes: 1 */
static int readers(void *job)
{
    (void)job;
    return spawn_and_join(reads_shared, 4);
}

/* ---- One thing in common --------------------------------------------------------------------------- */

static int writes_shared(void *job)
{
    shared = *(int *)job;
    return 0;
}

/* classes: 24 = 4! */
static int writers(void *job)
{
    (void)job;
    return spawn_and_join(writes_shared, 4);
}

static int puts_one(void *job)
{
    return co_queue_try_put(&queue, job);
}

/* classes: 24 = 4! */
static int putters(void *job)
{
    (void)job;
    return spawn_and_join(puts_one, 4);
}

static int one_writes(void *job)
{
    return *(int *)job ? reads_shared(job) : writes_shared(job);
}

/* One writes, two read twice each: the write falls before, between or after each one's reads. classes: 9 */
static int writer_and_readers(void *job)
{
    (void)job;
    return spawn_and_join(one_writes, 3);
}

static int locks(void *job)
{
    (void)job;
    int rc = -ECANCELED;
    CO_WITH_LOCK(&lock)
        rc = 0;
    return rc;
}

/* classes: 2 */
static int two_lock(void *job)
{
    (void)job;
    return spawn_and_join(locks, 2);
}

/* classes: 6 */
static int three_lock(void *job)
{
    (void)job;
    return spawn_and_join(locks, 3);
}

static int counts_up(void *job)
{
    (void)job;
    int before = shared;                /* read */
    int rc = co_yield();                /* wait */
    shared = before + 1;                /* write */
    return rc;
}

/* a and b each read, wait, write. Their four steps keep each one's order: 6 ways, of which those that differ only in
 * who reads first are one. read read write write twice (who writes first): 2; one after the other: 2. classes: 4;
 * wrong: lost update in counts_up */
static int lost_update(void *job)
{
    (void)job;
    return spawn_and_join(counts_up, 2);
}

/* ---- Neighbours ------------------------------------------------------------------------------------ */

static struct { char a, b, c, d; } pieces;

static int writes_neighbour(void *job)
{
    (&pieces.a)[*(int *)job] = 1;
    return 0;
}

/* Four bytes of one word. classes: 1 */
static int neighbours(void *job)
{
    (void)job;
    return spawn_and_join(writes_neighbour, 4);
}

/* ---- Waking ----------------------------------------------------------------------------------------- */

static int consumes(void *job)
{
    void *item;
    (void)job;
    for (int i = 0; i < 2; i++) {
        int rc = co_queue_get(&queue, &item);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int produces(void *job)
{
    for (int i = 0; i < 2; i++) {
        int rc = co_queue_put(&queue, job);
        if (rc < 0)
            return rc;
        co_yield();
    }
    return 0;
}

static int one_produces(void *job)
{
    return *(int *)job ? produces(job) : consumes(job);
}

/* The consumer is the first and waits for each item; or for the first one alone; or the producer is the first, and the
 * consumer waits for the second item, or for none. classes: 4 */
static int producer_and_consumer(void *job)
{
    (void)job;
    return spawn_and_join(one_produces, 2);
}

static int waits_for_event(void *job)
{
    return *(int *)job ? co_event_wait(&event) : (co_event_set(&event), 0);
}

/* Each of two waits before it is set, or after. classes: 4 */
static int event_and_two(void *job)
{
    (void)job;
    return spawn_and_join(waits_for_event, 3);
}

static int passes_sem(void *job)
{
    (void)job;
    int rc = co_sem_acquire(&sem);
    if (rc == 0)
        co_sem_release(&sem);
    return rc;
}

/* classes: 6 */
static int three_pass_sem(void *job)
{
    (void)job;
    return spawn_and_join(passes_sem, 3);
}

/* ---- Time --------------------------------------------------------------------------------------------- */

static int sleeps_and_writes(void *job)
{
    int rc = co_sleep(CO_MS(5));
    shared = *(int *)job;
    return rc;
}

/* Three due at one instant. classes: 6 */
static int one_instant(void *job)
{
    (void)job;
    return spawn_and_join(sleeps_and_writes, 3);
}

static int sleeps_in_turn(void *job)
{
    int rc = co_sleep(CO_MS(5 + *(int *)job));
    shared = *(int *)job;
    return rc;
}

/* Three due at three instants. classes: 1 */
static int three_instants(void *job)
{
    (void)job;
    return spawn_and_join(sleeps_in_turn, 3);
}

/* ---- Cancelling ----------------------------------------------------------------------------------------- */

static int sleeps_twice(void *job)
{
    (void)job;
    int rc = co_sleep(CO_MS(20));
    return rc < 0 ? rc : co_sleep(CO_MS(20));
}

/* It lands at the first wait or at the second. classes: 2 */
static int cancelled(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, sleeps_twice, NULL);
    int rc = co_sleep(CO_MS(10));
    co_cancel(task);
    return rc < 0 ? rc : co_join(&group);
}

/* ---- Ends ---------------------------------------------------------------------------------------------- */

static int ends(void *job)
{
    (void)job;
    return 0;
}

/* Who asks for them one by one sees in which order they end, and after which it asks: 3! orders of ends, and the asker
 * comes between the first and the second or not, and so on: 2 * 2. classes: 24 */
static int as_completed(void *job)
{
    (void)job;
    static int numbers[3];
    co_task *done;
    CO_GROUP(group);
    for (int i = 0; i < 3; i++)
        co_spawn(&group, ends, &numbers[i]);
    int rc;
    while ((rc = co_next_done(&group, &done)) > 0)
        ;
    return rc;
}

/* ---- Lost updates ------------------------------------------------------------------------------------------ */

static int adds(void *job)
{
    int sum = other;                    /* read */
    int rc = co_sleep(CO_MS(1));        /* wait */
    other = sum + *(int *)job + 1;      /* write */
    return rc;
}

/* The reads commute, the writes do not. classes: 6; wrong: lost update in adds */
static int lost_sum(void *job)
{
    (void)job;
    return spawn_and_join(adds, 3);
}

static struct { size_t n; int items[8]; } list;

static int appends(void *job)
{
    size_t at = list.n;                 /* read */
    int rc = co_lock_acquire(&lock);    /* wait */
    list.items[at] = *(int *)job;
    list.n = at + 1;                    /* write */
    return rc < 0 ? rc : co_lock_release(&lock);
}

/* The lock is taken too late: who waits for it has looked already. Main's letting go of it and the two who want it come
 * in 3! orders; where main is the second, the one who was served goes on before the other one looks, or after.
 * classes: 8; wrong: lost update in appends */
static int lost_item(void *job)
{
    (void)job;
    CO_GROUP(group);
    static int numbers[] = {1, 2};
    int rc = co_lock_acquire(&lock);
    for (int i = 0; i < 2; i++)
        co_spawn(&group, appends, &numbers[i]);
    if (rc == 0)
        rc = co_yield();
    co_lock_release(&lock);
    return rc < 0 ? rc : co_join(&group);
}

static long highest;

static int raises(void *job)
{
    long mine = 10 + *(int *)job;
    bool higher = mine > highest;       /* read */
    int rc = co_yield();                /* wait */
    if (higher)
        highest = mine;                 /* write */
    return rc;
}

/* classes: 4; wrong: lost update in raises */
static int lost_maximum(void *job)
{
    (void)job;
    return spawn_and_join(raises, 2);
}

struct account { long balance, moved; };
static struct account account = {.balance = 100};

static int withdraws(void *job)
{
    struct account *from = &account;
    long left = from->balance - 60;     /* read */
    if (left < 0)
        return 0;
    int rc = co_queue_get(&queue, &(void *){0});    /* wait */
    from->balance = left;               /* write */
    (void)job;
    return rc;
}

/* Twice 60 of 100: both have looked before either takes. 2 orders in which they ask, 2 in which they are served.
 * classes: 4; wrong: lost update in withdraws */
static int lost_money(void *job)
{
    static int items[2];
    (void)job;
    CO_GROUP(group);
    for (int i = 0; i < 2; i++)
        co_spawn(&group, withdraws, NULL);
    int rc = co_sleep(CO_MS(1));
    for (int i = 0; i < 2; i++)
        rc = rc < 0 ? rc : co_queue_put(&queue, &items[i]);
    return rc < 0 ? rc : co_join(&group);
}

/* Looked at after the wait, and with a lock from the look to the use: nothing is lost. */
static int counts_right(void *job)
{
    (void)job;
    int rc = co_yield();
    shared = shared + 1;
    CO_WITH_LOCK(&lock) {
        int before = other;
        rc = co_sleep(CO_MS(1));
        other = before + 1;
    }
    return rc;
}

/* classes: 2 */
static int nothing_lost(void *job)
{
    (void)job;
    return spawn_and_join(counts_right, 2);
}

/* ---- Requests: what is under way together (with a world that has ten pages) --------------------------------- */

static int fetch(int number)
{
    char url[32];
    CO_RESPONSE(page);
    snprintf(url, sizeof url, "http://tea.test/%d", number + 1);
    return co_http_get(url, &page);     /* ask */
}

static int fetches(void *job)
{
    return fetch(*(int *)job);
}

/* classes: 6 */
static int requests(void *job)
{
    (void)job;
    return spawn_and_join(fetches, 3);
}

static int fetches_with_lock(void *job)
{
    int rc = -ECANCELED;
    CO_WITH_LOCK(&lock)                 /* wait */
        rc = fetch(*(int *)job);
    return rc;
}

/* classes: 6; wrong: too much order in fetches_with_lock */
static int requests_with_lock(void *job)
{
    (void)job;
    return spawn_and_join(fetches_with_lock, 3);
}

static int fetches_with_sem(void *job)
{
    int rc = -ECANCELED;
    CO_WITH_SEM(&sem)                   /* wait */
        rc = fetch(*(int *)job);
    return rc;
}

/* classes: 6; wrong: too much order in fetches_with_sem */
static int requests_with_sem(void *job)
{
    (void)job;
    return spawn_and_join(fetches_with_sem, 3);
}

/* Awaited before the next one is spawned. classes: 1; wrong: too much order in requests_awaited */
static int requests_awaited(void *job)
{
    static int numbers[] = {0, 1, 2};
    (void)job;
    CO_GROUP(group);
    for (int i = 0; i < 3; i++) {
        int rc = co_await(co_spawn(&group, fetches, &numbers[i]), NULL);    /* wait */
        if (rc < 0)
            return rc;
    }
    return co_join(&group);
}

/* Joined before the next one is spawned. classes: 1; wrong: too much order in requests_joined */
static int requests_joined(void *job)
{
    static int numbers[] = {0, 1, 2};
    (void)job;
    CO_GROUP(group);
    for (int i = 0; i < 3; i++) {
        co_spawn(&group, fetches, &numbers[i]);
        int rc = co_join(&group);       /* wait */
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int fetches_in_turn(void *job)
{
    static struct co_event turns[4];
    int number = *(int *)job;
    if (number > 0) {
        int rc = co_event_wait(&turns[number]);     /* wait */
        if (rc < 0)
            return rc;
    }
    int rc = fetch(number);
    co_event_set(&turns[number + 1]);
    return rc;
}

/* classes: 1; wrong: too much order in fetches_in_turn */
static int requests_in_turn(void *job)
{
    (void)job;
    return spawn_and_join(fetches_in_turn, 3);
}

/* ---- No memory, and cancels: wrong in a trial ---------------------------------------------------------------- */

static int trusts_malloc(void *job)
{
    (void)job;
    grabbed = malloc(8);
    if (!grabbed)
        return -ENOMEM;
    grabbed = malloc(8);
    grabbed[0] = 1;                     /* crash */
    return 0;
}

static int trusts_the_lock(void *job)
{
    (void)job;
    int rc = co_lock_acquire(&lock);
    if (rc < 0)
        return rc;
    rc = co_sleep(CO_MS(1));
    if (rc < 0)
        return rc;                      /* and the lock is kept */
    rc = co_lock_release(&lock);
    return rc < 0 ? rc : co_sleep(CO_MS(1));
}

/* ---- Wrong in some orders -------------------------------------------------------------------------------- */

static int fails_if_late(void *job)
{
    if (*(int *)job == 0)
        shared = 1;
    else if (shared)
        return -EINVAL;
    return 0;
}

/* classes: 2; wrong: failed */
static int fails(void *job)
{
    (void)job;
    return spawn_and_join(fails_if_late, 2);
}

static int fails_if_first(void *job)
{
    return *(int *)job == 2 && shared++ == 0 ? -EINVAL : (shared++, 0);
}

/* One order in three is wrong, and not the plain one. classes: 6; wrong: failed */
static int late(void *job)
{
    (void)job;
    return spawn_and_join(fails_if_first, 3);
}

static struct co_lock second = CO_LOCK_INIT;

static int crosses(void *job)
{
    struct co_lock *first = *(int *)job ? &lock : &second, *then = *(int *)job ? &second : &lock;
    CO_WITH_LOCK(first) {
        co_yield();
        CO_WITH_LOCK(then)
            other++;
    }
    return 0;
}

/* Both hold one, or one of the two is through before the other begins. classes: 3; wrong: deadlock */
static int crossed_locks(void *job)
{
    (void)job;
    return spawn_and_join(crosses, 2);
}

static int *pointer = own;

static int spoils(void *job)
{
    if (*(int *)job)
        ++*pointer;
    else
        pointer = NULL;
    return 0;
}

/* classes: 2; wrong: crash */
static int crashes(void *job)
{
    (void)job;
    return spawn_and_join(spoils, 2);
}

static int exits_if_late(void *job)
{
    if (*(int *)job == 0)
        shared = 1;
    else if (shared)
        exit(7);
    return 0;
}

/* classes: 2; wrong: exit */
static int exits(void *job)
{
    (void)job;
    return spawn_and_join(exits_if_late, 2);
}

static int loops_if_late(void *job)
{
    if (*(int *)job == 0)
        shared = 1;
    else
        while (shared)
            ;
    return 0;
}

/* classes: 2; wrong: endless */
static int loops(void *job)
{
    (void)job;
    return spawn_and_join(loops_if_late, 2);
}

static int grabs_if_late(void *job)
{
    if (*(int *)job == 0)
        shared = 1;
    while (*(int *)job && shared) {
        grabbed = malloc(8 << 20);
        if (!grabbed)
            return -ENOMEM;
    }
    return 0;
}

/* classes: 2; wrong: failed */
static int grabs(void *job)
{
    (void)job;
    return spawn_and_join(grabs_if_late, 2);
}

static int recurses_for_long(int n)
{
    char room[256];
    memset(room, n, sizeof room);
    return n < 0 ? 0 : n + recurses_for_long(n + 1) + room[n % 7];
}

static int recurses_if_late(void *job)
{
    if (*(int *)job == 0)
        shared = 1;
    return *(int *)job && shared ? recurses_for_long(1) : 0;
}

/* classes: 2; wrong: stack overflow */
static int recurses(void *job)
{
    (void)job;
    return spawn_and_join(recurses_if_late, 2);
}

int main(int argc, char **argv)
{
    static const struct { const char *name; co_fn fn; } cases[] = {
        {"independent", independent}, {"readers", readers}, {"writers", writers}, {"putters", putters},
        {"writer_and_readers", writer_and_readers}, {"two_lock", two_lock}, {"three_lock", three_lock},
        {"lost_update", lost_update}, {"neighbours", neighbours}, {"producer_and_consumer", producer_and_consumer},
        {"event_and_two", event_and_two}, {"three_pass_sem", three_pass_sem}, {"one_instant", one_instant},
        {"three_instants", three_instants}, {"cancelled", cancelled}, {"as_completed", as_completed}, {"fails", fails},
        {"late", late}, {"lost_sum", lost_sum}, {"lost_item", lost_item}, {"lost_maximum", lost_maximum},
        {"lost_money", lost_money}, {"nothing_lost", nothing_lost}, {"requests", requests},
        {"requests_with_lock", requests_with_lock}, {"requests_with_sem", requests_with_sem},
        {"requests_awaited", requests_awaited}, {"requests_joined", requests_joined},
        {"requests_in_turn", requests_in_turn}, {"trusts_malloc", trusts_malloc},
        {"trusts_the_lock", trusts_the_lock},
       
        {"crossed_locks", crossed_locks}, {"crashes", crashes}, {"exits", exits}, {"loops", loops}, {"grabs", grabs},
        {"recurses", recurses},
    };
    for (size_t i = 0; argc > 1 && i < sizeof cases / sizeof cases[0]; i++)
        if (strcmp(argv[1], cases[i].name) == 0)
            return co_run_named(cases[i].fn, NULL, NULL, cases[i].name) < 0;
    fprintf(stderr, "usage: cases NAME\n");
    return 2;
}
