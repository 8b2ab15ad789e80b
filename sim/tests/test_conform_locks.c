/* test_conform_locks.c - lock, event, condition, semaphore and barrier, as CPython's test_locks asks them. */
#include "conform.h"

static int acquire(void *lock) { return co_lock_acquire(lock); }
static int enter(void *sem) { return co_sem_acquire(sem); }
static int wait_event(void *event) { return co_event_wait(event); }

/* ---- Lock ------------------------------------------------------------------------------------------------------- */

static int takes_and_keeps_until_asked(void *job)
{
    struct act *a = job;
    struct co_lock *lock = a->what;
    int rc = co_lock_acquire(lock);
    note(rc < 0 ? "%s-" : "%s", a->label);
    if (rc == 0)
        co_lock_release(lock);
    return rc;
}

CONFORM(a_released_lock_goes_to_waiters_in_order)
{
    struct co_lock lock = CO_LOCK_INIT;
    CO_GROUP(group);
    expect_is(co_lock_acquire(&lock), 0);
    co_spawn(&group, takes_and_keeps_until_asked, ACT(NULL, &lock, "1"));
    co_spawn(&group, takes_and_keeps_until_asked, ACT(NULL, &lock, "2"));
    settle();
    NOTED("");                                      /* held: nobody gets in */
    co_spawn(&group, takes_and_keeps_until_asked, ACT(NULL, &lock, "3"));
    co_lock_release(&lock);
    expect_is(co_join(&group), 0);
    NOTED("1@0 2@0 3@0 ");
    return 0;
}

CONFORM(a_cancelled_acquire_leaves_no_waiter)
{
    struct co_lock lock = CO_LOCK_INIT;
    CO_GROUP(group);
    expect_is(co_lock_acquire(&lock), 0);
    co_task *task = co_spawn(&group, act, ACT(acquire, &lock, "a"));
    settle();
    co_cancel(task);
    settle();
    expect_is(co_result(task), -ECANCELED);
    expect(lock.waiters.first == NULL);
    expect_is(co_lock_release(&lock), 0);
    expect_is(co_lock_acquire(&lock), 0);           /* it is free, and not lost to the cancelled one */
    co_lock_release(&lock);
    return co_join(&group);
}

/* Holds the lock until an event. */
struct holder {
    struct co_lock *lock;
    struct co_event *until;                         /* NULL: not at all */
    const char *label;
};

static int holds(void *job)
{
    struct holder *h = job;
    int rc = co_lock_acquire(h->lock);
    if (rc < 0)
        return rc;
    if (h->until)
        rc = co_event_wait(h->until);
    note("%s", h->label);
    co_lock_release(h->lock);
    return rc;
}

CONFORM(a_release_passes_over_who_is_cancelled_at_that_moment)
{
    struct co_lock lock = CO_LOCK_INIT;
    struct co_event done = CO_EVENT_INIT;
    CO_GROUP(group);
    co_task *a = co_spawn(&group, holds, &((struct holder){&lock, &done, "A"}));
    co_task *b = co_spawn(&group, holds, &((struct holder){&lock, NULL, "B"}));
    co_task *c = co_spawn(&group, holds, &((struct holder){&lock, NULL, "C"}));
    settle();
    co_event_set(&done);                            /* A releases... */
    co_cancel(b);                                   /* ...and B goes away, both now */
    settle();
    expect_is(co_result(a), 0);
    expect_is(co_result(b), -ECANCELED);
    expect_is(co_result(c), 0);
    expect(lock.hold == NULL);
    NOTED("A@0 C@0 ");
    return co_join(&group);
}

CONFORM(a_release_serves_one_though_another_was_cancelled)
{
    struct co_lock lock = CO_LOCK_INIT;
    struct co_event end = CO_EVENT_INIT;
    CO_GROUP(group);
    expect_is(co_lock_acquire(&lock), 0);
    co_task *t1 = co_spawn(&group, act, ACT(acquire, &lock, "1"));
    co_task *t2 = co_spawn(&group, holds, &((struct holder){&lock, &end, "2"}));
    co_task *t3 = co_spawn(&group, act, ACT(acquire, &lock, "3"));
    settle();
    co_cancel(t1);
    co_lock_release(&lock);
    settle();
    NOTED("1:cancelled@0 ");
    expect(co_done(t1) && !co_done(t2) && !co_done(t3));    /* 2 has it, and 3 has not */
    co_cancel(t3);
    co_event_set(&end);
    expect_is(co_join(&group), 0);
    NOTED("3:cancelled@0 2@0 ");
    return 0;
}

static int takes_briefly(void *job)
{
    int rc = co_lock_acquire(job);
    note("%d", rc);
    co_lock_release(job);
    return rc;
}

CONFORM(a_cancelled_waiter_does_not_keep_the_lock_from_the_next)
{
    struct co_lock lock = CO_LOCK_INIT;
    CO_GROUP(group);
    expect_is(co_lock_acquire(&lock), 0);
    co_task *b = co_spawn(&group, takes_briefly, &lock);
    settle();
    co_task *c = co_spawn(&group, takes_briefly, &lock);
    co_cancel(b);
    co_lock_release(&lock);                         /* c has not even begun to wait */
    settle();
    expect_is(co_result(b), -ECANCELED);
    expect_is(co_result(c), 0);
    return co_join(&group);
}

CONFORM(releasing_a_lock_that_is_not_held_is_refused)
{
    struct co_lock lock = CO_LOCK_INIT;
    expect_is(co_lock_release(&lock), -EPERM);
    return 0;
}

/* ---- Event ------------------------------------------------------------------------------------------------------- */

CONFORM(a_set_event_lets_all_go_on)
{
    struct co_event event = CO_EVENT_INIT;
    CO_GROUP(group);
    expect(!event.is_set);
    co_spawn(&group, act, ACT(wait_event, &event, "1"));
    co_spawn(&group, act, ACT(wait_event, &event, "2"));
    settle();
    NOTED("");
    co_spawn(&group, act, ACT(wait_event, &event, "3"));
    co_event_set(&event);
    expect_is(co_join(&group), 0);
    NOTED("3@0 1@0 2@0 ");                          /* 3 was ready before the set woke 1 and 2 */
    return 0;
}

CONFORM(waiting_for_a_set_event_takes_no_time)
{
    struct co_event event = CO_EVENT_INIT;
    CO_GROUP(group);
    co_spawn(&group, sleeper, MSEC(0));             /* would run if the wait let it */
    co_event_set(&event);
    expect_is(co_event_wait(&event), 0);
    NOTED("");
    return co_join(&group);
}

CONFORM(a_cancelled_wait_for_an_event_leaves_no_waiter)
{
    struct co_event event = CO_EVENT_INIT;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, act, ACT(wait_event, &event, "a"));
    settle();
    co_cancel(task);
    settle();
    NOTED("a:cancelled@0 ");
    expect(event.waiters.first == NULL);
    return co_join(&group);
}

CONFORM(a_cleared_event_is_not_set)
{
    struct co_event event = CO_EVENT_INIT;
    co_event_set(&event);
    expect(event.is_set);
    co_event_clear(&event);
    expect(!event.is_set);
    return 0;
}

CONFORM(who_was_woken_by_a_set_goes_on_though_it_was_cleared)
{
    struct co_event event = CO_EVENT_INIT;
    CO_GROUP(group);
    co_spawn(&group, act, ACT(wait_event, &event, "1"));
    settle();
    co_event_set(&event);
    co_event_clear(&event);
    expect(!event.is_set);
    co_event_set(&event);
    co_event_set(&event);
    settle();
    NOTED("1@0 ");
    expect(event.waiters.first == NULL);
    return co_join(&group);
}

/* ---- Condition --------------------------------------------------------------------------------------------------- */

struct cond_act {
    struct co_cond *cond;
    const char *label;
    bool (*test)(void *arg);                        /* NULL: one wait */
    void *arg;
    bool keeps;                                     /* does not release afterwards: the test does */
    struct co_event *until;                         /* ...or keeps it until this */
};

/* Takes the lock, waits for the condition, notes, releases. */
static int waits_on_cond(void *job)
{
    struct cond_act *a = job;
    int rc = co_lock_acquire(a->cond->lock);
    if (rc < 0)
        return rc;
    rc = a->test ? co_cond_wait_for(a->cond, a->test, a->arg) : co_cond_wait(a->cond);
    if (rc < 0)
        note("%s:%s", a->label, co_strerror(rc));
    else
        note("%s", a->label);
    if (a->until && rc == 0)
        rc = co_event_wait(a->until);
    expect_is(co_lock_release(a->cond->lock), 0);   /* held in every case */
    return rc;
}

#define COND(cond_, ...) (&(struct cond_act){.cond = (cond_), __VA_ARGS__})

CONFORM(a_notified_task_goes_on_when_it_has_the_lock_again)
{
    struct co_lock lock = CO_LOCK_INIT;
    struct co_cond cond = CO_COND_INIT(&lock);
    struct co_event next[3] = {CO_EVENT_INIT, CO_EVENT_INIT, CO_EVENT_INIT};
    CO_GROUP(group);
    co_spawn(&group, waits_on_cond, COND(&cond, .label = "1", .until = &next[0]));
    co_spawn(&group, waits_on_cond, COND(&cond, .label = "2", .until = &next[1]));
    co_spawn(&group, waits_on_cond, COND(&cond, .label = "3", .until = &next[2]));
    settle();
    expect(!co_lock_locked(&lock));                 /* a wait gives the lock back */
    expect_is(co_lock_acquire(&lock), 0);
    expect_is(co_cond_notify(&cond, 1), 0);
    settle();
    NOTED("");                                      /* notified, but the lock is ours */
    co_lock_release(&lock);
    settle();
    NOTED("1@0 ");
    expect(co_lock_locked(&lock));
    co_event_set(&next[0]);
    settle();
    NOTED("");                                      /* the lock alone wakes nobody */
    expect_is(co_lock_acquire(&lock), 0);
    expect_is(co_cond_notify(&cond, 2), 0);
    co_lock_release(&lock);
    settle();
    NOTED("2@0 ");                                  /* two were notified, one has the lock */
    co_event_set(&next[1]);
    settle();
    NOTED("3@0 ");
    co_event_set(&next[2]);
    return co_join(&group);
}

CONFORM(a_cancelled_wait_for_a_condition_has_the_lock_again)
{
    struct co_lock lock = CO_LOCK_INIT;
    struct co_cond cond = CO_COND_INIT(&lock);
    CO_GROUP(group);
    co_task *task = co_spawn(&group, waits_on_cond, COND(&cond, .label = "a"));
    settle();
    co_cancel(task);
    settle();
    NOTED("a:cancelled@0 ");                         /* its release was not refused */
    expect(cond.waiters.first == NULL);
    expect(!co_lock_locked(&lock));
    return co_join(&group);
}

/* Notified, then cancelled while somebody else holds the lock. */
CONFORM(a_task_cancelled_while_it_takes_the_lock_again_still_takes_it)
{
    struct co_lock lock = CO_LOCK_INIT;
    struct co_cond cond = CO_COND_INIT(&lock);
    CO_GROUP(group);
    co_task *task = co_spawn(&group, waits_on_cond, COND(&cond, .label = "a"));
    settle();
    expect_is(co_lock_acquire(&lock), 0);
    expect_is(co_cond_notify(&cond, 1), 0);
    settle();
    co_cancel(task);
    settle();
    expect(!co_done(task));                         /* it waits for the lock, cancelled or not */
    co_lock_release(&lock);
    settle();
    expect(co_done(task));
    expect(!co_lock_locked(&lock));
    return co_join(&group);
}

CONFORM(a_waiter_cancelled_as_the_lock_comes_free_takes_it)
{
    struct co_lock lock = CO_LOCK_INIT;
    struct co_cond cond = CO_COND_INIT(&lock);
    struct co_event done = CO_EVENT_INIT;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, waits_on_cond, COND(&cond, .label = "a", .until = &done));
    settle();
    expect_is(co_lock_acquire(&lock), 0);
    expect_is(co_cond_notify(&cond, 1), 0);
    co_lock_release(&lock);
    co_cancel(task);
    settle();
    expect(co_done(task));
    expect(!co_lock_locked(&lock));                 /* it held it to the end, and gave it back */
    return co_join(&group);
}

CONFORM(waiting_for_a_condition_without_the_lock_is_refused)
{
    struct co_lock lock = CO_LOCK_INIT;
    struct co_cond cond = CO_COND_INIT(&lock);
    expect_is(co_cond_wait(&cond), -EPERM);
    return 0;
}

static bool is_true(void *arg) { return *(bool *)arg; }

CONFORM(wait_for_looks_again_after_each_notification)
{
    struct co_lock lock = CO_LOCK_INIT;
    struct co_cond cond = CO_COND_INIT(&lock);
    bool ready = false;
    CO_GROUP(group);
    co_spawn(&group, waits_on_cond, COND(&cond, .label = "1", .test = is_true, .arg = &ready));
    settle();
    CO_WITH_LOCK(&lock)
        co_cond_notify(&cond, 1);
    settle();
    NOTED("");
    ready = true;
    CO_WITH_LOCK(&lock)
        co_cond_notify(&cond, 1);
    settle();
    NOTED("1@0 ");
    return co_join(&group);
}

CONFORM(wait_for_without_the_lock_is_refused_whatever_the_test_says)
{
    struct co_lock lock = CO_LOCK_INIT;
    struct co_cond cond = CO_COND_INIT(&lock);
    expect_is(co_cond_wait_for(&cond, is_true, &(bool){false}), -EPERM);
    expect_is(co_cond_wait_for(&cond, is_true, &(bool){true}), -EPERM);
    return 0;
}

CONFORM(notify_wakes_as_many_as_asked)
{
    struct co_lock lock = CO_LOCK_INIT;
    struct co_cond cond = CO_COND_INIT(&lock);
    CO_GROUP(group);
    co_spawn(&group, waits_on_cond, COND(&cond, .label = "1"));
    co_spawn(&group, waits_on_cond, COND(&cond, .label = "2"));
    co_spawn(&group, waits_on_cond, COND(&cond, .label = "3"));
    settle();
    CO_WITH_LOCK(&lock)
        expect_is(co_cond_notify(&cond, 1), 0);
    settle();
    NOTED("1@0 ");
    CO_WITH_LOCK(&lock) {
        expect_is(co_cond_notify(&cond, 1), 0);
        expect_is(co_cond_notify(&cond, 2048), 0);  /* more than there are */
    }
    settle();
    NOTED("2@0 3@0 ");
    return co_join(&group);
}

CONFORM(notify_all_wakes_all)
{
    struct co_lock lock = CO_LOCK_INIT;
    struct co_cond cond = CO_COND_INIT(&lock);
    CO_GROUP(group);
    co_spawn(&group, waits_on_cond, COND(&cond, .label = "1"));
    co_spawn(&group, waits_on_cond, COND(&cond, .label = "2"));
    settle();
    CO_WITH_LOCK(&lock)
        expect_is(co_cond_notify_all(&cond), 0);
    settle();
    NOTED("1@0 2@0 ");
    return co_join(&group);
}

CONFORM(notify_without_the_lock_is_refused)
{
    struct co_lock lock = CO_LOCK_INIT;
    struct co_cond cond = CO_COND_INIT(&lock);
    expect_is(co_cond_notify(&cond, 1), -EPERM);
    expect_is(co_cond_notify_all(&cond), -EPERM);
    return 0;
}

CONFORM(a_condition_is_entered_through_its_lock)
{
    struct co_lock lock = CO_LOCK_INIT;
    struct co_cond cond = CO_COND_INIT(&lock);
    expect(!co_lock_locked(&lock));
    CO_WITH_LOCK(cond.lock)
        expect(co_lock_locked(&lock));
    expect(!co_lock_locked(&lock));
    return 0;
}

CONFORM(conditions_may_share_a_lock)
{
    struct co_lock lock = CO_LOCK_INIT;
    struct co_cond full = CO_COND_INIT(&lock), empty = CO_COND_INIT(&lock);
    CO_GROUP(group);
    co_spawn(&group, waits_on_cond, COND(&full, .label = "full"));
    co_spawn(&group, waits_on_cond, COND(&empty, .label = "empty"));
    settle();
    CO_WITH_LOCK(&lock)
        co_cond_notify_all(&empty);
    settle();
    NOTED("empty@0 ");                              /* the other one's waiters sleep on */
    CO_WITH_LOCK(&lock)
        co_cond_notify_all(&full);
    expect_is(co_join(&group), 0);
    NOTED("full@0 ");
    return 0;
}

CONFORM(a_timeout_ends_a_wait_for_a_condition_with_the_lock_held)
{
    struct co_lock lock = CO_LOCK_INIT;
    struct co_cond cond = CO_COND_INIT(&lock);
    struct co_timeout limit;
    expect_is(co_lock_acquire(&lock), 0);
    co_timeout_begin(&limit, CO_MS(500));
    expect_is(co_timeout_end(&limit, co_cond_wait(&cond)), -ETIMEDOUT);
    expect_is(co_now(), CO_MS(500));
    expect_is(co_lock_release(&lock), 0);
    return 0;
}

/* Takes one unit of what there is, again and again, until there is less than none. */
struct stock {
    struct co_cond cond;
    int units;
};

static bool not_zero(void *stock) { return ((struct stock *)stock)->units != 0; }
static bool is_zero(void *stock) { return ((struct stock *)stock)->units == 0; }

static int takes_units(void *job)
{
    struct stock *stock = job;
    int rc = co_lock_acquire(stock->cond.lock);
    if (rc < 0)
        return rc;
    while ((rc = co_cond_wait_for(&stock->cond, not_zero, stock)) == 0 && stock->units > 0)
        stock->units--;
    co_lock_release(stock->cond.lock);
    return rc;
}

/* One unit is there, one consumer is told and cancelled at the same moment: the unit is used all the same. */
static int notification_survives(bool settles_first)
{
    struct co_lock lock = CO_LOCK_INIT;
    struct stock stock = {.cond = CO_COND_INIT(&lock)};
    struct co_timeout limit;
    CO_GROUP(group);
    co_task *first = co_spawn(&group, takes_units, &stock);
    co_spawn(&group, takes_units, &stock);
    settle();
    expect_is(co_lock_acquire(&lock), 0);
    stock.units = 1;
    expect_is(co_cond_notify(&stock.cond, 1), 0);
    if (settles_first)
        settle();                                   /* it now waits for the lock */
    co_cancel(first);
    co_timeout_begin(&limit, CO_MS(10));
    int rc = co_timeout_end(&limit, co_cond_wait_for(&stock.cond, is_zero, &stock));
    expect(rc == 0 || rc == -ETIMEDOUT);            /* nobody need tell us that it was used */
    expect_is(stock.units, 0);
    stock.units = -1;
    co_cond_notify_all(&stock.cond);
    co_lock_release(&lock);
    return co_join(&group);
}

CONFORM(a_notification_is_not_lost_with_who_was_cancelled)
{
    return notification_survives(false);
}

CONFORM(a_notification_is_not_lost_with_who_was_cancelled_at_the_lock)
{
    return notification_survives(true);
}

/* ---- Semaphore --------------------------------------------------------------------------------------------------- */

CONFORM(a_semaphore_serves_as_many_as_it_has_places)
{
    struct co_sem sem = CO_SEM_INIT(3);
    CO_GROUP(group);
    expect_is(co_sem_acquire(&sem), 0);
    expect_is(co_sem_acquire(&sem), 0);
    expect_is(sem.value, 1);
    co_task *t1 = co_spawn(&group, act, ACT(enter, &sem, "1"));
    co_task *t2 = co_spawn(&group, act, ACT(enter, &sem, "2"));
    co_task *t3 = co_spawn(&group, act, ACT(enter, &sem, "3"));
    settle();
    NOTED("1@0 ");
    expect_is(sem.value, 0);
    co_task *t4 = co_spawn(&group, act, ACT(enter, &sem, "4"));
    co_sem_release(&sem);
    co_sem_release(&sem);
    expect_is(sem.value, 0);                        /* handed over, not put back */
    settle();
    NOTED("2@0 3@0 ");
    expect(co_done(t1) && co_done(t2) && co_done(t3) && !co_done(t4));
    co_sem_release(&sem);
    return co_join(&group);
}

CONFORM(a_cancelled_acquire_leaves_no_waiter_at_the_semaphore)
{
    struct co_sem sem = CO_SEM_INIT(1);
    CO_GROUP(group);
    expect_is(co_sem_acquire(&sem), 0);
    co_task *task = co_spawn(&group, act, ACT(enter, &sem, "a"));
    settle();
    co_cancel(task);
    settle();
    NOTED("a:cancelled@0 ");
    expect(sem.waiters.first == NULL);
    co_sem_release(&sem);
    expect_is(sem.value, 1);
    return co_join(&group);
}

CONFORM(a_place_goes_to_the_first_who_was_not_cancelled)
{
    struct co_sem sem = CO_SEM_INIT(0);
    CO_GROUP(group);
    co_task *tasks[4];
    struct act enters = {enter, &sem, "t"};
    for (int i = 0; i < 4; i++)
        tasks[i] = co_spawn(&group, act, &enters);
    settle();
    co_cancel(tasks[0]);
    co_cancel(tasks[1]);
    co_sem_release(&sem);
    settle();
    expect_is(co_result(tasks[0]), -ECANCELED);
    expect_is(co_result(tasks[1]), -ECANCELED);
    expect_is(co_result(tasks[2]), 0);
    expect(!co_done(tasks[3]));
    co_cancel(tasks[3]);
    return co_join(&group);
}

CONFORM(a_release_after_a_cancel_does_not_hang_the_next)
{
    struct co_sem sem = CO_SEM_INIT(0);
    CO_GROUP(group);
    co_task *t1 = co_spawn(&group, act, ACT(enter, &sem, "1"));
    co_task *t2 = co_spawn(&group, act, ACT(enter, &sem, "2"));
    settle();
    co_cancel(t1);
    co_sem_release(&sem);
    settle();
    expect_is(sem.value, 0);
    expect(co_done(t2));
    return co_join(&group);
}

struct pair {
    struct co_sem *sem;
    co_task **other;
};

static int leaves_then_cancels(void *job)
{
    struct pair *pair = job;
    CO_WITH_SEM(pair->sem)
        co_yield();
    co_cancel(*pair->other);                        /* which has just been given the place */
    return 0;
}

static int enters_if_it_may(void *sem)
{
    CO_WITH_SEM(sem)
        note("in");
    return co_sleep(0);
}

CONFORM(a_place_is_not_lost_with_who_was_cancelled)
{
    struct co_sem sem = CO_SEM_INIT(1);
    co_task *second;
    CO_GROUP(group);
    co_task *first = co_spawn(&group, leaves_then_cancels, &((struct pair){&sem, &second}));
    second = co_spawn(&group, enters_if_it_may, &sem);
    settle();
    expect_is(co_result(first), 0);
    expect_is(co_result(second), -ECANCELED);
    /* A place that was given is given; the cancel shows at the next wait. */
    NOTED("in@0 ");
    expect_is(co_wait_for(enter, &sem, CO_SEC(1)), 0);
    expect_is(co_now(), 0);
    return co_join(&group);
}

static int twice(void *job)
{
    struct act *a = job;
    struct co_sem *sem = a->what;
    for (int i = 1; i <= 2; i++) {
        expect_is(co_sem_acquire(sem), 0);
        note("%s_%d", a->label, i);
        expect_is(co_sleep(CO_MS(10)), 0);
        co_sem_release(sem);
    }
    return 0;
}

CONFORM(who_comes_again_stands_at_the_end_of_the_line)
{
    struct co_sem sem = CO_SEM_INIT(1);
    CO_GROUP(group);
    co_spawn(&group, twice, ACT(NULL, &sem, "c1"));
    co_spawn(&group, twice, ACT(NULL, &sem, "c2"));
    co_spawn(&group, twice, ACT(NULL, &sem, "c3"));
    expect_is(co_join(&group), 0);
    NOTED("c1_1@0 c2_1@10 c3_1@20 c1_2@30 c2_2@40 c3_2@50 ");
    return 0;
}

static int enters_releases_enters(void *sem)
{
    expect_is(co_sem_acquire(sem), 0);
    note("2");
    co_sem_release(sem);
    expect_is(co_sem_acquire(sem), 0);
    note("4");
    return 0;
}

/* A release hands over, in asyncio too: 3 has its place before 2 asks again. There 2 then waits until 3 has run
 * (1 2 3 4), though a place is left over; here it takes that place. */
CONFORM(a_place_handed_over_is_taken_before_its_task_runs)
{
    struct co_sem sem = CO_SEM_INIT(1);
    CO_GROUP(group);
    co_spawn(&group, act, ACT(enter, &sem, "1"));
    co_spawn(&group, enters_releases_enters, &sem);
    co_spawn(&group, act, ACT(enter, &sem, "3"));
    settle();
    co_sem_release(&sem);
    co_sem_release(&sem);
    expect_is(co_join(&group), 0);
    NOTED("1@0 2@0 4@0 3@0 ");
    expect_is(sem.value, 0);
    return 0;
}

CONFORM(the_line_closes_up_behind_who_was_cancelled)
{
    struct co_sem sem = CO_SEM_INIT(0);
    CO_GROUP(group);
    co_task *t1 = co_spawn(&group, act, ACT(enter, &sem, "1"));
    co_spawn(&group, act, ACT(enter, &sem, "2"));
    co_spawn(&group, act, ACT(enter, &sem, "3"));
    settle();
    co_cancel(t1);
    settle();
    co_sem_release(&sem);
    co_sem_release(&sem);
    expect_is(co_join(&group), 0);
    NOTED("1:cancelled@0 2@0 3@0 ");
    return 0;
}

static int releases_three_and_enters(void *sem)
{
    for (int i = 0; i < 3; i++)
        co_sem_release(sem);
    int rc = co_sem_acquire(sem);
    note("2");
    return rc;
}

CONFORM(places_released_at_once_serve_all_who_wait)
{
    struct co_sem sem = CO_SEM_INIT(0);
    CO_GROUP(group);
    co_spawn(&group, act, ACT(enter, &sem, "1"));
    co_spawn(&group, releases_three_and_enters, &sem);
    co_spawn(&group, act, ACT(enter, &sem, "3"));
    expect_is(co_join(&group), 0);
    expect_is(sem.value, 0);
    NOTED("2@0 3@0 1@0 ");                          /* 1 has its place since the release, and runs in its turn */
    return 0;
}

CONFORM(a_semaphore_of_none_is_locked)
{
    struct co_sem none = CO_SEM_INIT(0), one = CO_SEM_INIT(1);
    expect(co_sem_locked(&none));
    expect(!co_sem_locked(&one));
    return 0;
}

CONFORM(a_bounded_semaphore_refuses_a_release_too_many)
{
    struct co_sem sem = CO_BOUNDED_SEM_INIT(1);
    expect_is(co_sem_release(&sem), -EOVERFLOW);
    expect_is(co_sem_acquire(&sem), 0);
    expect_is(co_sem_release(&sem), 0);
    expect_is(co_sem_release(&sem), -EOVERFLOW);
    return 0;
}

CONFORM(a_released_semaphore_without_waiters_is_free)
{
    struct co_sem sem = CO_SEM_INIT(1);
    expect_is(co_sem_acquire(&sem), 0);
    expect(co_sem_locked(&sem));
    expect_is(co_sem_release(&sem), 0);
    expect(!co_sem_locked(&sem));
    return 0;
}

CONFORM(a_released_lock_without_waiters_is_free)
{
    struct co_lock lock = CO_LOCK_INIT;
    expect_is(co_lock_acquire(&lock), 0);
    expect(co_lock_locked(&lock));
    expect_is(co_lock_release(&lock), 0);
    expect(!co_lock_locked(&lock));
    return 0;
}

CONFORM(with_lock_holds_it_inside_only)
{
    struct co_lock lock = CO_LOCK_INIT;
    expect(!co_lock_locked(&lock));
    CO_WITH_LOCK(&lock)
        expect(co_lock_locked(&lock));
    expect(!co_lock_locked(&lock));
    return 0;
}

/* ---- Barrier ----------------------------------------------------------------------------------------------------- */

static int meet(void *barrier) { return co_barrier_wait(barrier); }

/* Meets the others `rounds` times, and notes how each ended. */
struct party {
    struct co_barrier *barrier;
    int rounds;
};

static int meets(void *job)
{
    struct party *party = job;
    int rc = 0;
    for (int i = 0; i < party->rounds && rc >= 0; i++) {
        rc = co_barrier_wait(party->barrier);
        note(rc < 0 ? "-" : "%d", rc);
    }
    return rc == -CO_EBROKEN ? 0 : rc;
}

static void spawn_parties(struct co_group *group, struct party *party, int n)
{
    for (int i = 0; i < n; i++)
        co_spawn(group, meets, party);
}

CONFORM(each_party_gets_a_number_of_its_own)
{
    struct co_barrier barrier = CO_BARRIER_INIT(3);
    int seen[3] = {0};
    CO_GROUP(group);
    for (int i = 0; i < 3; i++)
        co_spawn(&group, meet, &barrier);
    co_task *done;
    while (co_next_done(&group, &done) > 0)
        if (co_result(done) >= 0 && co_result(done) < 3)
            seen[co_result(done)]++;
    for (int i = 0; i < 3; i++)
        expect_is(seen[i], 1);
    expect_is(barrier.waiting, 0);
    expect(!barrier.broken);
    return 0;
}

CONFORM(a_party_of_one_never_waits)
{
    struct co_barrier barrier = CO_BARRIER_INIT(1);
    for (int i = 0; i < 2; i++) {
        expect_is(co_barrier_wait(&barrier), 0);
        expect_is(barrier.waiting, 0);
    }
    expect(!barrier.broken);
    return 0;
}

CONFORM(the_barrier_counts_who_waits)
{
    struct co_barrier barrier = CO_BARRIER_INIT(3);
    struct act meets_once = {meet, &barrier, "x"};
    CO_GROUP(group);
    for (int i = 1; i <= 2; i++) {
        co_spawn(&group, act, &meets_once);
        settle();
        expect_is(barrier.waiting, i);
    }
    NOTED("");
    co_spawn(&group, act, &meets_once);
    settle();
    expect_is(barrier.waiting, 0);
    expect(!barrier.broken);
    NOTED("x@0 x@0 x@0 ");
    return co_join(&group);
}

CONFORM(a_barrier_serves_round_after_round)
{
    struct co_barrier barrier = CO_BARRIER_INIT(5);
    struct party party = {&barrier, 2};
    CO_GROUP(group);
    spawn_parties(&group, &party, 5);
    expect_is(co_join(&group), 0);
    expect_is(count_of(board->text, "@0"), 10);
    expect_is(count_of(board->text, "-"), 0);
    for (char number[] = "0@"; number[0] < '5'; number[0]++)
        expect_is(count_of(board->text, number), 2);    /* each number once a round */
    expect_is(barrier.waiting, 0);
    expect(!barrier.broken);
    return 0;
}

/* No state between full and empty: the round is over when the last has come. */
static int meets_and_looks(void *job)
{
    struct co_barrier *barrier = job;
    int rc = co_barrier_wait(barrier);
    expect_is(barrier->waiting, 0);
    return rc;
}

CONFORM(the_barrier_is_empty_as_soon_as_it_was_full)
{
    struct co_barrier barrier = CO_BARRIER_INIT(5);
    CO_GROUP(group);
    for (int i = 0; i < 5; i++)
        co_spawn(&group, meets_and_looks, &barrier);
    return co_join(&group);
}

CONFORM(who_is_fast_waits_in_the_next_round)
{
    struct co_barrier barrier = CO_BARRIER_INIT(5);
    struct party once = {&barrier, 1}, twice_ = {&barrier, 2};
    CO_GROUP(group);
    spawn_parties(&group, &twice_, 2);
    spawn_parties(&group, &once, 3);
    settle();
    expect_is(barrier.waiting, 2);                  /* of the next round, though the others had not all run */
    spawn_parties(&group, &once, 3);
    expect_is(co_join(&group), 0);
    expect_is(barrier.waiting, 0);
    return 0;
}

CONFORM(who_is_cancelled_at_the_barrier_must_be_replaced)
{
    struct co_barrier barrier = CO_BARRIER_INIT(3);
    CO_GROUP(group);
    co_task *t1 = co_spawn(&group, act, ACT(meet, &barrier, "1"));
    co_spawn(&group, act, ACT(meet, &barrier, "2"));
    settle();
    expect_is(barrier.waiting, 2);
    co_cancel(t1);
    settle();
    expect_is(barrier.waiting, 1);
    NOTED("1:cancelled@0 ");
    co_spawn(&group, act, ACT(meet, &barrier, "3"));
    settle();
    expect_is(barrier.waiting, 2);
    NOTED("");
    co_spawn(&group, act, ACT(meet, &barrier, "4"));
    expect_is(co_join(&group), 0);
    expect_is(count_of(board->text, "@0"), 3);
    expect(!barrier.broken);
    return 0;
}

CONFORM(who_is_cancelled_at_the_barrier_counts_no_more_at_once)
{
    struct co_barrier barrier = CO_BARRIER_INIT(2);
    CO_GROUP(group);
    co_task *first = co_spawn(&group, act, ACT(meet, &barrier, "1"));
    settle();
    co_cancel(first);
    co_spawn(&group, act, ACT(meet, &barrier, "3"));
    expect_is(co_barrier_wait(&barrier), 0);        /* together with 3: 1 has gone, though it has not run since */
    expect_is(co_join(&group), 0);
    NOTED("1:cancelled@0 3@0 ");
    expect_is(barrier.waiting, 0);
    return 0;
}

CONFORM(a_reset_of_an_empty_barrier_changes_nothing)
{
    struct co_barrier barrier = CO_BARRIER_INIT(1);
    co_barrier_reset(&barrier);
    expect_is(barrier.waiting, 0);
    expect(!barrier.broken);
    expect_is(co_barrier_wait(&barrier), 0);
    return 0;
}

CONFORM(a_reset_sends_away_who_waits)
{
    struct co_barrier barrier = CO_BARRIER_INIT(5);
    struct party party = {&barrier, 1};
    CO_GROUP(group);
    spawn_parties(&group, &party, 4);
    settle();
    co_barrier_reset(&barrier);
    expect_is(co_join(&group), 0);
    NOTED("-@0 -@0 -@0 -@0 ");
    expect_is(barrier.waiting, 0);
    expect(!barrier.broken);
    return 0;
}

/* Does `change` to the barrier when it is the third to come through, then meets once more. */
struct changer {
    struct co_barrier *barrier;
    void (*change)(struct co_barrier *barrier);
    int through;
};

static int meets_and_changes(void *job)
{
    struct changer *c = job;
    int rc = co_barrier_wait(c->barrier);
    note(rc < 0 ? "-" : "+");
    if (rc >= 0 && ++c->through == 3)
        c->change(c->barrier);
    return 0;
}

CONFORM(a_reset_does_not_reach_who_was_let_through)
{
    struct co_barrier barrier = CO_BARRIER_INIT(5);
    struct changer changer = {&barrier, co_barrier_reset, 0};
    CO_GROUP(group);
    for (int i = 0; i < 5; i++)
        co_spawn(&group, meets_and_changes, &changer);
    expect_is(co_join(&group), 0);
    NOTED("+@0 +@0 +@0 +@0 +@0 ");
    expect(!barrier.broken);
    return 0;
}

static int comes_twice_and_changes(void *job)
{
    struct changer *c = job;
    int rc = co_barrier_wait(c->barrier);
    note(rc < 0 ? "-" : "+");
    if (++c->through == 5) {
        c->change(c->barrier);                      /* the other four stand in the next round by now */
        return 0;
    }
    rc = co_barrier_wait(c->barrier);
    note(rc < 0 ? "-" : "+");
    return 0;
}

CONFORM(a_reset_sends_away_who_waits_in_the_next_round)
{
    struct co_barrier barrier = CO_BARRIER_INIT(5);
    struct changer changer = {&barrier, co_barrier_reset, 0};
    CO_GROUP(group);
    for (int i = 0; i < 5; i++)
        co_spawn(&group, comes_twice_and_changes, &changer);
    expect_is(co_join(&group), 0);
    expect_is(count_of(board->text, "+"), 5);
    expect_is(count_of(board->text, "-"), 4);
    expect_is(barrier.waiting, 0);
    expect(!barrier.broken);
    return 0;
}

static int comes_again_after_a_reset(void *job)
{
    struct co_barrier *barrier = job;
    int rc = co_barrier_wait(barrier);
    note(rc < 0 ? "-" : "+");
    rc = co_barrier_wait(barrier);
    note(rc < 0 ? "-" : "+");
    return 0;
}

CONFORM(after_a_reset_the_barrier_serves_the_same_tasks_again)
{
    struct co_barrier barrier = CO_BARRIER_INIT(5);
    struct party party = {&barrier, 1};
    CO_GROUP(group);
    for (int i = 0; i < 4; i++)
        co_spawn(&group, comes_again_after_a_reset, &barrier);
    settle();
    co_barrier_reset(&barrier);
    settle();
    NOTED("-@0 -@0 -@0 -@0 ");
    expect_is(barrier.waiting, 4);
    spawn_parties(&group, &party, 1);
    expect_is(co_join(&group), 0);
    expect_is(count_of(board->text, "+"), 4);
    expect(!barrier.broken);
    return 0;
}

CONFORM(an_aborted_barrier_is_broken_for_all_who_come)
{
    struct co_barrier barrier = CO_BARRIER_INIT(1);
    co_barrier_abort(&barrier);
    expect_is(barrier.waiting, 0);
    expect(barrier.broken);
    expect_is(co_barrier_wait(&barrier), -CO_EBROKEN);
    return 0;
}

CONFORM(an_abort_breaks_who_waits_and_not_who_was_let_through)
{
    struct co_barrier barrier = CO_BARRIER_INIT(5);
    struct changer changer = {&barrier, co_barrier_abort, 0};
    CO_GROUP(group);
    for (int i = 0; i < 5; i++)
        co_spawn(&group, comes_twice_and_changes, &changer);
    expect_is(co_join(&group), 0);
    expect_is(count_of(board->text, "+"), 5);
    expect_is(count_of(board->text, "-"), 4);
    expect(barrier.broken);
    expect_is(barrier.waiting, 0);
    return 0;
}

static int fails_or_comes_again(void *job)
{
    struct co_barrier *barrier = job;
    int rc = co_barrier_wait(barrier);
    if (rc == 2) {                                  /* this one cannot go on: the others must not wait for it */
        co_barrier_abort(barrier);
        return 0;
    }
    rc = co_barrier_wait(barrier);
    note(rc < 0 ? "-" : "+");
    return 0;
}

CONFORM(who_fails_aborts_so_that_nobody_waits_for_ever)
{
    struct co_barrier barrier = CO_BARRIER_INIT(5);
    CO_GROUP(group);
    for (int i = 0; i < 5; i++)
        co_spawn(&group, fails_or_comes_again, &barrier);
    expect_is(co_join(&group), 0);
    NOTED("-@0 -@0 -@0 -@0 ");
    expect(barrier.broken);
    expect_is(barrier.waiting, 0);
    return 0;
}

CONFORM(a_reset_makes_a_broken_barrier_new)
{
    struct co_barrier barrier = CO_BARRIER_INIT(5);
    struct party party = {&barrier, 1};
    CO_GROUP(group);
    for (int i = 0; i < 5; i++)
        co_spawn(&group, fails_or_comes_again, &barrier);
    expect_is(co_join(&group), 0);
    NOTED("-@0 -@0 -@0 -@0 ");
    co_barrier_reset(&barrier);
    expect(!barrier.broken);
    spawn_parties(&group, &party, 5);
    expect_is(co_join(&group), 0);
    expect_is(count_of(board->text, "-"), 0);
    expect_is(barrier.waiting, 0);
    return 0;
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_released_lock_goes_to_waiters_in_order),
    cmocka_unit_test(a_cancelled_acquire_leaves_no_waiter),
    cmocka_unit_test(a_release_passes_over_who_is_cancelled_at_that_moment),
    cmocka_unit_test(a_release_serves_one_though_another_was_cancelled),
    cmocka_unit_test(a_cancelled_waiter_does_not_keep_the_lock_from_the_next),
    cmocka_unit_test(releasing_a_lock_that_is_not_held_is_refused),
    cmocka_unit_test(a_set_event_lets_all_go_on),
    cmocka_unit_test(waiting_for_a_set_event_takes_no_time),
    cmocka_unit_test(a_cancelled_wait_for_an_event_leaves_no_waiter),
    cmocka_unit_test(a_cleared_event_is_not_set),
    cmocka_unit_test(who_was_woken_by_a_set_goes_on_though_it_was_cleared),
    cmocka_unit_test(a_notified_task_goes_on_when_it_has_the_lock_again),
    cmocka_unit_test(a_cancelled_wait_for_a_condition_has_the_lock_again),
    cmocka_unit_test(a_task_cancelled_while_it_takes_the_lock_again_still_takes_it),
    cmocka_unit_test(a_waiter_cancelled_as_the_lock_comes_free_takes_it),
    cmocka_unit_test(waiting_for_a_condition_without_the_lock_is_refused),
    cmocka_unit_test(wait_for_looks_again_after_each_notification),
    cmocka_unit_test(wait_for_without_the_lock_is_refused_whatever_the_test_says),
    cmocka_unit_test(notify_wakes_as_many_as_asked),
    cmocka_unit_test(notify_all_wakes_all),
    cmocka_unit_test(notify_without_the_lock_is_refused),
    cmocka_unit_test(a_condition_is_entered_through_its_lock),
    cmocka_unit_test(conditions_may_share_a_lock),
    cmocka_unit_test(a_timeout_ends_a_wait_for_a_condition_with_the_lock_held),
    cmocka_unit_test(a_notification_is_not_lost_with_who_was_cancelled),
    cmocka_unit_test(a_notification_is_not_lost_with_who_was_cancelled_at_the_lock),
    cmocka_unit_test(a_semaphore_serves_as_many_as_it_has_places),
    cmocka_unit_test(a_cancelled_acquire_leaves_no_waiter_at_the_semaphore),
    cmocka_unit_test(a_place_goes_to_the_first_who_was_not_cancelled),
    cmocka_unit_test(a_release_after_a_cancel_does_not_hang_the_next),
    cmocka_unit_test(a_place_is_not_lost_with_who_was_cancelled),
    cmocka_unit_test(who_comes_again_stands_at_the_end_of_the_line),
    cmocka_unit_test(a_place_handed_over_is_taken_before_its_task_runs),
    cmocka_unit_test(the_line_closes_up_behind_who_was_cancelled),
    cmocka_unit_test(places_released_at_once_serve_all_who_wait),
    cmocka_unit_test(a_semaphore_of_none_is_locked),
    cmocka_unit_test(a_bounded_semaphore_refuses_a_release_too_many),
    cmocka_unit_test(a_released_semaphore_without_waiters_is_free),
    cmocka_unit_test(a_released_lock_without_waiters_is_free),
    cmocka_unit_test(with_lock_holds_it_inside_only),
    cmocka_unit_test(each_party_gets_a_number_of_its_own),
    cmocka_unit_test(a_party_of_one_never_waits),
    cmocka_unit_test(the_barrier_counts_who_waits),
    cmocka_unit_test(a_barrier_serves_round_after_round),
    cmocka_unit_test(the_barrier_is_empty_as_soon_as_it_was_full),
    cmocka_unit_test(who_is_fast_waits_in_the_next_round),
    cmocka_unit_test(who_is_cancelled_at_the_barrier_must_be_replaced),
    cmocka_unit_test(who_is_cancelled_at_the_barrier_counts_no_more_at_once),
    cmocka_unit_test(a_reset_of_an_empty_barrier_changes_nothing),
    cmocka_unit_test(a_reset_sends_away_who_waits),
    cmocka_unit_test(a_reset_does_not_reach_who_was_let_through),
    cmocka_unit_test(a_reset_sends_away_who_waits_in_the_next_round),
    cmocka_unit_test(after_a_reset_the_barrier_serves_the_same_tasks_again),
    cmocka_unit_test(an_aborted_barrier_is_broken_for_all_who_come),
    cmocka_unit_test(an_abort_breaks_who_waits_and_not_who_was_let_through),
    cmocka_unit_test(who_fails_aborts_so_that_nobody_waits_for_ever),
    cmocka_unit_test(a_reset_makes_a_broken_barrier_new),
};

int main(void)
{
    return cmocka_run_group_tests_name("conform locks", tests, NULL, NULL);
}
