/* test_cancel.c - cancellation: level-triggered, never lost, and second to a result of the same instant. */
#include "check.h"

static const char one_slow_site[] =
    "{\"world\":\"looplab/world/v1\",\"sites\":[{\"url\":\"http://a.test\",\"routes\":["
    "{\"path\":\"/\",\"latency\":\"100ms\",\"body\":\"x\"}]}]}";

/* Runs fn as a task, lets it be for `ms`, cancels it, waits for it. Returns what it returned. */
struct victim { co_fn fn; void *job; int ms; };

static int cancels_after(void *job)
{
    const struct victim *victim = job;
    int rc = 0;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, victim->fn, victim->job);
    if (victim->ms >= 0)
        expect_is(co_sleep(CO_MS(victim->ms)), 0);
    co_cancel(task);
    expect_is(co_await(task, &rc), 0);
    return rc;
}
#define cancelled_after(milliseconds, function, argument) \
    run_world(one_slow_site, cancels_after, &((struct victim){(function), (argument), (milliseconds)}))

static int never(void *job)
{
    (void)job;
    expect(0);
    return 0;
}

/* ---- Every call that waits says so, again and again ------------------------------------------------------------ */

static struct co_lock held_lock;
static struct co_sem taken_sem;
static struct co_event unset_event;
static struct co_queue empty_queue, full_queue;

/* Each of them at once, although some need not even wait. */
static int every_call_is_cancelled(void *job)
{
    void *item = NULL;
    co_task *done = NULL, *other = job;
    struct co_response resp = {.status = 3};
    struct co_lock free_lock = CO_LOCK_INIT;
    struct co_sem free_sem = CO_SEM_INIT(1);
    struct co_event set_event = {.is_set = true};
    char jobs[3];
    int rcs[3], rc = 5, sleep_rc = co_sleep(CO_SEC(1000));
    expect_is(sleep_rc, -ECANCELED);
    CO_QUEUE(queue, 0);
    CO_GROUP(group);
    int64_t now = co_now();
    for (int round = 0; round < 3; round++) {
        expect_is(co_sleep(CO_MS(1)), -ECANCELED);
        expect_is(co_sleep(0), -ECANCELED);
        expect_is(co_yield(), -ECANCELED);
        expect_is(co_lock_acquire(&free_lock), -ECANCELED);
        expect_is(co_sem_acquire(&free_sem), -ECANCELED);
        expect_is(free_sem.value, 1);
        expect_is(co_event_wait(&set_event), -ECANCELED);
        expect_is(co_queue_put(&queue, "x"), -ECANCELED);
        expect_is(co_queue_size(&queue), 0);
        expect_is(co_queue_get(&queue, &item), -ECANCELED);
        expect_is(co_queue_join(&queue), -ECANCELED);
        expect_is(co_to_thread(never, NULL), -ECANCELED);
        expect_is(co_http_get("http://a.test/", &resp), -ECANCELED);
        expect_is(resp.status, 0);
        expect_is(co_gather(never, jobs, 3, 1, rcs), -ECANCELED);
        expect_is(co_gather(never, jobs, 3, 1, NULL), -ECANCELED);
        expect_is(co_await(other, &rc), -ECANCELED);
        expect_is(rc, -EINPROGRESS);
        expect_is(co_wait(&other, 1, CO_ALL_COMPLETED, CO_FOREVER), -ECANCELED);
        expect_is(co_wait(&other, 1, CO_ALL_COMPLETED, 0), -ECANCELED);
        expect_is(co_next_done(&group, &done), -ECANCELED);
        expect_is(co_join(&group), -ECANCELED);
        expect_is(co_wait_for(never, NULL, CO_SEC(1)), -ECANCELED);
    }
    CO_WITH_LOCK(&free_lock) expect(0);
    /* What does not wait works. */
    expect_is(co_queue_try_put(&queue, "x"), 0);
    expect_is(co_queue_try_get(&queue, &item), 0);
    expect_is(co_queue_task_done(&queue), 0);
    co_event_set(&set_event);
    co_sem_release(&free_sem);
    expect_is(co_now(), now);
    return 12;
}

static int with_another_task(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_task *other = co_spawn(&group, sleeper, MSEC(1000));
    struct victim victim = {every_call_is_cancelled, other, 10};
    expect_is(cancels_after(&victim), 12);
    co_cancel(other);
    return co_join(&group);
}

static void cancel_is_level_triggered(void **state)
{
    (void)state;
    assert_int_equal(run_world(one_slow_site, with_another_task, NULL), 0);
    assert_string_equal(board->text, "cancelled@10 ");
}

static int ignores_return_codes(void *job)
{
    (void)job;
    int waits = 0;
    for (int i = 0; i < 5; i++) {
        int ignored = co_sleep(CO_MS(10));      /* cancelled in the second one */
        (void)ignored;
        waits++;
    }
    expect_is(waits, 5);
    expect_is(co_now(), CO_MS(15));             /* not 50: each further wait ended at once */
    return co_sleep(CO_MS(1));
}

static void ignored_return_code_cannot_lose_a_cancel(void **state)
{
    (void)state;
    assert_int_equal(cancelled_after(15, ignores_return_codes, NULL), -ECANCELED);
}

/* ---- Each kind of wait is ended by it, at that instant ----------------------------------------------------------- */

static int wait_kind_sleep(void *job) { (void)job; return co_sleep(CO_SEC(50)); }
static int wait_kind_lock(void *job) { (void)job; return co_lock_acquire(&held_lock); }
static int wait_kind_sem(void *job) { (void)job; return co_sem_acquire(&taken_sem); }
static int wait_kind_event(void *job) { (void)job; return co_event_wait(&unset_event); }
static int wait_kind_get(void *job) { void *item = job; int rc = co_queue_get(&empty_queue, &item); expect(item == job);
                                     return rc; }
static int wait_kind_put(void *job) { return co_queue_put(&full_queue, job); }
static int wait_kind_queue_join(void *job) { (void)job; return co_queue_join(&full_queue); }
static int wait_kind_await(void *job) { return co_await(job, NULL); }
static int wait_kind_wait(void *job) { co_task *task = job; return co_wait(&task, 1, CO_FIRST_COMPLETED, CO_FOREVER); }
static int wait_kind_timed(void *job) { co_task *task = job; return co_wait(&task, 1, CO_FIRST_COMPLETED, CO_SEC(9)); }
static int wait_kind_http(void *job)
{
    (void)job;
    struct co_response resp;
    int rc = co_http_get("http://a.test/", &resp);
    expect(resp.body == NULL && resp.answer == NULL && resp.headers == NULL);
    return rc;
}
static int wait_kind_forever(void *job) { (void)job; return co_sleep(CO_FOREVER); }

static int each_kind(void *job)
{
    (void)job;
    static const co_fn kinds[] = {wait_kind_sleep, wait_kind_lock, wait_kind_sem, wait_kind_event, wait_kind_get,
                                  wait_kind_put, wait_kind_queue_join, wait_kind_await, wait_kind_wait, wait_kind_timed,
                                  wait_kind_http, wait_kind_forever};
    held_lock = (struct co_lock)CO_LOCK_INIT;
    taken_sem = (struct co_sem)CO_SEM_INIT(0);
    unset_event = (struct co_event)CO_EVENT_INIT;
    co_queue_init(&empty_queue, 0);
    co_queue_init(&full_queue, 1);
    expect_is(co_queue_put(&full_queue, "full"), 0);
    expect_is(co_lock_acquire(&held_lock), 0);
    CO_GROUP(group);
    co_task *other = co_spawn(&group, sleeper, MSEC(100000));
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        int64_t begin = co_now();
        struct victim victim = {kinds[i], other, 10};
        expect_is(cancels_after(&victim), -ECANCELED);
        expect_is(co_now() - begin, CO_MS(10));
        expect_is(co_done(other), 0);
    }
    /* None of them is left in a list. */
    expect(!held_lock.waiters.first && !taken_sem.waiters.first && !unset_event.waiters.first);
    expect(!empty_queue.getters.first && !full_queue.putters.first && !full_queue.joiners.first);
    expect_is(co_queue_size(&full_queue), 1);
    expect_is(co_lock_release(&held_lock), 0);
    co_queue_destroy(&empty_queue);
    co_queue_destroy(&full_queue);
    co_cancel(other);
    return co_join(&group);
}

static void every_kind_of_wait_ends_when_cancelled(void **state)
{
    (void)state;
    assert_int_equal(run_world(one_slow_site, each_kind, NULL), 0);
}

/* ---- When it is cancelled ---------------------------------------------------------------------------------------- */

static int begins_anyway(void *job)
{
    (void)job;
    note("begun");
    return co_sleep(CO_MS(1));
}

static void a_task_cancelled_before_its_first_run_still_runs(void **state)
{
    (void)state;
    assert_int_equal(cancelled_after(-1, begins_anyway, NULL), -ECANCELED);
    assert_string_equal(board->text, "begun@0 ");
}

static int cancels_itself(void *job)
{
    (void)job;
    co_cancel(co_current());
    note("still here");
    expect_is(co_sleep(CO_MS(1)), -ECANCELED);
    expect_is(co_sleep(CO_MS(1)), -ECANCELED);
    return 5;
}

static void a_task_may_cancel_itself(void **state)
{
    (void)state;
    assert_int_equal(run(cancels_itself, NULL), 5);
    assert_string_equal(board->text, "still here@0 ");
}

static int counts_cancels(void *job)
{
    int *count = job, rc = co_sleep(CO_SEC(10));
    *count += rc == -ECANCELED;
    return co_sleep(CO_SEC(10));
}

static int cancels_twice(void *job)
{
    (void)job;
    int count = 0, rc;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, counts_cancels, &count);
    expect_is(co_sleep(CO_MS(10)), 0);
    co_cancel(task);
    co_cancel(task);
    co_yield();
    co_cancel(task);
    expect_is(co_await(task, &rc), 0);
    expect_is(rc, -ECANCELED);
    expect_is(count, 1);
    co_cancel(task);                            /* one that has ended */
    expect_is(co_result(task), -ECANCELED);
    return co_join(&group);
}

static void cancelling_twice_is_cancelling_once(void **state)
{
    (void)state;
    assert_int_equal(run(cancels_twice, NULL), 0);
}

static int done_at_once(void *job)
{
    (void)job;
    return 8;
}

static int cancels_the_done(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, done_at_once, NULL);
    co_yield();
    co_cancel(task);
    expect_is(co_result(task), 8);
    return co_join(&group);
}

static void cancelling_a_done_task_does_nothing(void **state)
{
    (void)state;
    assert_int_equal(run(cancels_the_done, NULL), 0);
}

/* ---- The result wins --------------------------------------------------------------------------------------------- */

static int sleep_10_wins(void *job)
{
    (void)job;
    expect_is(co_sleep(CO_MS(10)), 0);
    expect_is(co_sleep(CO_MS(10)), -ECANCELED);
    return 1;
}

static int http_wins(void *job)
{
    (void)job;
    struct co_response resp;
    expect_is(co_http_get("http://a.test/", &resp), 0);
    expect_is(resp.status, 200);
    co_response_free(&resp);
    expect_is(co_yield(), -ECANCELED);
    return 1;
}

static void result_wins_over_cancel_at_the_same_instant(void **state)
{
    (void)state;
    assert_int_equal(cancelled_after(10, sleep_10_wins, NULL), 1);
    assert_int_equal(cancelled_after(100, http_wins, NULL), 1);
}

/* The result is due first or last of the instant: no matter. */
static int canceller(void *job)
{
    expect_is(co_sleep(CO_MS(10)), 0);
    co_cancel(*(co_task **)job);
    return 0;
}

static int canceller_asked_first(void *job)
{
    (void)job;
    co_task *task = NULL;
    CO_GROUP(group);
    co_spawn(&group, canceller, &task);
    task = co_spawn(&group, sleep_10_wins, NULL);
    return co_join(&group);
}

static void result_wins_though_the_canceller_runs_first(void **state)
{
    (void)state;
    assert_int_equal(run(canceller_asked_first, NULL), 0);
}

/* A wake-up by another task and a cancel, one after the other in the same instant. */
static int gets_lock(void *job)
{
    (void)job;
    expect_is(co_lock_acquire(&held_lock), 0);
    expect_is(co_yield(), -ECANCELED);
    expect_is(co_lock_release(&held_lock), 0);
    return 0;
}
static int gets_sem(void *job)
{
    (void)job;
    expect_is(co_sem_acquire(&taken_sem), 0);
    expect_is(co_yield(), -ECANCELED);
    return 0;
}
static int gets_event(void *job)
{
    (void)job;
    expect_is(co_event_wait(&unset_event), 0);
    expect_is(co_yield(), -ECANCELED);
    return 0;
}
static int gets_item(void *job)
{
    void *item = job;
    expect_is(co_queue_get(&empty_queue, &item), 0);
    expect_text(item, "item");
    expect_is(co_yield(), -ECANCELED);
    return 0;
}
static int puts_item(void *job)
{
    (void)job;
    expect_is(co_queue_put(&full_queue, "second"), 0);
    expect_is(co_yield(), -ECANCELED);
    return 0;
}

static int wakes_and_cancels(void *job)
{
    (void)job;
    void *item;
    static const co_fn waiters[] = {gets_lock, gets_sem, gets_event, gets_item, puts_item};
    co_task *tasks[5];
    held_lock = (struct co_lock)CO_LOCK_INIT;
    taken_sem = (struct co_sem)CO_SEM_INIT(0);
    unset_event = (struct co_event)CO_EVENT_INIT;
    co_queue_init(&empty_queue, 0);
    co_queue_init(&full_queue, 1);
    expect_is(co_lock_acquire(&held_lock), 0);
    expect_is(co_queue_put(&full_queue, "first"), 0);
    CO_GROUP(group);
    for (int i = 0; i < 5; i++)
        tasks[i] = co_spawn(&group, waiters[i], NULL);
    expect_is(co_sleep(CO_MS(1)), 0);
    expect_is(co_lock_release(&held_lock), 0);
    co_sem_release(&taken_sem);
    co_event_set(&unset_event);
    expect_is(co_queue_put(&empty_queue, "item"), 0);
    expect_is(co_queue_get(&full_queue, &item), 0);
    for (int i = 0; i < 5; i++)
        co_cancel(tasks[i]);
    expect_is(co_join(&group), 0);
    expect_is(co_queue_try_get(&full_queue, &item), 0);
    expect_text(item, "second");
    expect_is(taken_sem.value, 0);
    co_queue_destroy(&empty_queue);
    co_queue_destroy(&full_queue);
    return 0;
}

static void what_was_handed_over_is_not_lost_by_a_cancel(void **state)
{
    (void)state;
    assert_int_equal(run(wakes_and_cancels, NULL), 0);
}

/* The other way round: a task that was cancelled while it waits is passed over by what comes next. */
static int waits_for_sem(void *job)
{
    int rc = co_sem_acquire(&taken_sem);
    note("%s %s", (const char *)job, rc == 0 ? "in" : co_strerror(rc));
    return rc;
}

static int cancels_and_wakes(void *job)
{
    (void)job;
    taken_sem = (struct co_sem)CO_SEM_INIT(0);
    CO_GROUP(group);
    co_task *first = co_spawn(&group, waits_for_sem, "first");
    co_spawn(&group, waits_for_sem, "second");
    expect_is(co_sleep(CO_MS(1)), 0);
    co_cancel(first);
    co_sem_release(&taken_sem);
    expect_is(co_join(&group), 0);
    expect_is(taken_sem.value, 0);
    return 0;
}

static void what_comes_after_a_cancel_goes_to_the_next(void **state)
{
    (void)state;
    check_notes(cancels_and_wakes, "first cancelled@1 second in@1 ");
}

/* The clock reaches the instant because the loop was busy: the result of that instant wins all the same. */
static int busy_until_10_and_cancels(void *job)
{
    (void)job;
    int rc;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, sleep_10_wins, NULL);
    co_yield();
    co_cpu(CO_MS(10));
    co_cancel(task);
    expect_is(co_await(task, &rc), 0);
    return rc;
}

static int busy_until_100_and_cancels(void *job)
{
    (void)job;
    int rc;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, http_wins, NULL);
    co_yield();
    co_cpu(CO_MS(100));
    co_cancel(task);
    expect_is(co_await(task, &rc), 0);
    return rc;
}

static void result_wins_over_cancel_when_the_loop_was_busy_until_then(void **state)
{
    (void)state;
    assert_int_equal(run(busy_until_10_and_cancels, NULL), 1);
    assert_int_equal(run_world(one_slow_site, busy_until_100_and_cancels, NULL), 1);
}

/* ---- The main task ----------------------------------------------------------------------------------------------- */

static int cancels_main(void *job)
{
    expect_is(co_sleep(CO_MS(5)), 0);
    co_cancel(job);
    return 0;
}

static int main_is_cancelled(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_spawn(&group, cancels_main, co_current());
    int rc = co_sleep(CO_SEC(1));
    expect_is(co_now(), CO_MS(5));
    expect_is(co_join(&group), -ECANCELED);
    return rc;
}

static void the_main_task_can_be_cancelled_too(void **state)
{
    (void)state;
    assert_int_equal(run(main_is_cancelled, NULL), -ECANCELED);
}

/* ---- HTTP: the connection goes ----------------------------------------------------------------------------------- */

static int cancels_a_request(void *job)
{
    (void)job;
    struct victim victim = {wait_kind_http, NULL, 10};
    return cancels_after(&victim) == -ECANCELED ? 0 : 1;
}

static void a_cancelled_request_closes_its_connection(void **state)
{
    (void)state;
    char *trace = only(traced_world(one_slow_site, cancels_a_request, NULL), "world");
    assert_string_equal(trace,
        "{\"t\":0,\"ev\":\"http.start\",\"op\":1,\"task\":2,\"url\":\"http://a.test/\",\"method\":\"GET\"}\n"
        "{\"t\":0,\"ev\":\"http.connected\",\"op\":1,\"conn\":1,\"reused\":0}\n"
        "{\"t\":10000000,\"ev\":\"http.cancelled\",\"op\":1}\n"
        "{\"t\":10000000,\"ev\":\"http.closed\",\"conn\":1}\n");
    free(trace);
}

/* ---- The trace --------------------------------------------------------------------------------------------------- */

static int cancels_once(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, sleeper, MSEC(50));
    expect_is(co_sleep(CO_MS(10)), 0);
    co_cancel(task);
    co_cancel(task);
    return co_join(&group);
}

static void a_cancel_is_traced_once(void **state)
{
    (void)state;
    char *trace = only(traced(cancels_once, NULL), "runtime");
    assert_string_equal(trace,
        "{\"t\":0,\"ev\":\"spawn\",\"task\":1,\"name\":\"cancels_once\",\"by\":0}\n"
        "{\"t\":0,\"ev\":\"ready\",\"task\":1,\"by\":0}\n"
        "{\"t\":0,\"ev\":\"run\",\"task\":1}\n"
        "{\"t\":0,\"ev\":\"spawn\",\"task\":2,\"name\":\"sleeper\",\"by\":1}\n"
        "{\"t\":0,\"ev\":\"ready\",\"task\":2,\"by\":1}\n"
        "{\"t\":0,\"ev\":\"await\",\"task\":1,\"on\":\"sleep\"}\n"
        "{\"t\":0,\"ev\":\"run\",\"task\":2}\n"
        "{\"t\":0,\"ev\":\"await\",\"task\":2,\"on\":\"sleep\"}\n"
        "{\"t\":10000000,\"ev\":\"ready\",\"task\":1,\"by\":0}\n"
        "{\"t\":10000000,\"ev\":\"run\",\"task\":1}\n"
        "{\"t\":10000000,\"ev\":\"cancel\",\"task\":2,\"by\":1,\"why\":\"call\"}\n"
        "{\"t\":10000000,\"ev\":\"ready\",\"task\":2,\"by\":1}\n"
        "{\"t\":10000000,\"ev\":\"await\",\"task\":1,\"on\":\"group\"}\n"
        "{\"t\":10000000,\"ev\":\"run\",\"task\":2}\n"
        "{\"t\":10000000,\"ev\":\"done\",\"task\":2,\"rc\":-125}\n"
        "{\"t\":10000000,\"ev\":\"ready\",\"task\":1,\"by\":2}\n"
        "{\"t\":10000000,\"ev\":\"run\",\"task\":1}\n"
        "{\"t\":10000000,\"ev\":\"done\",\"task\":1,\"rc\":0}\n"
        "{\"t\":10000000,\"ev\":\"end\",\"rc\":0}\n");
    free(trace);
}

static int cleans_up_for_10(void *job)
{
    (void)job;
    struct co_shield shield;
    int rc = co_sleep(CO_SEC(1));
    co_shield_begin(&shield);
    expect_is(co_sleep(CO_MS(10)), 0);
    co_shield_end(&shield);
    return rc;
}

static int joins_one_that_cleans_up(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_spawn(&group, cleans_up_for_10, NULL);
    return co_join(&group);
}

static int cancels_again(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, joins_one_that_cleans_up, NULL);
    for (int i = 0; i < 4; i++) {
        expect_is(co_sleep(CO_MS(2)), 0);
        co_cancel(task);
    }
    return co_join(&group);
}

static void a_second_cancel_does_not_wake_who_waits_for_a_clean_up(void **state)
{
    (void)state;
    char *trace = only(traced(cancels_again, NULL), "runtime");
    assert_int_equal(count_of(trace, "\"ev\":\"run\",\"task\":2"), 3);   /* at the start, when cancelled, at the end */
    assert_int_equal(count_of(trace, "\"ev\":\"cancel\",\"task\":2"), 1);
    assert_has(trace, "{\"t\":12000000,\"ev\":\"done\",\"task\":2,\"rc\":-125}\n");
    free(trace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cancel_is_level_triggered),
        cmocka_unit_test(ignored_return_code_cannot_lose_a_cancel),
        cmocka_unit_test(every_kind_of_wait_ends_when_cancelled),
        cmocka_unit_test(a_task_cancelled_before_its_first_run_still_runs),
        cmocka_unit_test(a_task_may_cancel_itself),
        cmocka_unit_test(cancelling_twice_is_cancelling_once),
        cmocka_unit_test(cancelling_a_done_task_does_nothing),
        cmocka_unit_test(result_wins_over_cancel_at_the_same_instant),
        cmocka_unit_test(result_wins_though_the_canceller_runs_first),
        cmocka_unit_test(what_was_handed_over_is_not_lost_by_a_cancel),
        cmocka_unit_test(what_comes_after_a_cancel_goes_to_the_next),
        cmocka_unit_test(result_wins_over_cancel_when_the_loop_was_busy_until_then),
        cmocka_unit_test(the_main_task_can_be_cancelled_too),
        cmocka_unit_test(a_cancelled_request_closes_its_connection),
        cmocka_unit_test(a_cancel_is_traced_once),
        cmocka_unit_test(a_second_cancel_does_not_wake_who_waits_for_a_clean_up),
    };
    return cmocka_run_group_tests_name("cancel", tests, NULL, NULL);
}
