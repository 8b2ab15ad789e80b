/* test_conform_taskgroups.c - groups, as CPython's test_taskgroups asks them. */
#include "conform.h"

/* Sleeps, notes its label, returns rc; told to end, it notes "label!" and
 * returns `ended`, or -ECANCELED where that is 0. */
struct work {
    const char *label;
    int64_t ms;
    int rc;
    int ended;
};

static int work(void *job)
{
    const struct work *w = job;
    int rc = co_sleep(CO_MS(w->ms));
    note(rc < 0 ? "%s!" : "%s", w->label);
    return rc == 0 ? w->rc : w->ended ? w->ended : rc;
}

#define WORK(label_, ms_, rc_) (&(struct work){.label = (label_), .ms = (ms_), .rc = (rc_)})
#define ENDS(label_, ms_, ended_) (&(struct work){.label = (label_), .ms = (ms_), .ended = (ended_)})

/* Runs fn as a task of its own, cancels it after `ms`, and says what it returned. */
static int cancelled_after(co_fn fn, void *job, int64_t ms)
{
    int rc;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, fn, job);
    expect_is(co_sleep(CO_MS(ms)), 0);
    expect(!co_done(task));
    co_cancel(task);
    expect_is(co_await(task, &rc), 0);
    return rc;
}

/* ---- Going well -------------------------------------------------------------------------------------------------- */

CONFORM(join_waits_for_all_and_keeps_their_results)
{
    CO_GROUP(group);
    co_task *t1 = co_spawn(&group, work, WORK("a", 100, 42));
    co_task *t2 = co_spawn(&group, work, WORK("b", 200, 11));
    expect_is(co_join(&group), 0);
    NOTED("a@100 b@200 ");
    expect_is(co_result(t1), 42);
    expect_is(co_result(t2), 11);
    return 0;
}

CONFORM(a_task_may_be_added_while_others_run)
{
    CO_GROUP(group);
    co_task *t1 = co_spawn(&group, work, WORK("a", 100, 42));
    expect_is(co_sleep(CO_MS(150)), 0);
    co_task *t2 = co_spawn(&group, work, WORK("b", 200, 11));
    expect_is(co_join(&group), 0);
    NOTED("a@100 b@350 ");
    expect_is(co_result(t1), 42);
    expect_is(co_result(t2), 11);
    return 0;
}

CONFORM(a_task_cancelled_by_hand_leaves_the_others_alone)
{
    CO_GROUP(group);
    co_task *t1 = co_spawn(&group, work, WORK("a", 1000, 42));
    expect_is(co_sleep(CO_MS(150)), 0);
    co_cancel(t1);
    co_task *t2 = co_spawn(&group, work, WORK("b", 200, 11));
    expect_is(co_join(&group), 0);
    NOTED("a!@150 b@350 ");
    expect_is(co_result(t1), -ECANCELED);
    expect_is(co_result(t2), 11);
    return 0;
}

/* Unlike asyncio's, a group keeps its tasks' records until its block ends: a handle is always good. */
CONFORM(handles_are_good_until_the_block_ends)
{
    co_task *tasks[10];
    struct work short_work = {.label = "x", .ms = 300, .rc = 7};
    CO_GROUP(group);
    for (int i = 0; i < 10; i++) {
        expect_is(co_sleep(CO_MS(100)), 0);
        tasks[i] = co_spawn(&group, work, &short_work);
    }
    expect_is(co_join(&group), 0);
    for (int i = 0; i < 10; i++)
        expect_is(co_result(tasks[i]), 7);
    return 0;
}

CONFORM(tasks_that_are_done_count_no_more)
{
    struct work short_work = {.label = "x", .ms = 300};
    CO_GROUP(group);
    for (int i = 0; i < 10; i++) {
        expect_is(co_sleep(CO_MS(100)), 0);
        co_spawn(&group, work, &short_work);
        if (i == 5)
            expect(co_all_tasks(NULL, 0) < 6);      /* this one and fewer than five others */
    }
    expect_is(co_sleep(CO_MS(1350)), 0);
    expect_is(co_all_tasks(NULL, 0), 1);
    return co_join(&group);
}

static struct work late1 = {.label = "b", .ms = 100}, late2 = {.label = "c", .ms = 200};

static int adds_two(void *group)
{
    int rc = co_sleep(CO_MS(100));
    co_spawn(group, work, &late1);
    co_spawn(group, work, &late2);
    return rc;
}

CONFORM(a_task_may_add_tasks_to_its_group)
{
    CO_GROUP(group);
    co_spawn(&group, adds_two, &group);
    expect_is(co_join(&group), 0);
    NOTED("b@200 c@300 ");
    return 0;
}

CONFORM(a_task_of_a_group_can_be_named)
{
    CO_GROUP(group);
    co_task *task = co_spawn(&group, work, WORK("a", 0, 0));
    expect_text(co_name(task), "work");
    co_set_name(task, "yolo");
    expect_text(co_name(task), "yolo");
    return co_join(&group);
}

static int notes_its_name(void *job)
{
    (void)job;
    note("%s", co_name(co_current()));
    return 0;
}

CONFORM(a_task_knows_its_name)
{
    CO_GROUP(group);
    co_set_name(co_spawn(&group, notes_its_name, NULL), "example name");
    expect_is(co_join(&group), 0);
    NOTED("example name@0 ");
    return 0;
}

/* ---- A task fails ------------------------------------------------------------------------------------------------ */

CONFORM(the_first_failure_cancels_the_rest)
{
    CO_GROUP(group);
    co_spawn(&group, work, WORK("a", 100, -EDOM));
    co_task *t2 = co_spawn(&group, work, WORK("b", 1000, 0));
    expect_is(co_join(&group), -EDOM);
    NOTED("a@100 b!@100 ");
    expect_is(co_result(t2), -ECANCELED);
    return 0;
}

CONFORM(of_several_failures_the_first_is_returned)
{
    CO_GROUP(group);
    co_spawn(&group, work, WORK("a", 100, -EDOM));
    co_task *t2 = co_spawn(&group, work, WORK("b", 100, -ERANGE));
    co_spawn(&group, work, WORK("c", 5000, 0));
    expect_is(co_join(&group), -EDOM);
    NOTED("a@100 b@100 c!@100 ");
    expect_is(co_result(t2), -ERANGE);              /* the others' are still with the tasks */
    return 0;
}

/* asyncio cancels the body at once. Here it learns of a failure when it joins:
 * nothing interrupts a plain stretch of code. */
CONFORM(a_failure_does_not_interrupt_the_body)
{
    CO_GROUP(group);
    co_spawn(&group, work, WORK("a", 100, -EDOM));
    co_spawn(&group, work, WORK("b", 5000, 0));
    expect_is(co_sleep(CO_SEC(1)), 0);
    NOTED("a@100 ");
    expect_is(co_join(&group), -EDOM);
    NOTED("b!@1000 ");
    return 0;
}

static int body(void *job)
{
    (void)job;
    int rc = co_sleep(CO_SEC(10));
    note(rc < 0 ? "body!" : "body");
    return rc;
}

CONFORM(a_body_that_is_a_task_too_is_cancelled_by_a_failure)
{
    CO_GROUP(group);
    co_spawn(&group, work, WORK("a", 100, -EDOM));
    co_spawn(&group, body, NULL);
    expect_is(co_join(&group), -EDOM);
    NOTED("a@100 body!@100 ");
    return 0;
}

CONFORM(what_a_task_returns_when_told_to_end_does_not_replace_the_failure)
{
    CO_GROUP(group);
    co_spawn(&group, work, WORK("a", 100, -EDOM));
    co_spawn(&group, work, ENDS("b", 1000, -ERANGE));
    expect_is(co_join(&group), -EDOM);
    NOTED("a@100 b!@100 ");
    return 0;
}

static int hydra_count;

static int hercules(void *job)
{
    (void)job;
    int rc = 0;
    while (rc == 0 && hydra_count < 10)
        rc = co_sleep(CO_MS(15));
    return rc < 0 ? rc : -EDOM;
}

static int hydra(void *group)
{
    hydra_count++;
    int rc = co_sleep(CO_MS(10));
    if (rc < 0)
        return rc;
    co_spawn(group, hydra, group);
    co_spawn(group, hydra, group);
    return 0;
}

CONFORM(a_group_that_keeps_growing_ends_when_one_fails)
{
    hydra_count = 0;
    CO_GROUP(group);
    co_spawn(&group, hydra, &group);
    co_spawn(&group, hercules, NULL);
    expect_is(co_join(&group), -EDOM);
    expect(hydra_count >= 10);
    return 0;
}

static int adds_when_cancelled(void *group)
{
    static struct work late = {.label = "late", .ms = 10};
    int rc = co_sleep(CO_SEC(1));
    expect_is(rc, -ECANCELED);
    expect(co_spawn((struct co_group *)group, work, &late) != NULL);
    return rc;
}

/* asyncio refuses; here the spawn is as good as any, and its task is told to end at once, like the others. */
CONFORM(a_task_added_after_a_failure_is_cancelled)
{
    CO_GROUP(group);
    co_spawn(&group, work, WORK("a", 1, -EDOM));
    co_spawn(&group, adds_when_cancelled, &group);
    expect_is(co_join(&group), -EDOM);
    NOTED("a@1 late!@1 ");
    return 0;
}

/* ---- The owner is cancelled -------------------------------------------------------------------------------------- */

static int joins_five(void *job)
{
    CO_GROUP(group);
    for (int i = 0; i < 5; i++)
        co_spawn(&group, work, job);
    return co_join(&group);
}

CONFORM(cancelling_the_owner_cancels_its_tasks)
{
    expect_is(cancelled_after(joins_five, WORK("x", 5000, 0), 100), -ECANCELED);
    NOTED("x!@100 x!@100 x!@100 x!@100 x!@100 ");
    return 0;
}

static int sleeps_over_five(void *job)
{
    CO_GROUP(group);
    for (int i = 0; i < 5; i++)
        co_spawn(&group, work, job);
    int rc = co_sleep(CO_SEC(10));
    note("body!");
    return rc;                                      /* without a join: the end of the block sees to them */
}

CONFORM(cancelling_the_owner_in_the_body_cancels_its_tasks_at_the_end_of_the_block)
{
    expect_is(cancelled_after(sleeps_over_five, WORK("x", 5000, 0), 100), -ECANCELED);
    NOTED("body!@100 x!@100 x!@100 x!@100 x!@100 x!@100 ");
    return 0;
}

/* asyncio raises the tasks' errors. Here join is about its caller first; what the tasks returned is with them. */
static int joins_and_looks(void *job)
{
    CO_GROUP(group);
    co_task *task = co_spawn(&group, work, job);
    int rc = co_join(&group);
    expect_is(co_result(task), -EDOM);
    return rc;
}

CONFORM(an_error_while_ending_does_not_hide_the_cancel)
{
    expect_is(cancelled_after(joins_and_looks, ENDS("x", 10000, -EDOM), 100), -ECANCELED);
    NOTED("x!@100 ");
    return 0;
}

static int nests(void *job)
{
    CO_GROUP(outer);
    co_task *sibling = co_spawn(&outer, work, WORK("outer", 10000, 0));
    {
        CO_GROUP(inner);
        for (int i = 0; i < 5; i++)
            co_spawn(&inner, work, job);
        expect_is(co_sleep(CO_SEC(10)), -ECANCELED);
        expect_is(co_join(&inner), -ECANCELED);
    }
    int rc = co_join(&outer);
    expect_is(co_result(sibling), -ECANCELED);
    return rc;
}

CONFORM(a_cancel_ends_nested_groups_from_the_inside_out)
{
    expect_is(cancelled_after(nests, ENDS("x", 10000, -EDOM), 100), -ECANCELED);
    NOTED("x!@100 x!@100 x!@100 x!@100 x!@100 outer!@100 ");
    return 0;
}

static int nests_an_empty_one(void *job)
{
    CO_GROUP(outer);
    CO_GROUP(inner);
    for (int i = 0; i < 5; i++)
        co_spawn(&inner, work, job);
    expect_is(co_sleep(CO_SEC(10)), -ECANCELED);
    int rc = co_join(&inner);
    return rc < 0 ? rc : co_join(&outer);
}

CONFORM(a_cancel_ends_an_inner_group_in_an_empty_outer_one)
{
    expect_is(cancelled_after(nests_an_empty_one, ENDS("x", 10000, -EDOM), 100), -ECANCELED);
    return 0;
}

/* Cancelled, it needs half a second to clean up, and meanwhile one of its tasks fails. */
static int cleans_up_slowly(void *job)
{
    struct co_shield shield;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, work, job);
    int rc = co_sleep(CO_SEC(10));
    co_shield_begin(&shield);
    expect_is(co_sleep(CO_MS(500)), 0);
    co_shield_end(&shield);
    note("clean");
    expect_is(co_result(task), -EDOM);
    expect_is(co_join(&group), -ECANCELED);
    return rc;
}

CONFORM(a_task_that_fails_while_the_owner_cleans_up_does_not_hide_the_cancel)
{
    expect_is(cancelled_after(cleans_up_slowly, WORK("x", 300, -EDOM), 100), -ECANCELED);
    NOTED("x@300 clean@600 ");
    return 0;
}

static int awaits_the_cleaner(void *job)
{
    int rc;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, cleans_up_slowly, job);
    /* cancelled: leaving the block cancels the task, and waits for it */
    return co_await(task, &rc);
}

CONFORM(leaving_the_block_waits_for_slow_clean_up_below)
{
    expect_is(cancelled_after(awaits_the_cleaner, WORK("x", 300, -EDOM), 100), -ECANCELED);
    NOTED("x@300 clean@600 ");
    return 0;
}

static int sleeps_over_none(void *job)
{
    (void)job;
    CO_GROUP(group);
    int rc = co_sleep(CO_SEC(10));
    note("body!");
    expect(group.first == NULL);
    return rc;
}

CONFORM(a_group_without_tasks_does_not_swallow_a_cancel)
{
    expect_is(cancelled_after(sleeps_over_none, NULL, 100), -ECANCELED);
    NOTED("body!@100 ");
    return 0;
}

static int fails_when_cancelled(void *job)
{
    (void)job;
    CO_GROUP(group);
    int rc = co_sleep(CO_SEC(10));
    expect(group.first == NULL);
    return rc < 0 ? -EDOM : 0;
}

CONFORM(a_body_may_answer_a_cancel_with_another_error)
{
    expect_is(cancelled_after(fails_when_cancelled, NULL, 100), -EDOM);
    return 0;
}

static int joins_two(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_spawn(&group, work, WORK("a", 1000, 42));
    co_spawn(&group, work, WORK("b", 2000, 11));
    return co_join(&group);
}

CONFORM(cancelling_early_cancels_as_well)
{
    expect_is(cancelled_after(joins_two, NULL, 50), -ECANCELED);
    NOTED("a!@50 b!@50 ");
    return 0;
}

/* ---- The body fails ---------------------------------------------------------------------------------------------- */

static int fails_over_tasks(void *job)
{
    CO_GROUP(group);
    co_spawn(&group, work, WORK("a", 1000, 42));
    co_spawn(&group, work, WORK("b", 2000, 11));
    if (job)
        expect_is(co_sleep(CO_MS((intptr_t)job)), 0);
    return -EDOM;
}

/* asyncio cancels them: an exception left the block. A C block does not know why it is left. */
CONFORM(a_body_that_returns_an_error_waits_for_its_tasks)
{
    expect_is(fails_over_tasks(MSEC(100)), -EDOM);
    NOTED("a@1000 b@2000 ");
    expect_is(fails_over_tasks(NULL), -EDOM);
    NOTED("a@3000 b@4000 ");
    return 0;
}

static int cancels_and_fails(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_spawn(&group, work, WORK("a", 1000, 0));
    co_spawn(&group, work, WORK("b", 2000, 0));
    expect_is(co_sleep(CO_MS(100)), 0);
    co_group_cancel(&group);
    return -EDOM;
}

CONFORM(a_body_that_fails_can_cancel_its_tasks_first)
{
    expect_is(cancels_and_fails(NULL), -EDOM);
    NOTED("a!@100 b!@100 ");
    return 0;
}

CONFORM(when_body_and_task_fail_the_body_decides_what_it_returns)
{
    int rc;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, work, WORK("a", 100, -EDOM));
    int mine = co_sleep(CO_MS(200)) < 0 ? 0 : -ERANGE;
    rc = co_join(&group);
    expect_is(mine, -ERANGE);                       /* two values: nothing is merged, nothing is lost */
    expect_is(rc, -EDOM);
    expect_is(co_result(task), -EDOM);
    return 0;
}

static void note_closed(int *database)
{
    note("closed %d", *database);
}

CONFORM(a_resource_of_the_body_is_closed_before_its_group_ends)
{
    {
        CO_GROUP(group);
        CO_DEFER(note_closed) int database = 1;
        co_spawn(&group, work, WORK("a", 100, -EDOM));
        expect_is(co_sleep(CO_MS(50)), 0);
        (void)database;
    }
    NOTED("closed 1@50 a@100 ");
    return 0;
}

/* ---- Nested groups, a failure in one ----------------------------------------------------------------------------- */

/* asyncio's outer group would interrupt the inner one's body after 100 ms. */
CONFORM(a_failure_of_the_outer_group_waits_for_the_inner_one)
{
    CO_GROUP(outer);
    co_spawn(&outer, work, WORK("outer", 100, -EDOM));
    {
        CO_GROUP(inner);
        co_spawn(&inner, work, WORK("inner", 10000, -ERANGE));
        expect_is(co_join(&inner), -ERANGE);
    }
    expect_is(co_join(&outer), -EDOM);
    NOTED("outer@100 inner@10000 ");
    return 0;
}

static int inner_group(void *job)
{
    CO_GROUP(inner);
    co_spawn(&inner, work, job);
    return co_join(&inner);
}

CONFORM(a_failure_ends_a_sibling_with_a_group_of_its_own)
{
    CO_GROUP(outer);
    co_spawn(&outer, work, WORK("outer", 100, -EDOM));
    co_spawn(&outer, inner_group, WORK("inner", 10000, -ERANGE));
    expect_is(co_join(&outer), -EDOM);
    NOTED("outer@100 inner!@100 ");
    return 0;
}

CONFORM(a_failure_of_the_inner_group_is_handed_on_by_who_joined_it)
{
    CO_GROUP(outer);
    co_spawn(&outer, work, WORK("outer", 10000, -ERANGE));
    co_spawn(&outer, inner_group, WORK("inner", 100, -EDOM));
    expect_is(co_join(&outer), -EDOM);
    NOTED("inner@100 outer!@100 ");
    return 0;
}

CONFORM(groups_that_both_fail_report_one_each)
{
    CO_GROUP(outer);
    {
        CO_GROUP(inner);
        co_spawn(&inner, work, WORK("inner", 0, -EDOM));
        co_spawn(&outer, work, WORK("outer", 0, -ERANGE));
        expect_is(co_join(&inner), -EDOM);
    }
    expect_is(co_sleep(0), 0);                      /* no cancel has leaked out of either */
    expect_is(co_join(&outer), -ERANGE);
    expect_is(co_sleep(0), 0);
    return 0;
}

/* ---- After the group --------------------------------------------------------------------------------------------- */

CONFORM(after_a_failure_the_owner_is_not_cancelled)
{
    CO_GROUP(group);
    co_spawn(&group, work, WORK("a", 0, -EDOM));
    expect_is(co_join(&group), -EDOM);
    expect_is(co_sleep(CO_MS(1)), 0);
    return 0;
}

static int group_fails_then_sleeps(void *job)
{
    struct co_event *begun = job;
    {
        CO_GROUP(group);
        co_spawn(&group, work, WORK("a", 0, -EDOM));
        co_event_set(begun);
        expect_is(co_join(&group), -ECANCELED);     /* both at one instant: it is about me first */
    }
    int rc = co_sleep(CO_SEC(1));
    note("told");
    return rc;
}

CONFORM(a_cancel_survives_a_group_that_fails)
{
    int rc;
    struct co_event begun = CO_EVENT_INIT;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, group_fails_then_sleeps, &begun);
    expect_is(co_event_wait(&begun), 0);
    co_cancel(task);
    expect_is(co_await(task, &rc), 0);
    expect_is(rc, -ECANCELED);
    expect_is(co_now(), 0);
    return 0;
}

CONFORM(a_group_serves_again_after_its_join)
{
    CO_GROUP(group);
    co_spawn(&group, work, WORK("a", 10, -EDOM));
    expect_is(co_join(&group), -EDOM);
    co_spawn(&group, work, WORK("b", 10, 0));
    expect_is(co_join(&group), 0);
    NOTED("a@10 b@20 ");
    return 0;
}

static int adds_a_failure_and_waits(void *group)
{
    static struct work failing = {.label = "third", .rc = -EDOM};
    co_spawn(group, work, &failing);
    expect_is(co_sleep(CO_SEC(1)), -ECANCELED);
    note("second!");
    return -ECANCELED;
}

CONFORM(a_task_is_cancelled_by_one_that_it_added)
{
    CO_GROUP(group);
    co_spawn(&group, adds_a_failure_and_waits, &group);
    expect_is(co_join(&group), -EDOM);
    NOTED("third@0 second!@0 ");
    return 0;
}

static void a_group_outside_a_loop_takes_no_tasks(void **state)
{
    (void)state;
    CO_GROUP(group);
    assert_null(co_spawn(&group, work, NULL));
    assert_int_equal(co_join(&group), -EPERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(join_waits_for_all_and_keeps_their_results),
        cmocka_unit_test(a_task_may_be_added_while_others_run),
        cmocka_unit_test(a_task_cancelled_by_hand_leaves_the_others_alone),
        cmocka_unit_test(handles_are_good_until_the_block_ends),
        cmocka_unit_test(tasks_that_are_done_count_no_more),
        cmocka_unit_test(a_task_may_add_tasks_to_its_group),
        cmocka_unit_test(a_task_of_a_group_can_be_named),
        cmocka_unit_test(a_task_knows_its_name),
        cmocka_unit_test(the_first_failure_cancels_the_rest),
        cmocka_unit_test(of_several_failures_the_first_is_returned),
        cmocka_unit_test(a_failure_does_not_interrupt_the_body),
        cmocka_unit_test(a_body_that_is_a_task_too_is_cancelled_by_a_failure),
        cmocka_unit_test(what_a_task_returns_when_told_to_end_does_not_replace_the_failure),
        cmocka_unit_test(a_group_that_keeps_growing_ends_when_one_fails),
        cmocka_unit_test(a_task_added_after_a_failure_is_cancelled),
        cmocka_unit_test(cancelling_the_owner_cancels_its_tasks),
        cmocka_unit_test(cancelling_the_owner_in_the_body_cancels_its_tasks_at_the_end_of_the_block),
        cmocka_unit_test(an_error_while_ending_does_not_hide_the_cancel),
        cmocka_unit_test(a_cancel_ends_nested_groups_from_the_inside_out),
        cmocka_unit_test(a_cancel_ends_an_inner_group_in_an_empty_outer_one),
        cmocka_unit_test(a_task_that_fails_while_the_owner_cleans_up_does_not_hide_the_cancel),
        cmocka_unit_test(leaving_the_block_waits_for_slow_clean_up_below),
        cmocka_unit_test(a_group_without_tasks_does_not_swallow_a_cancel),
        cmocka_unit_test(a_body_may_answer_a_cancel_with_another_error),
        cmocka_unit_test(cancelling_early_cancels_as_well),
        cmocka_unit_test(a_body_that_returns_an_error_waits_for_its_tasks),
        cmocka_unit_test(a_body_that_fails_can_cancel_its_tasks_first),
        cmocka_unit_test(when_body_and_task_fail_the_body_decides_what_it_returns),
        cmocka_unit_test(a_resource_of_the_body_is_closed_before_its_group_ends),
        cmocka_unit_test(a_failure_of_the_outer_group_waits_for_the_inner_one),
        cmocka_unit_test(a_failure_ends_a_sibling_with_a_group_of_its_own),
        cmocka_unit_test(a_failure_of_the_inner_group_is_handed_on_by_who_joined_it),
        cmocka_unit_test(groups_that_both_fail_report_one_each),
        cmocka_unit_test(after_a_failure_the_owner_is_not_cancelled),
        cmocka_unit_test(a_cancel_survives_a_group_that_fails),
        cmocka_unit_test(a_group_serves_again_after_its_join),
        cmocka_unit_test(a_task_is_cancelled_by_one_that_it_added),
        cmocka_unit_test(a_group_outside_a_loop_takes_no_tasks),
    };
    return cmocka_run_group_tests_name("conform taskgroups", tests, NULL, NULL);
}
