/* test_conform_tasks.c - tasks, cancelling, waiting for several, shields, gather and locals, as CPython's test_tasks
 * asks them. What test_await.c, test_cancel.c and test_group.c ask already is not asked again (CONFORMANCE.md). */
#include "conform.h"

static int returns(void *rc) { return (int)(intptr_t)rc; }

/* Sleeps, and returns rc. */
struct nap {
    int64_t ms;
    int rc;
};

static int naps(void *job)
{
    const struct nap *nap = job;
    int rc = co_sleep(CO_MS(nap->ms));
    return rc < 0 ? rc : nap->rc;
}
#define NAP(ms_, rc_) (&(struct nap){(ms_), (rc_)})

static int waits(void *event) { return co_event_wait(event); }

/* ---- What a task is ---------------------------------------------------------------------------------------------- */

CONFORM(a_task_is_done_with_its_result)
{
    CO_GROUP(group);
    co_task *task = co_spawn(&group, returns, MSEC(7));
    expect(!co_done(task));
    expect_is(co_result(task), -EINPROGRESS);
    expect_is(co_join(&group), 0);
    expect(co_done(task));
    expect_is(co_result(task), 7);
    return 0;
}

CONFORM(a_spawned_task_can_be_awaited)
{
    int rc;
    CO_GROUP(group);
    expect_is(co_await(co_spawn(&group, returns, MSEC(1)), &rc), 0);
    expect_is(rc, 1);
    return 0;
}

CONFORM(a_task_cannot_await_itself)
{
    int rc = 0;
    expect_is(co_await(co_current(), &rc), -EDEADLK);
    expect_is(rc, -EINPROGRESS);
    return 0;
}

CONFORM(numbers_rise_with_each_spawn)
{
    CO_GROUP(group);
    expect_is(co_id(co_current()), 1);
    co_task *t1 = co_spawn(&group, returns, NULL), *t2 = co_spawn(&group, returns, NULL);
    expect(co_id(t1) < co_id(t2));
    expect_is(co_join(&group), 0);
    expect(co_id(t2) < co_id(co_spawn(&group, returns, NULL)));     /* a number is never used twice */
    return co_join(&group);
}

CONFORM(a_task_can_be_named)
{
    CO_GROUP(group);
    co_task *task = co_spawn(&group, returns, NULL);
    expect_text(co_name(task), "returns");
    co_set_name(task, "No-op");
    expect_text(co_name(task), "No-op");
    return co_join(&group);
}

CONFORM(a_task_has_the_job_it_was_spawned_with)
{
    CO_GROUP(group);
    expect(co_job(co_spawn(&group, returns, MSEC(3))) == MSEC(3));
    return co_join(&group);
}

static int inner1(void) { return co_sleep(CO_MS(1)) < 0 ? -1 : 42; }
static int inner2(void) { return co_sleep(CO_MS(1)) < 0 ? -1 : 1000; }

CONFORM(a_task_calls_functions_that_wait)
{
    expect_is(inner1() + inner2(), 1042);           /* no `await` needed in between */
    expect_is(co_now(), CO_MS(2));
    return 0;
}

static int spawns_here(void *job)
{
    (void)job;
    CO_GROUP(group);
    MARK(0); co_spawn(&group, returns, NULL);
    return co_join(&group);
}

static void a_task_remembers_where_it_was_spawned(void **state)
{
    (void)state;
    char *trace = traced(spawns_here, NULL);
    assert_has(trace, "\"ev\":\"spawn\",\"task\":2,\"name\":\"returns\",\"src\":\"test_conform_tasks.c:%d\"",
               board->line[0]);
    free(trace);
}

static int knows_itself(void *job)
{
    co_task **me = job;
    expect(co_current() == *me);
    co_yield();
    expect(co_current() == *me);
    return co_sleep(CO_MS(1)) < 0 || co_current() != *me;
}

CONFORM(each_task_is_current_while_it_runs)
{
    co_task *t1, *t2, *me = co_current();
    CO_GROUP(group);
    t1 = co_spawn(&group, knows_itself, &t1);
    t2 = co_spawn(&group, knows_itself, &t2);
    expect_is(co_join(&group), 0);
    expect(co_current() == me && t1 != t2);
    return 0;
}

static void outside_a_loop_nobody_is_current(void **state)
{
    (void)state;
    assert_null(co_current());
}

CONFORM(all_tasks_are_those_that_are_not_done)
{
    co_task *tasks[4] = {NULL};
    CO_GROUP(group);
    expect_is(co_all_tasks(tasks, 4), 1);
    expect(tasks[0] == co_current());
    co_task *t1 = co_spawn(&group, naps, NAP(10, 0)), *t2 = co_spawn(&group, naps, NAP(20, 0));
    expect_is(co_all_tasks(tasks, 4), 3);
    expect(tasks[0] == co_current() && tasks[1] == t1 && tasks[2] == t2);
    expect_is(co_sleep(CO_MS(15)), 0);
    expect_is(co_all_tasks(tasks, 4), 2);           /* t1 is done, though still a good handle */
    expect(tasks[1] == t2);
    expect_is(co_join(&group), 0);
    expect_is(co_all_tasks(tasks, 4), 1);
    return 0;
}

CONFORM(all_tasks_tells_how_many_there_are_though_not_all_fit)
{
    co_task *tasks[2] = {NULL};
    CO_GROUP(group);
    for (int i = 0; i < 5; i++)
        co_spawn(&group, returns, NULL);
    expect_is(co_all_tasks(tasks, 1), 6);
    expect(tasks[0] == co_current() && tasks[1] == NULL);
    expect_is(co_all_tasks(NULL, 0), 6);
    return co_join(&group);
}

static void notes_end(co_task *task, void *arg)
{
    expect(co_done(task));
    note("%s%d", (const char *)arg, co_result(task));
}

static int awaits_and_notes(void *task)
{
    int rc;
    expect_is(co_await(task, &rc), 0);
    note("awaited");
    return 0;
}

CONFORM(done_callbacks_run_once_in_order_before_anybody_goes_on)
{
    CO_GROUP(group);
    co_task *task = co_spawn(&group, naps, NAP(10, 5));
    co_spawn(&group, awaits_and_notes, task);
    expect_is(co_on_done(task, notes_end, "a"), 0);
    expect_is(co_on_done(task, notes_end, "b"), 0);
    co_yield();
    NOTED("");
    expect_is(co_join(&group), 0);
    NOTED("a5@10 b5@10 awaited@10 ");
    expect_is(co_on_done(task, notes_end, "c"), 0);     /* it has ended already: at once */
    NOTED("c5@10 ");
    return 0;
}

/* ---- Cancelling -------------------------------------------------------------------------------------------------- */

static int sleeps_long(void *job)
{
    (void)job;
    int rc = co_sleep(CO_SEC(10));
    note(rc < 0 ? "told" : "slept");
    return rc < 0 ? rc : 12;
}

/* Cancels fn(job) when it has begun to wait, and says what it returned. */
static int cancelled(co_fn fn, void *job)
{
    int rc;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, fn, job);
    settle();
    co_cancel(task);
    expect_is(co_await(task, &rc), 0);
    co_cancel(task);                                /* done: nothing to cancel any more */
    expect_is(co_result(task), rc);
    return rc;
}

CONFORM(a_cancelled_sleep_ends_at_once)
{
    expect_is(cancelled(sleeps_long, NULL), -ECANCELED);
    NOTED("told@0 ");
    return 0;
}

CONFORM(a_task_cancelled_while_others_run_is_told_then)
{
    int rc;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, sleeps_long, NULL);
    expect_is(co_sleep(CO_MS(100)), 0);
    co_cancel(task);
    expect_is(co_await(task, &rc), 0);
    expect_is(rc, -ECANCELED);
    NOTED("told@100 ");
    return 0;
}

static int yields_twice(void *job)
{
    (void)job;
    co_yield();
    int rc = co_sleep(0);
    return rc < 0 ? rc : 12;
}

CONFORM(a_task_cancelled_while_ready_notices_at_its_next_wait)
{
    int rc;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, yields_twice, NULL);
    co_yield();                                     /* it stands in its first yield now */
    co_cancel(task);
    expect_is(co_await(task, &rc), 0);
    expect_is(rc, -ECANCELED);
    return 0;
}

static int awaits(void *task)
{
    int child;
    int rc = co_await(task, &child);
    note("me %d child %d", rc, child);
    return rc;
}

CONFORM(a_task_and_who_awaits_it_may_both_be_cancelled)
{
    struct co_event never = CO_EVENT_INIT;
    CO_GROUP(group);
    co_task *child = co_spawn(&group, waits, &never), *parent = co_spawn(&group, awaits, child);
    settle();
    co_cancel(child);
    co_cancel(parent);
    expect_is(co_join(&group), 0);
    expect_is(co_result(child), -ECANCELED);
    expect_is(co_result(parent), -ECANCELED);
    return 0;
}

static int returns_42_when_told(void *job)
{
    return co_event_wait(job) == -ECANCELED ? 42 : 0;
}

CONFORM(a_task_may_answer_a_cancel_with_a_result)
{
    struct co_event never = CO_EVENT_INIT;
    expect_is(cancelled(returns_42_when_told, &never), 42);
    return 0;
}

/* asyncio tells a task once: the next await works as ever. Here it is told until it ends. */
static int ignores(void *job)
{
    (void)job;
    int told = 0;
    for (int i = 0; i < 3; i++)
        told += co_sleep(CO_SEC(1)) == -ECANCELED;
    return told;
}

CONFORM(who_ignores_a_cancel_is_told_again)
{
    expect_is(cancelled(ignores, NULL), 3);
    expect_is(co_now(), 0);
    return 0;
}

/* asyncio's uncancel() counts a cancel down, and since 3.13 takes back one that the task has not heard of yet.
 * Here there is no way back; what must still wait does so under a shield. */
static int cleans_up_and_hopes(void *job)
{
    (void)job;
    struct co_shield shield;
    expect_is(co_sleep(CO_SEC(10)), -ECANCELED);
    co_shield_begin(&shield);
    expect_is(co_sleep(CO_MS(10)), 0);
    co_shield_end(&shield);
    return co_sleep(CO_SEC(10));
}

CONFORM(a_cancel_is_never_taken_back)
{
    expect_is(cancelled(cleans_up_and_hopes, NULL), -ECANCELED);
    expect_is(co_now(), CO_MS(10));
    return 0;
}

static int cancels_itself(void *job)
{
    co_cancel(co_current());
    note("runs on");
    return job ? 12 : co_sleep(CO_SEC(100));
}

CONFORM(a_task_that_cancels_itself_notices_at_its_next_wait)
{
    int rc;
    CO_GROUP(group);
    expect_is(co_await(co_spawn(&group, cancels_itself, NULL), &rc), 0);
    expect_is(rc, -ECANCELED);
    NOTED("runs on@0 ");
    return 0;
}

/* asyncio: cancelled, the 12 is lost. Here a result is a result. */
CONFORM(a_cancel_that_meets_no_wait_changes_no_result)
{
    int rc;
    CO_GROUP(group);
    expect_is(co_await(co_spawn(&group, cancels_itself, "ends"), &rc), 0);
    expect_is(rc, 12);
    return 0;
}

static int is_cancelled_and_awaits(void *job)
{
    int child_rc;
    struct co_event *never = job;
    CO_GROUP(group);
    co_task *child = co_spawn(&group, waits, never);
    co_yield();
    co_cancel(co_current());
    int rc = co_await(child, &child_rc);
    expect_is(child_rc, -EINPROGRESS);
    expect(!co_done(child));                        /* awaiting is not owning... */
    return rc;
}                                                   /* ...leaving the block is: the child is cancelled and waited for */

CONFORM(a_cancelled_await_leaves_the_child_to_its_group)
{
    int rc;
    struct co_event never = CO_EVENT_INIT;
    CO_GROUP(group);
    expect_is(co_await(co_spawn(&group, is_cancelled_and_awaits, &never), &rc), 0);
    expect_is(rc, -ECANCELED);
    expect(never.waiters.first == NULL);
    return 0;
}

static int proof;

static int inner_function(struct co_event *never)
{
    int rc = co_event_wait(never);
    if (rc < 0)
        proof += 1;
    return rc;
}

static int outer_function(void *job)
{
    if (inner_function(job) < 0)
        proof += 100;
    return 0;
}

CONFORM(a_cancel_passes_up_through_the_functions)
{
    struct co_event never = CO_EVENT_INIT;
    proof = 0;
    expect_is(cancelled(outer_function, &never), 0);
    expect_is(proof, 101);
    expect(never.waiters.first == NULL);
    return 0;
}

/* ---- Sleeping ---------------------------------------------------------------------------------------------------- */

CONFORM(sleeps_add_up)
{
    expect_is(co_sleep(CO_MS(50)), 0);
    expect_is(co_sleep(CO_MS(50)), 0);
    expect_is(co_now(), CO_MS(100));
    return 0;
}

CONFORM(a_sleep_of_nothing_lets_others_run_first)
{
    CO_GROUP(group);
    co_spawn(&group, sleeper, MSEC(0));
    co_task *task = co_spawn(&group, returns, MSEC(1));
    expect(!co_done(task));
    expect_is(co_sleep(0), 0);
    expect(co_done(task));
    expect_is(co_now(), 0);
    return co_join(&group);
}

static int waits_after_a_cancelled_sleep(void *job)
{
    (void)job;
    struct co_event never = CO_EVENT_INIT;
    expect_is(cancelled(sleeps_long, NULL), -ECANCELED);
    return co_event_wait(&never);
}

static void a_cancelled_sleep_leaves_no_timer(void **state)
{
    (void)state;
    struct child *child = forked(waits_after_a_cancelled_sleep, NULL);
    assert_int_equal(child->rc, -EDEADLK);
    assert_has(child->err, "deadlock at 0 ms");     /* nobody waits for the 10 s to pass */
}

/* ---- Waiting for several ----------------------------------------------------------------------------------------- */

CONFORM(waiting_again_for_what_is_done_takes_no_time)
{
    CO_GROUP(group);
    co_task *tasks[] = {co_spawn(&group, naps, NAP(150, 1)), co_spawn(&group, naps, NAP(100, 2))};
    for (int i = 0; i < 2; i++) {
        expect_is(co_wait(tasks, 2, CO_ALL_COMPLETED, CO_FOREVER), 2);
        expect_is(co_now(), CO_MS(150));
    }
    return 0;
}

CONFORM(a_failure_before_the_wait_ends_a_wait_for_the_first)
{
    CO_GROUP(group);
    co_task *tasks[] = {co_spawn(&group, returns, MSEC(-EDOM)), co_spawn(&group, naps, NAP(10000, 0))};
    expect_is(co_wait(tasks, 2, CO_FIRST_EXCEPTION, CO_FOREVER), 1);
    expect_is(co_now(), 0);
    expect(co_done(tasks[0]) && !co_done(tasks[1]));
    co_cancel(tasks[1]);
    expect_is(co_wait(tasks, 2, CO_ALL_COMPLETED, CO_FOREVER), 2);
    return 0;
}

CONFORM(a_failure_during_the_wait_ends_a_wait_for_the_first)
{
    CO_GROUP(group);
    co_task *tasks[] = {co_spawn(&group, naps, NAP(10, -EDOM)), co_spawn(&group, naps, NAP(10000, 0))};
    expect_is(co_wait(tasks, 2, CO_FIRST_EXCEPTION, CO_FOREVER), 1);
    expect_is(co_now(), CO_MS(10));
    expect(co_done(tasks[0]) && !co_done(tasks[1]));
    expect_is(co_wait(tasks, 2, CO_ALL_COMPLETED, CO_FOREVER), 2);
    return 0;
}

CONFORM(who_waits_for_all_waits_for_failures_too)
{
    CO_GROUP(group);
    co_task *tasks[] = {co_spawn(&group, naps, NAP(100, 0)), co_spawn(&group, naps, NAP(150, -EDOM))};
    for (int i = 0; i < 2; i++) {
        expect_is(co_wait(tasks, 2, CO_ALL_COMPLETED, CO_FOREVER), 2);
        expect_is((co_result(tasks[0]) < 0) + (co_result(tasks[1]) < 0), 1);
        expect_is(co_now(), CO_MS(150));
    }
    return 0;
}

CONFORM(a_task_that_ends_as_the_time_is_up_counts)
{
    CO_GROUP(group);
    co_task *tasks[] = {co_spawn(&group, naps, NAP(100, 0)), co_spawn(&group, naps, NAP(150, 0))};
    co_yield();
    expect_is(co_wait(tasks, 2, CO_ALL_COMPLETED, CO_MS(100)), 1);
    expect_is(co_now(), CO_MS(100));
    expect(co_done(tasks[0]) && !co_done(tasks[1]));
    return co_join(&group);
}

CONFORM(ten_tasks_are_waited_for_at_once)
{
    co_task *tasks[10];
    CO_GROUP(group);
    for (int i = 0; i < 10; i++)
        tasks[i] = co_spawn(&group, returns, MSEC(i));
    expect_is(co_wait(tasks, 10, CO_ALL_COMPLETED, CO_FOREVER), 10);
    return 0;
}

/* ---- One after the other, as they end (as_completed) ------------------------------------------------------------- */

static int next(struct co_group *group)
{
    co_task *done;
    int rc = co_next_done(group, &done);
    return rc > 0 ? co_result(done) : rc;
}

CONFORM(tasks_are_handed_out_as_they_end)
{
    CO_GROUP(group);
    co_spawn(&group, naps, NAP(10, 1));
    co_spawn(&group, naps, NAP(150, 3));
    co_spawn(&group, naps, NAP(10, 2));
    for (int i = 1; i <= 3; i++) {
        expect_is(next(&group), i);
        expect_is(co_now(), i < 3 ? CO_MS(10) : CO_MS(150));
    }
    expect_is(next(&group), 0);
    return 0;
}

CONFORM(what_is_handed_out_is_the_task_that_was_spawned)
{
    co_task *tasks[4], *done;
    int seen[4] = {0};
    CO_GROUP(group);
    for (int i = 0; i < 4; i++)
        tasks[i] = co_spawn(&group, returns, MSEC(i));
    while (co_next_done(&group, &done) > 0)
        for (int i = 0; i < 4; i++)
            seen[i] += tasks[i] == done;
    for (int i = 0; i < 4; i++)
        expect_is(seen[i], 1);
    return 0;
}

CONFORM(a_timeout_ends_the_handing_out)
{
    struct co_timeout limit;
    co_task *done;
    int rc, n = 0;
    CO_GROUP(group);
    co_spawn(&group, naps, NAP(100, 1));
    co_spawn(&group, naps, NAP(150, 2));
    co_timeout_begin(&limit, CO_MS(120));
    while ((rc = co_next_done(&group, &done)) > 0)
        n++;
    expect_is(co_timeout_end(&limit, rc), -ETIMEDOUT);
    expect_is(n, 1);
    expect_is(co_now(), CO_MS(120));
    return co_join(&group);                         /* the other one goes on */
}

CONFORM(a_timeout_that_is_not_up_hands_out_all)
{
    struct co_timeout limit;
    CO_GROUP(group);
    co_spawn(&group, naps, NAP(10, 1));
    co_timeout_begin(&limit, CO_SEC(1));
    expect_is(next(&group), 1);
    expect_is(co_timeout_end(&limit, next(&group)), 0);
    return 0;
}

CONFORM(handing_out_can_be_left_and_taken_up_again)
{
    CO_GROUP(group);
    for (int i = 0; i < 4; i++)
        co_spawn(&group, returns, MSEC(i + 1));
    for (int i = 1; i <= 2; i++)
        expect_is(next(&group), i);
    expect_is(co_sleep(CO_MS(1)), 0);
    for (int i = 3; i <= 4; i++)
        expect_is(next(&group), i);
    expect_is(next(&group), 0);
    return 0;
}

CONFORM(tasks_that_end_together_are_handed_out_one_by_one)
{
    CO_GROUP(group);
    co_spawn(&group, naps, NAP(50, 1));
    co_spawn(&group, naps, NAP(50, 2));
    expect_is(next(&group), 1);
    expect_is(next(&group), 2);
    expect_is(co_now(), CO_MS(50));
    return 0;
}

/* ---- Shields ----------------------------------------------------------------------------------------------------- */

/* Awaits a task under a shield; how it ended goes to *rc. */
static int awaits_shielded(co_task *task, int *rc)
{
    struct co_shield shield;
    co_shield_begin(&shield);
    int mine = co_await(task, rc);
    co_shield_end(&shield);
    return mine;
}

CONFORM(a_shield_lets_results_and_errors_through)
{
    int rc;
    CO_GROUP(group);
    expect_is(awaits_shielded(co_spawn(&group, naps, NAP(10, 42)), &rc), 0);
    expect_is(rc, 42);
    expect_is(awaits_shielded(co_spawn(&group, naps, NAP(10, -EDOM)), &rc), 0);
    expect_is(rc, -EDOM);
    return 0;
}

CONFORM(a_shield_round_what_is_done_takes_no_time)
{
    int rc;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, returns, MSEC(42));
    settle();
    expect_is(awaits_shielded(task, &rc), 0);
    expect_is(rc, 42);
    expect_is(co_now(), 0);
    return 0;
}

static int awaits_in_a_shield(void *task)
{
    int rc, mine = awaits_shielded(task, &rc);
    note("me %d child %d", mine, rc);
    return co_sleep(0);                             /* outside, a cancel counts again */
}

CONFORM(a_task_cancelled_by_name_ends_though_it_is_awaited_in_a_shield)
{
    struct co_event never = CO_EVENT_INIT;
    CO_GROUP(group);
    co_task *inner = co_spawn(&group, waits, &never);
    co_task *outer = co_spawn(&group, awaits_in_a_shield, inner);
    settle();
    co_cancel(inner);
    expect_is(co_join(&group), 0);
    expect_is(co_result(outer), 0);                 /* it was not me who was cancelled */
    char wanted[64];
    snprintf(wanted, sizeof wanted, "me 0 child %d@0 ", -ECANCELED);
    NOTED(wanted);
    return 0;
}

/* asyncio's shield(): who awaits is told at once, and the task inside goes on
 * alone. Here who awaits stays until it is done. */
CONFORM(a_cancel_waits_until_the_shield_ends)
{
    CO_GROUP(group);
    co_task *inner = co_spawn(&group, naps, NAP(100, 1));
    co_task *outer = co_spawn(&group, awaits_in_a_shield, inner);
    settle();
    co_cancel(outer);
    settle();
    expect(!co_done(outer) && !co_done(inner));
    expect_is(co_join(&group), 0);
    expect_is(co_result(inner), 1);
    expect_is(co_result(outer), -ECANCELED);
    NOTED("me 0 child 1@100 ");
    return 0;
}

static struct nap three_naps[] = {{10, 1}, {30, 2}, {20, 3}};

static int gathers_in_a_shield(void *job)
{
    int *rcs = job;
    struct co_shield shield;
    co_shield_begin(&shield);
    expect_is(co_gather(naps, three_naps, 3, sizeof *three_naps, rcs), 0);
    co_shield_end(&shield);
    return co_sleep(0);
}

CONFORM(a_gather_in_a_shield_collects_all)
{
    int rcs[3] = {0};
    expect_is(cancelled(gathers_in_a_shield, rcs), -ECANCELED);
    for (int i = 0; i < 3; i++)
        expect_is(rcs[i], i + 1);
    expect_is(co_now(), CO_MS(30));
    return 0;
}

static int naps_in_a_shield(void *job)
{
    struct co_shield shield;
    co_shield_begin(&shield);
    int rc = naps(job);
    co_shield_end(&shield);
    return rc;
}

static int gathers_shields(void *job)
{
    return co_gather(naps_in_a_shield, three_naps, 3, sizeof *three_naps, (int *)job);
}

CONFORM(tasks_that_shield_themselves_outlast_a_cancelled_gather)
{
    int rcs[3] = {0};
    expect_is(cancelled(gathers_shields, rcs), -ECANCELED);
    for (int i = 0; i < 3; i++)
        expect_is(rcs[i], i + 1);
    return 0;
}

/* ---- Gather ------------------------------------------------------------------------------------------------------ */

/* Each waits for an event of its own, then returns rc. */
struct step {
    struct co_event event;
    int rc;
};

static int steps(void *job)
{
    struct step *step = job;
    int rc = co_event_wait(&step->event);
    return rc < 0 ? rc : step->rc;
}

struct gathering {
    struct step *steps;
    size_t n;
    int *rcs;
};

static int gathers(void *job)
{
    struct gathering *g = job;
    int rc = co_gather(steps, g->steps, g->n, sizeof *g->steps, g->rcs);
    note("gathered");
    return rc;
}

/* Ends the steps in the order 1, 0, 2: only after the third is the gather over. */
static int gather_in_disorder(int *rcs)
{
    struct step three[3] = {{.rc = 2}, {.rc = 1}, {.rc = 3}};
    CO_GROUP(group);
    co_task *task = co_spawn(&group, gathers, &((struct gathering){three, 3, rcs}));
    settle();
    co_event_set(&three[1].event);
    co_event_set(&three[0].event);
    settle();
    expect(!co_done(task));
    co_event_set(&three[2].event);
    expect_is(co_join(&group), 0);
    expect_is(co_result(task), 0);
    NOTED("gathered@0 ");
    return 0;
}

CONFORM(a_gather_is_over_when_all_have_ended)
{
    return gather_in_disorder(NULL);
}

CONFORM(a_gather_collects_in_the_order_of_the_jobs)
{
    int rcs[3] = {0};
    gather_in_disorder(rcs);
    expect(rcs[0] == 2 && rcs[1] == 1 && rcs[2] == 3);
    return 0;
}

/* asyncio leaves the others running. Here nobody could own them: they are cancelled and waited for. */
CONFORM(the_first_failure_of_a_gather_ends_it_and_the_others)
{
    struct step five[5] = {{.rc = 1}, {.rc = -EDOM}, {.rc = 3}, {.rc = 4}, {.rc = 5}};
    CO_GROUP(group);
    co_task *task = co_spawn(&group, gathers, &((struct gathering){five, 5, NULL}));
    settle();
    co_event_set(&five[0].event);
    co_event_set(&five[1].event);
    settle();
    expect_is(co_result(task), -EDOM);
    for (int i = 2; i < 5; i++)
        expect(five[i].event.waiters.first == NULL);
    co_task *done;
    expect_is(co_next_done(&group, &done), 1);
    return 0;
}

CONFORM(failures_can_be_collected_like_results)
{
    struct step four[4] = {{.rc = 3}, {.rc = 1}, {.rc = -EDOM}, {.rc = -ERANGE}};
    int rcs[4] = {0};
    CO_GROUP(group);
    co_task *task = co_spawn(&group, gathers, &((struct gathering){four, 4, rcs}));
    settle();
    for (int i = 0; i < 3; i++)
        co_event_set(&four[i].event);
    settle();
    expect(!co_done(task));
    co_event_set(&four[3].event);
    expect_is(co_join(&group), 0);
    expect_is(co_result(task), 0);
    expect(rcs[0] == 3 && rcs[1] == 1 && rcs[2] == -EDOM && rcs[3] == -ERANGE);
    return 0;
}

static int cancels_itself_if_asked(void *job)
{
    const struct nap *nap = job;
    if (nap->rc == 0)
        co_cancel(co_current());
    return naps(job);
}

/* asyncio's gather() fails with CancelledError. Here, as in a group, who was cancelled has not failed. */
CONFORM(a_task_of_a_gather_that_is_cancelled_is_no_failure)
{
    struct nap jobs[] = {{10, 1}, {10, 0}, {20, 3}};
    expect_is(co_gather(cancels_itself_if_asked, jobs, 3, sizeof *jobs, NULL), 0);
    expect_is(co_now(), CO_MS(20));
    return 0;
}

CONFORM(that_a_task_was_cancelled_can_be_collected)
{
    struct nap jobs[] = {{10, 1}, {10, -EDOM}, {10, 0}, {10, 3}, {10, 0}, {10, -ERANGE}};
    int rcs[6];
    expect_is(co_gather(cancels_itself_if_asked, jobs, 6, sizeof *jobs, rcs), 0);
    const int wanted[6] = {1, -EDOM, -ECANCELED, 3, -ECANCELED, -ERANGE};
    for (int i = 0; i < 6; i++)
        expect_is(rcs[i], wanted[i]);
    return 0;
}

CONFORM(a_cancelled_gather_cancels_its_tasks)
{
    struct step two[2] = {{.rc = 1}, {.rc = 2}};
    expect_is(cancelled(gathers, &((struct gathering){two, 2, NULL})), -ECANCELED);
    for (int i = 0; i < 2; i++)
        expect(two[i].event.waiters.first == NULL);
    NOTED("gathered@0 ");
    return 0;
}

static int gathers_two_failures(void *job)
{
    struct nap *jobs = job;
    return co_gather(naps, jobs, 2, sizeof *jobs, NULL);
}

static void a_second_failure_of_a_gather_is_not_reported_as_missed(void **state)
{
    (void)state;
    struct nap jobs[] = {{10, -EDOM}, {10, -ERANGE}};
    struct child *child = forked(gathers_two_failures, jobs);
    assert_int_equal(child->rc, -EDOM);
    assert_string_equal(child->err, "");
}

static void a_gather_outside_a_loop_is_refused(void **state)
{
    (void)state;
    assert_int_equal(co_gather(naps, three_naps, 3, sizeof *three_naps, NULL), -EPERM);
    assert_int_equal(co_gather(naps, NULL, 0, 0, NULL), -EPERM);
}

/* ---- Locals (context variables) ---------------------------------------------------------------------------------- */

static struct co_local var = CO_LOCAL_INIT("nope");
#define VAR() ((const char *)co_local_get(&var))

static int sets_its_own(void *job)
{
    (void)job;
    expect_is(co_sleep(CO_MS(10)), 0);
    expect_text(VAR(), "nope");                     /* as it was at the spawn */
    expect_is(co_local_set(&var, "something else"), 0);
    return 0;
}

CONFORM(a_task_has_the_locals_of_the_moment_of_its_spawn)
{
    CO_GROUP(group);
    expect_text(VAR(), "nope");
    co_spawn(&group, sets_its_own, NULL);
    expect_is(co_local_set(&var, "yes"), 0);
    expect_is(co_join(&group), 0);
    expect_text(VAR(), "yes");
    return 0;
}

static void tries_to_set(co_task *task, void *arg)
{
    (void)task;
    *(int *)arg = co_local_set(&var, "something else");
}

CONFORM(a_done_callback_does_not_touch_anybodys_locals)
{
    int set = 0;
    CO_GROUP(group);
    for (int i = 0; i < 2; i++) {
        static const char *words[] = {"yes0", "yes1"};
        co_task *task = co_spawn(&group, returns, NULL);
        expect_is(co_on_done(task, tries_to_set, &set), 0);
        expect_is(co_local_set(&var, (void *)words[i]), 0);
        expect_is(co_join(&group), 0);
        expect_is(set, -EPERM);                     /* it belongs to no task */
        expect_text(VAR(), words[i]);
        expect_is(co_sleep(CO_MS(1)), 0);
        expect_text(VAR(), words[i]);
    }
    return 0;
}

static int sets_and_checks(void *job)
{
    for (intptr_t i = 0; i < 10; i++) {
        intptr_t mine = (intptr_t)job + i;
        expect_is(co_local_set(&var, (void *)mine), 0);
        expect_is(co_sleep(CO_MS(1 + (mine * 7) % 13)), 0);
        expect_is((intptr_t)co_local_get(&var), mine);
    }
    return 0;
}

CONFORM(a_hundred_tasks_do_not_mix_their_locals)
{
    CO_GROUP(group);
    for (intptr_t i = 0; i < 100; i++)
        co_spawn(&group, sets_and_checks, (void *)(i * 3));
    expect_is(co_join(&group), 0);
    expect_text(VAR(), "nope");
    return 0;
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_task_is_done_with_its_result),
    cmocka_unit_test(a_spawned_task_can_be_awaited),
    cmocka_unit_test(a_task_cannot_await_itself),
    cmocka_unit_test(numbers_rise_with_each_spawn),
    cmocka_unit_test(a_task_can_be_named),
    cmocka_unit_test(a_task_has_the_job_it_was_spawned_with),
    cmocka_unit_test(a_task_calls_functions_that_wait),
    cmocka_unit_test(a_task_remembers_where_it_was_spawned),
    cmocka_unit_test(each_task_is_current_while_it_runs),
    cmocka_unit_test(outside_a_loop_nobody_is_current),
    cmocka_unit_test(all_tasks_are_those_that_are_not_done),
    cmocka_unit_test(all_tasks_tells_how_many_there_are_though_not_all_fit),
    cmocka_unit_test(done_callbacks_run_once_in_order_before_anybody_goes_on),
    cmocka_unit_test(a_cancelled_sleep_ends_at_once),
    cmocka_unit_test(a_task_cancelled_while_others_run_is_told_then),
    cmocka_unit_test(a_task_cancelled_while_ready_notices_at_its_next_wait),
    cmocka_unit_test(a_task_and_who_awaits_it_may_both_be_cancelled),
    cmocka_unit_test(a_task_may_answer_a_cancel_with_a_result),
    cmocka_unit_test(who_ignores_a_cancel_is_told_again),
    cmocka_unit_test(a_cancel_is_never_taken_back),
    cmocka_unit_test(a_task_that_cancels_itself_notices_at_its_next_wait),
    cmocka_unit_test(a_cancel_that_meets_no_wait_changes_no_result),
    cmocka_unit_test(a_cancelled_await_leaves_the_child_to_its_group),
    cmocka_unit_test(a_cancel_passes_up_through_the_functions),
    cmocka_unit_test(sleeps_add_up),
    cmocka_unit_test(a_sleep_of_nothing_lets_others_run_first),
    cmocka_unit_test(a_cancelled_sleep_leaves_no_timer),
    cmocka_unit_test(waiting_again_for_what_is_done_takes_no_time),
    cmocka_unit_test(a_failure_before_the_wait_ends_a_wait_for_the_first),
    cmocka_unit_test(a_failure_during_the_wait_ends_a_wait_for_the_first),
    cmocka_unit_test(who_waits_for_all_waits_for_failures_too),
    cmocka_unit_test(a_task_that_ends_as_the_time_is_up_counts),
    cmocka_unit_test(ten_tasks_are_waited_for_at_once),
    cmocka_unit_test(tasks_are_handed_out_as_they_end),
    cmocka_unit_test(what_is_handed_out_is_the_task_that_was_spawned),
    cmocka_unit_test(a_timeout_ends_the_handing_out),
    cmocka_unit_test(a_timeout_that_is_not_up_hands_out_all),
    cmocka_unit_test(handing_out_can_be_left_and_taken_up_again),
    cmocka_unit_test(tasks_that_end_together_are_handed_out_one_by_one),
    cmocka_unit_test(a_shield_lets_results_and_errors_through),
    cmocka_unit_test(a_shield_round_what_is_done_takes_no_time),
    cmocka_unit_test(a_task_cancelled_by_name_ends_though_it_is_awaited_in_a_shield),
    cmocka_unit_test(a_cancel_waits_until_the_shield_ends),
    cmocka_unit_test(a_gather_in_a_shield_collects_all),
    cmocka_unit_test(tasks_that_shield_themselves_outlast_a_cancelled_gather),
    cmocka_unit_test(a_gather_is_over_when_all_have_ended),
    cmocka_unit_test(a_gather_collects_in_the_order_of_the_jobs),
    cmocka_unit_test(the_first_failure_of_a_gather_ends_it_and_the_others),
    cmocka_unit_test(failures_can_be_collected_like_results),
    cmocka_unit_test(a_task_of_a_gather_that_is_cancelled_is_no_failure),
    cmocka_unit_test(that_a_task_was_cancelled_can_be_collected),
    cmocka_unit_test(a_cancelled_gather_cancels_its_tasks),
    cmocka_unit_test(a_second_failure_of_a_gather_is_not_reported_as_missed),
    cmocka_unit_test(a_gather_outside_a_loop_is_refused),
    cmocka_unit_test(a_task_has_the_locals_of_the_moment_of_its_spawn),
    cmocka_unit_test(a_done_callback_does_not_touch_anybodys_locals),
    cmocka_unit_test(a_hundred_tasks_do_not_mix_their_locals),
};

int main(void)
{
    return cmocka_run_group_tests_name("conform tasks", tests, NULL, NULL);
}
