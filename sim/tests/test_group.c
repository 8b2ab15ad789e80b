/* test_group.c - groups: joining, failing, handing out in the order of the ends, gathering. */
#include "check.h"

/* ---- Joining ---------------------------------------------------------------------------------------------- */

static int two_together(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_spawn(&group, sleeper, MSEC(20));
    co_spawn(&group, sleeper, MSEC(20));
    expect_is(co_join(&group), 0);
    expect_is(co_now(), CO_MS(20));
    return 0;
}

static void tasks_of_a_group_overlap(void **state)
{
    (void)state;
    check_notes(two_together, "20@20 20@20 ");
}

static int joins_nothing(void *job)
{
    (void)job;
    co_task *done;
    CO_GROUP(group);
    expect_is(co_join(&group), 0);
    expect_is(co_next_done(&group, &done), 0);
    expect_is(co_join(&group), 0);
    return 0;
}

static void a_group_of_no_tasks_joins_at_once(void **state)
{
    (void)state;
    assert_int_equal(run(joins_nothing, NULL), 0);
}

struct plan { int ms, rc; };

/* Sleeps, then returns plan->rc. Cancelled: notes it, cleans up for no time, returns -ECANCELED. */
static int planned(void *job)
{
    const struct plan *plan = job;
    int rc = co_sleep(CO_MS(plan->ms));
    if (rc < 0) {
        note("x%d", plan->ms);
        return rc;
    }
    note("%d", plan->ms);
    return plan->rc;
}

static int fails_in_the_middle(void *job)
{
    (void)job;
    struct plan plans[] = {{30, 0}, {10, 5}, {20, -EIO}, {40, -EPROTO}};
    CO_GROUP(group);
    for (int i = 0; i < 4; i++)
        co_spawn(&group, planned, &plans[i]);
    expect_is(co_join(&group), -EIO);
    expect_is(co_now(), CO_MS(20));
    return 0;
}

static void the_first_failure_cancels_the_rest_and_is_returned(void **state)
{
    (void)state;
    check_notes(fails_in_the_middle, "10@10 20@20 x30@20 x40@20 ");
}

static int positive_results(void *job)
{
    (void)job;
    struct plan plans[] = {{1, 5}, {2, INT32_MAX}};
    CO_GROUP(group);
    co_spawn(&group, planned, &plans[0]);
    co_spawn(&group, planned, &plans[1]);
    expect_is(co_join(&group), 0);
    return 0;
}

static void a_positive_result_is_no_failure(void **state)
{
    (void)state;
    assert_int_equal(run(positive_results, NULL), 0);
}

/* Cancelled, it fails in its own way, and takes time for it. */
static int fails_on_cancel(void *job)
{
    struct co_shield shield;
    int rc = co_sleep(CO_SEC(100));
    expect_is(rc, -ECANCELED);
    co_shield_begin(&shield);
    expect_is(co_sleep(CO_MS((intptr_t)job)), 0);
    co_shield_end(&shield);
    note("cleaned");
    return -EBUSY;
}

static int waits_for_cleanup(void *job)
{
    (void)job;
    struct plan plan = {10, -EIO};
    CO_GROUP(group);
    co_spawn(&group, fails_on_cancel, MSEC(5));
    co_spawn(&group, planned, &plan);
    expect_is(co_join(&group), -EIO);            /* the first failure, not that of the clean-up */
    expect_is(co_now(), CO_MS(15));
    return 0;
}

static void join_waits_for_the_clean_up_of_the_others(void **state)
{
    (void)state;
    check_notes(waits_for_cleanup, "10@10 cleaned@15 ");
}

static int failed_before(void *job)
{
    (void)job;
    struct plan plans[] = {{10, -EIO}, {100, 0}};
    CO_GROUP(group);
    co_spawn(&group, planned, &plans[0]);
    co_spawn(&group, planned, &plans[1]);
    expect_is(co_sleep(CO_MS(50)), 0);          /* nobody joins yet: the failure waits */
    note("join");
    expect_is(co_join(&group), -EIO);
    expect_is(co_now(), CO_MS(50));
    return 0;
}

static void a_failure_before_the_join_counts_from_the_join_on(void **state)
{
    (void)state;
    check_notes(failed_before, "10@10 join@50 x100@50 ");
}

static int spawns_after_failure(void *job)
{
    (void)job;
    struct plan bad = {10, -EIO}, good = {5, 0};
    CO_GROUP(group);
    co_spawn(&group, planned, &bad);
    expect_is(co_join(&group), -EIO);
    co_spawn(&group, planned, &good);           /* the group can be used again... */
    expect_is(co_join(&group), 0);              /* ...and an old failure is reported once */
    expect_is(co_now(), CO_MS(15));
    expect_is(co_join(&group), 0);
    return 0;
}

static void a_group_serves_again_after_a_failure(void **state)
{
    (void)state;
    check_notes(spawns_after_failure, "10@10 5@15 ");
}

static int fail_at_once(void *job)
{
    (void)job;
    struct plan plans[] = {{10, -EPROTO}, {10, -EIO}, {10, 0}};
    CO_GROUP(group);
    for (int i = 0; i < 3; i++)
        co_spawn(&group, planned, &plans[i]);
    expect_is(co_join(&group), -EPROTO);        /* the first of one instant */
    return 0;
}

static void of_two_failures_at_one_instant_the_first_is_returned(void **state)
{
    (void)state;
    check_notes(fail_at_once, "10@10 10@10 10@10 ");
}

static int cancels_one(void *job)
{
    (void)job;
    struct plan plans[] = {{30, 0}, {20, 0}};
    CO_GROUP(group);
    co_task *task = co_spawn(&group, planned, &plans[0]);
    co_spawn(&group, planned, &plans[1]);
    expect_is(co_sleep(CO_MS(10)), 0);
    co_cancel(task);
    expect_is(co_join(&group), 0);
    expect_is(co_result(task), -ECANCELED);
    return 0;
}

static void a_task_cancelled_by_hand_is_no_failure(void **state)
{
    (void)state;
    check_notes(cancels_one, "x30@10 20@20 ");
}

static int says_canceled(void *job)
{
    (void)job;
    return -ECANCELED;
}

static int joins_false_canceled(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_spawn(&group, says_canceled, NULL);
    co_spawn(&group, sleeper, MSEC(10));
    expect_is(co_join(&group), -ECANCELED);
    expect_is(co_now(), 0);
    expect_is(co_sleep(CO_MS(1)), 0);           /* I was not cancelled */
    return 0;
}

static void a_task_that_returns_ecanceled_by_itself_has_failed(void **state)
{
    (void)state;
    assert_int_equal(run(joins_false_canceled, NULL), 0);
}

/* ---- The owner is cancelled ---------------------------------------------------------------------------------- */

static int owner(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_spawn(&group, sleeper, MSEC(100));
    co_spawn(&group, fails_on_cancel, MSEC(7));
    int rc = co_join(&group);
    note("joined");
    expect_is(rc, -ECANCELED);
    expect_is(co_sleep(1), -ECANCELED);
    return rc;
}

static int cancels_owner(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, owner, NULL);
    expect_is(co_sleep(CO_MS(10)), 0);
    co_cancel(task);
    expect_is(co_join(&group), 0);
    expect_is(co_result(task), -ECANCELED);
    return 0;
}

static void cancelling_the_owner_in_join_cancels_and_awaits_the_tasks(void **state)
{
    (void)state;
    check_notes(cancels_owner, "cancelled@10 cleaned@17 joined@17 ");
}

static int owner_spawns_after_cancel(void *job)
{
    (void)job;
    CO_GROUP(group);
    expect_is(co_sleep(CO_MS(50)), -ECANCELED);
    co_spawn(&group, sleeper, MSEC(100));
    expect_is(co_join(&group), -ECANCELED);
    expect_is(co_now(), CO_MS(10));
    return -ECANCELED;
}

static int cancels_spawner(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, owner_spawns_after_cancel, NULL);
    expect_is(co_sleep(CO_MS(10)), 0);
    co_cancel(task);
    return co_join(&group);
}

static void a_cancelled_owner_cannot_start_something_new(void **state)
{
    (void)state;
    check_notes(cancels_spawner, "cancelled@10 ");
}

/* A result and a cancel in one instant: the result wins, the cancel stays pending. */
static int joins_while_cancelled_at_the_end(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_spawn(&group, sleeper, MSEC(10));
    expect_is(co_join(&group), 0);
    expect_is(co_sleep(1), -ECANCELED);
    return 0;
}

static int gathers_while_cancelled_at_the_end(void *job)
{
    (void)job;
    struct plan plan = {10, 3};
    int rc;
    expect_is(co_gather(planned, &plan, 1, sizeof plan, &rc), 0);
    expect_is(rc, 3);
    expect_is(co_sleep(1), -ECANCELED);
    return 0;
}

static int cancels_at_the_end(void *job)
{
    CO_GROUP(group);
    co_task *task = co_spawn(&group, *(co_fn *)job, NULL);
    co_yield();                                 /* its task goes to sleep first... */
    expect_is(co_sleep(CO_MS(10)), 0);
    co_yield();                                 /* ...and has ended when this goes on */
    co_cancel(task);
    return co_join(&group);
}

static void result_of_join_wins_over_cancel_at_the_same_instant(void **state)
{
    (void)state;
    co_fn fn = joins_while_cancelled_at_the_end;
    assert_int_equal(run(cancels_at_the_end, &fn), 0);
}

static void result_of_gather_wins_over_cancel_at_the_same_instant(void **state)
{
    (void)state;
    co_fn fn = gathers_while_cancelled_at_the_end;
    assert_int_equal(run(cancels_at_the_end, &fn), 0);
}

/* ---- Leaving the block ------------------------------------------------------------------------------------------ */

static int left_by_return(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, sleeper, MSEC(30));
    if (co_now() == 0)
        return task ? 5 : -1;
    return co_join(&group);
}

static int left_by_break(void *job)
{
    (void)job;
    for (int i = 0; i < 3; i++) {
        CO_GROUP(group);
        co_spawn(&group, sleeper, MSEC(10 + i));
        if (i == 1)
            break;
        expect_is(co_join(&group), 0);
    }
    note("out");
    return 0;
}

static int leaves_both_ways(void *job)
{
    expect_is(left_by_return(job), 5);
    note("returned");
    return left_by_break(job);
}

static void leaving_the_block_waits_for_the_tasks(void **state)
{
    (void)state;
    struct child *child = forked(leaves_both_ways, NULL);
    assert_int_equal(child->rc, 0);
    assert_string_equal(board->text, "30@30 returned@30 10@40 11@51 out@51 ");
}

static int leaves_cancelled(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_spawn(&group, sleeper, MSEC(1000));
    int rc = co_sleep(CO_MS(100));
    return rc;                                  /* no join: the block's end waits, and tells them to end */
}

static int cancels_the_leaver(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, leaves_cancelled, NULL);
    expect_is(co_sleep(CO_MS(10)), 0);
    co_cancel(task);
    expect_is(co_join(&group), 0);
    expect_is(co_now(), CO_MS(10));
    return 0;
}

static void leaving_the_block_cancelled_cancels_the_tasks(void **state)
{
    (void)state;
    assert_int_equal(forked(cancels_the_leaver, NULL)->rc, 0);
    assert_string_equal(board->text, "cancelled@10 ");
}

static int two_groups(void *job)
{
    (void)job;
    CO_GROUP(outer);
    CO_GROUP(inner);
    co_spawn(&outer, sleeper, MSEC(30));
    co_spawn(&inner, sleeper, MSEC(20));
    expect_is(co_join(&inner), 0);
    expect_is(co_now(), CO_MS(20));
    expect_is(co_join(&outer), 0);
    expect_is(co_now(), CO_MS(30));
    return 0;
}

static void groups_of_one_owner_are_apart(void **state)
{
    (void)state;
    check_notes(two_groups, "20@20 30@30 ");
}

/* ---- Spawning into somebody else's group ------------------------------------------------------------------------- */

static int spawns_a_sibling(void *job)
{
    struct co_group *group = job;
    expect_is(co_sleep(CO_MS(10)), 0);
    co_spawn(group, sleeper, MSEC(15));
    return 0;
}

static int joins_the_siblings(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_spawn(&group, spawns_a_sibling, &group);
    expect_is(co_join(&group), 0);
    expect_is(co_now(), CO_MS(25));
    return 0;
}

static void a_child_may_spawn_into_its_own_group(void **state)
{
    (void)state;
    check_notes(joins_the_siblings, "15@25 ");
}

static int spawns_when_cancelled(void *job)
{
    struct co_group *group = job;
    expect_is(co_sleep(CO_MS(100)), -ECANCELED);
    co_spawn(group, sleeper, MSEC(15));         /* the group has been told to end: so is this one */
    return -ECANCELED;
}

static int spawn_into_a_cancelled_group(void *job)
{
    (void)job;
    struct plan plan = {10, -EIO};
    CO_GROUP(group);
    co_spawn(&group, spawns_when_cancelled, &group);
    co_spawn(&group, planned, &plan);
    expect_is(co_join(&group), -EIO);
    expect_is(co_now(), CO_MS(10));
    return 0;
}

static void a_task_spawned_into_a_cancelled_group_is_cancelled(void **state)
{
    (void)state;
    check_notes(spawn_into_a_cancelled_group, "10@10 cancelled@10 ");
}

static struct co_group *somebody_elses;
static int asks_the_group_of_another(void *job)
{
    (void)job;
    co_task *done;
    expect_is(co_join(somebody_elses), -EPERM);
    expect_is(co_next_done(somebody_elses, &done), -EPERM);
    return 0;
}

static int lends_its_group(void *job)
{
    (void)job;
    CO_GROUP(group);
    somebody_elses = &group;
    co_spawn(&group, asks_the_group_of_another, NULL);
    return co_join(&group);
}

static void only_the_owner_may_join(void **state)
{
    (void)state;
    assert_int_equal(run(lends_its_group, NULL), 0);
}

/* ---- co_next_done ------------------------------------------------------------------------------------------------ */

static int as_completed(void *job)
{
    (void)job;
    struct plan plans[] = {{30, 1}, {10, -EIO}, {20, -ECANCELED}, {10, 4}};
    co_task *done = NULL;
    int rc;
    CO_GROUP(group);
    for (int i = 0; i < 4; i++)
        co_spawn(&group, planned, &plans[i]);
    while ((rc = co_next_done(&group, &done)) == 1) {
        expect_is(co_done(done), 1);
        expect_is(co_result(done), ((struct plan *)co_job(done))->rc);
        note("got%d", ((struct plan *)co_job(done))->ms);
    }
    expect_is(rc, 0);
    expect_is(co_next_done(&group, &done), 0);
    return 0;
}

static void next_done_hands_out_in_the_order_of_the_ends_and_cancels_nobody(void **state)
{
    (void)state;
    check_notes(as_completed, "10@10 10@10 got10@10 got10@10 20@20 got20@20 30@30 got30@30 ");
}

static int as_completed_late(void *job)
{
    (void)job;
    struct plan plans[] = {{30, 1}, {10, 2}, {20, 3}};
    co_task *done = NULL;
    CO_GROUP(group);
    for (int i = 0; i < 3; i++)
        co_spawn(&group, planned, &plans[i]);
    expect_is(co_sleep(CO_MS(25)), 0);
    for (int i = 0; i < 4; i++) {
        expect_is(co_next_done(&group, &done), 1);
        note("got%d", co_result(done));
        if (i == 0)
            co_spawn(&group, sleeper, MSEC(1)); /* one more while they are handed out */
    }
    expect_is(co_next_done(&group, &done), 0);
    co_spawn(&group, sleeper, MSEC(2));         /* and again after the last one */
    expect_is(co_next_done(&group, &done), 1);
    expect(co_job(done) == MSEC(2));
    return 0;
}

static void next_done_takes_in_tasks_that_come_later(void **state)
{
    (void)state;
    check_notes(as_completed_late, "10@10 20@20 got2@25 got3@25 1@26 got0@26 30@30 got1@30 2@32 ");
}

static int joins_after_handing_out(void *job)
{
    (void)job;
    struct plan plans[] = {{10, -EIO}, {20, 0}, {30, -EPROTO}};
    co_task *done;
    CO_GROUP(group);
    co_spawn(&group, planned, &plans[0]);
    co_spawn(&group, planned, &plans[1]);
    expect_is(co_next_done(&group, &done), 1);
    expect_is(co_result(done), -EIO);
    expect_is(co_join(&group), 0);              /* that failure was handed out: it cancels nobody */
    expect_is(co_now(), CO_MS(20));
    expect_is(co_next_done(&group, &done), 0);  /* none after a join */
    co_spawn(&group, planned, &plans[2]);
    expect_is(co_join(&group), -EPROTO);
    expect_is(co_next_done(&group, &done), 0);
    return 0;
}

static void a_failure_that_was_handed_out_is_none_of_join(void **state)
{
    (void)state;
    check_notes(joins_after_handing_out, "10@10 20@20 30@50 ");
}

static int next_done_cancelled(void *job)
{
    (void)job;
    co_task *done = NULL;
    CO_GROUP(group);
    co_spawn(&group, sleeper, MSEC(100));
    expect_is(co_next_done(&group, &done), -ECANCELED);
    expect(done == NULL);
    note("told");
    expect_is(co_next_done(&group, &done), -ECANCELED);
    return co_join(&group);
}

static int cancels_next_done(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, next_done_cancelled, NULL);
    expect_is(co_sleep(CO_MS(10)), 0);
    co_cancel(task);
    return co_join(&group);
}

static void next_done_can_be_cancelled(void **state)
{
    (void)state;
    check_notes(cancels_next_done, "told@10 cancelled@10 ");
}

/* ---- co_gather --------------------------------------------------------------------------------------------------- */

static int gathers_failing(void *job)
{
    (void)job;
    struct plan plans[] = {{30, 0}, {10, 5}, {20, -EIO}, {40, 0}};
    expect_is(co_gather(planned, plans, 4, sizeof *plans, NULL), -EIO);
    expect_is(co_now(), CO_MS(20));
    return 0;
}

static void gather_without_results_fails_fast(void **state)
{
    (void)state;
    check_notes(gathers_failing, "10@10 20@20 x30@20 x40@20 ");
}

static int gathers_all(void *job)
{
    (void)job;
    struct plan plans[] = {{30, 7}, {10, 5}, {20, -EIO}, {40, -ECANCELED}};
    int rcs[4] = {99, 99, 99, 99};
    expect_is(co_gather(planned, plans, 4, sizeof *plans, rcs), 0);
    expect_is(co_now(), CO_MS(40));
    for (int i = 0; i < 4; i++)
        expect_is(rcs[i], plans[i].rc);
    expect_is(co_gather(planned, plans, 2, sizeof *plans, NULL), 0);
    return 0;
}

static void gather_with_results_collects_every_one_in_order(void **state)
{
    (void)state;
    assert_int_equal(run(gathers_all, NULL), 0);
}

static int gathers_nothing(void *job)
{
    (void)job;
    int rcs[1] = {99};
    expect_is(co_gather(planned, NULL, 0, sizeof(struct plan), NULL), 0);
    expect_is(co_gather(planned, NULL, 0, sizeof(struct plan), rcs), 0);
    expect_is(co_gather(planned, NULL, 0, 0, rcs), 0);
    expect_is(rcs[0], 99);
    expect_is(co_now(), 0);
    return 0;
}

static void gather_of_nothing_is_0(void **state)
{
    (void)state;
    assert_int_equal(run(gathers_nothing, NULL), 0);
}

static int gather_cancelled(void *job)
{
    (void)job;
    struct plan plans[] = {{5, 7}, {100, 0}};
    int rcs[2] = {99, 99};
    expect_is(co_gather(planned, plans, 2, sizeof *plans, rcs), -ECANCELED);
    expect_is(rcs[0], 7);
    expect_is(rcs[1], -ECANCELED);
    note("told");
    return co_gather(planned, plans, 2, sizeof *plans, NULL);
}

static int cancels_gather(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, gather_cancelled, NULL);
    expect_is(co_sleep(CO_MS(10)), 0);
    co_cancel(task);
    expect_is(co_join(&group), 0);
    expect_is(co_result(task), -ECANCELED);
    return 0;
}

static void a_cancelled_gather_still_fills_in_the_results(void **state)
{
    (void)state;
    check_notes(cancels_gather, "5@5 x100@10 told@10 ");
}

/* Jobs of no size: each task gets the same pointer, and each result its own place. */
static int counts_up(void *job)
{
    return (*(int *)job)++;
}

static int gathers_size_0(void *job)
{
    (void)job;
    int counter = 4, rcs[3] = {0};
    expect_is(co_gather(counts_up, &counter, 3, 0, rcs), 0);
    for (int i = 0; i < 3; i++)
        expect_is(rcs[i], 4 + i);
    expect_is(co_gather(counts_up, NULL, 0, 0, rcs), 0);
    return 0;
}

static void gather_with_one_job_for_all(void **state)
{
    (void)state;
    struct child *child = forked(gathers_size_0, NULL);
    assert_int_equal(child->signal, 0);
    assert_int_equal(child->rc, 0);
}

/* ---- co_group_cancel ------------------------------------------------------------------------------ */

static int sleeps_or_is_told(void *job)
{
    int rc = co_sleep(CO_MS((intptr_t)job));
    note("%s", rc < 0 ? "told" : "slept");
    return rc;
}

static int gives_up(void *job)
{
    (void)job;
    CO_GROUP(group);
    for (int i = 1; i <= 3; i++)
        co_spawn(&group, sleeps_or_is_told, MSEC(10 * i));
    expect_is(co_sleep(CO_MS(15)), 0);
    co_group_cancel(&group);
    co_spawn(&group, sleeps_or_is_told, MSEC(1));       /* a new one is told, too */
    expect_is(co_join(&group), 0);                      /* told to end: no failure */
    co_spawn(&group, sleeps_or_is_told, MSEC(5));       /* after the join it is a group like any other */
    return co_join(&group);
}

static void a_group_can_be_told_to_end(void **state)
{
    (void)state;
    check_notes(gives_up, "slept@10 told@15 told@15 told@15 slept@20 ");
}

static int awaits_nothing(void *job)
{
    (void)job;
    expect_is(co_await(NULL, NULL), -ENOMEM);           /* what a spawn without memory returned */
    expect_is(co_result(NULL), -ENOMEM);
    expect_is(co_done(NULL), 1);
    return 0;
}

static void a_spawn_that_failed_needs_no_check(void **state)
{
    (void)state;
    assert_int_equal(run(awaits_nothing, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tasks_of_a_group_overlap),
        cmocka_unit_test(a_group_of_no_tasks_joins_at_once),
        cmocka_unit_test(the_first_failure_cancels_the_rest_and_is_returned),
        cmocka_unit_test(a_positive_result_is_no_failure),
        cmocka_unit_test(join_waits_for_the_clean_up_of_the_others),
        cmocka_unit_test(a_failure_before_the_join_counts_from_the_join_on),
        cmocka_unit_test(a_group_serves_again_after_a_failure),
        cmocka_unit_test(of_two_failures_at_one_instant_the_first_is_returned),
        cmocka_unit_test(a_task_cancelled_by_hand_is_no_failure),
        cmocka_unit_test(a_task_that_returns_ecanceled_by_itself_has_failed),
        cmocka_unit_test(cancelling_the_owner_in_join_cancels_and_awaits_the_tasks),
        cmocka_unit_test(a_cancelled_owner_cannot_start_something_new),
        cmocka_unit_test(result_of_join_wins_over_cancel_at_the_same_instant),
        cmocka_unit_test(result_of_gather_wins_over_cancel_at_the_same_instant),
        cmocka_unit_test(leaving_the_block_waits_for_the_tasks),
        cmocka_unit_test(leaving_the_block_cancelled_cancels_the_tasks),
        cmocka_unit_test(groups_of_one_owner_are_apart),
        cmocka_unit_test(a_child_may_spawn_into_its_own_group),
        cmocka_unit_test(a_task_spawned_into_a_cancelled_group_is_cancelled),
        cmocka_unit_test(only_the_owner_may_join),
        cmocka_unit_test(next_done_hands_out_in_the_order_of_the_ends_and_cancels_nobody),
        cmocka_unit_test(next_done_takes_in_tasks_that_come_later),
        cmocka_unit_test(a_failure_that_was_handed_out_is_none_of_join),
        cmocka_unit_test(next_done_can_be_cancelled),
        cmocka_unit_test(gather_without_results_fails_fast),
        cmocka_unit_test(gather_with_results_collects_every_one_in_order),
        cmocka_unit_test(gather_of_nothing_is_0),
        cmocka_unit_test(a_cancelled_gather_still_fills_in_the_results),
        cmocka_unit_test(gather_with_one_job_for_all),
        cmocka_unit_test(a_group_can_be_told_to_end),
        cmocka_unit_test(a_spawn_that_failed_needs_no_check),
    };
    return cmocka_run_group_tests_name("group", tests, NULL, NULL);
}
