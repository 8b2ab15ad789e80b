/* test_work.c - computing here (co_cpu) and on workers (co_to_thread). */
#include "check.h"

#include "runtime/state/loop.h"

#include <time.h>

static const char two_cpus[] = "{\"world\":\"looplab/world/v1\",\"cpus\":2}";

/* ---- co_cpu ---------------------------------------------------------------------------------------------------- */

static int computes_100(void *job)
{
    (void)job;
    note("begin");
    int64_t before = co_now();
    co_cpu(CO_MS(100));
    expect_is(co_now() - before, CO_MS(100));
    note("end");
    return 0;
}

static int sleeps_meanwhile(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_spawn(&group, sleeper, MSEC(70));
    co_spawn(&group, sleeper, MSEC(30));
    co_spawn(&group, sleeper, MSEC(50));
    co_spawn(&group, sleeper, MSEC(100));
    co_spawn(&group, sleeper, MSEC(101));
    co_spawn(&group, computes_100, NULL);
    return co_join(&group);
}

/* The loop stands still; what was due meanwhile comes after, in the order in which it was due. */
static void co_cpu_freezes_the_loop(void **state)
{
    (void)state;
    check_notes(sleeps_meanwhile, "begin@0 end@100 30@100 50@100 70@100 100@100 101@101 ");
}

static int computes_nothing(void *job)
{
    (void)job;
    co_cpu(0);
    co_cpu(-1);
    co_cpu(INT64_MIN);
    expect_is(co_now(), 0);
    return 0;
}

static void computing_for_no_time_takes_none(void **state)
{
    (void)state;
    assert_int_equal(run(computes_nothing, NULL), 0);
}

static int computes_cancelled(void *job)
{
    (void)job;
    co_cancel(co_current());
    co_cpu(CO_MS(10));
    expect_is(co_now(), CO_MS(10));
    return co_sleep(0);
}

static void computing_is_never_cancelled(void **state)
{
    (void)state;
    assert_int_equal(run(computes_cancelled, NULL), -ECANCELED);
}

static int computes_for_ever(void *job)
{
    (void)job;
    co_cpu(CO_FOREVER);
    expect_is(co_now(), CO_FOREVER);
    co_cpu(CO_FOREVER);
    co_cpu(CO_SEC(1));
    expect_is(co_now(), CO_FOREVER);            /* the clock does not turn round */
    expect_is(clock(), CO_FOREVER / 1000);      /* nor does the sum of what was computed */
    return 0;
}

static void the_clock_does_not_run_over(void **state)
{
    (void)state;
    assert_int_equal(run(computes_for_ever, NULL), 0);
}

static int computes_at_a_place(void *job)
{
    (void)job;
    co_cpu(CO_MS(5)), MARK(0);
    return 0;
}

static void computing_is_traced_as_a_block_at_its_line(void **state)
{
    (void)state;
    char line[200], *trace = traced(computes_at_a_place, NULL);
    snprintf(line, sizeof line,
             "{\"t\":5000000,\"from\":\"runtime\",\"ev\":\"block\",\"task\":1,\"ns\":5000000,\"on\":\"cpu\","
             "\"src\":\"test_work.c:%d\"}\n", board->line[0]);
    assert_has(trace, "%s", line);
    assert_has(trace, "\"from\":\"world\",\"ev\":\"cpu.block\",\"ns\":5000000}\n");
    free(trace);
}

/* ---- Workers ----------------------------------------------------------------------------------------------------- */

static int works(void *job)
{
    int64_t before = co_now();
    co_cpu(CO_MS((intptr_t)job));
    expect_is(co_now() - before, CO_MS((intptr_t)job));         /* the worker's clock */
    return (int)(intptr_t)job;
}

static int hands_work(void *job)
{
    int rc = co_to_thread(works, job);
    note("%d", rc);
    return rc;
}

static int ten_jobs(void *job)
{
    (void)job;
    CO_GROUP(group);
    for (int i = 0; i < 9; i++)
        co_spawn(&group, hands_work, MSEC(10 + i));
    expect_is(co_join(&group), 0);
    return 0;
}

static void four_workers_by_default(void **state)
{
    (void)state;
    check_notes(ten_jobs, "10@10 11@11 12@12 13@13 14@24 15@26 16@28 17@30 18@42 ");
}

static void as_many_workers_as_the_world_has(void **state)
{
    (void)state;
    check_world_notes(two_cpus, ten_jobs, "10@10 11@11 12@22 13@24 14@36 15@39 16@52 17@56 18@70 ");
}

static int beside_the_loop(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_spawn(&group, sleeper, MSEC(30));
    expect_is(co_to_thread(works, MSEC(50)), 50);
    note("work");
    return co_join(&group);
}

static void the_loop_goes_on_meanwhile(void **state)
{
    (void)state;
    check_notes(beside_the_loop, "30@30 work@50 ");
}

static int blocks_the_worker(void *job)
{
    (void)job;
    struct timespec ts = {0, 20000000};
    nanosleep(&ts, NULL);
    expect_is(co_now(), CO_MS(20));
    return 0;
}

static int sleeps_on_a_worker(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_spawn(&group, sleeper, MSEC(10));
    expect_is(co_to_thread(blocks_the_worker, NULL), 0);
    expect_is(co_now(), CO_MS(20));
    return co_join(&group);
}

static void a_blocking_call_takes_the_workers_time_only(void **state)
{
    (void)state;
    check_notes(sleeps_on_a_worker, "10@10 ");
    char *trace = traced(sleeps_on_a_worker, NULL);
    assert_has_not(trace, "\"ev\":\"block\"");
    assert_has_not(trace, "cpu.block");
    free(trace);
}

static int what_a_job_may_not(void *job)
{
    struct co_group *group = job;
    struct co_response resp;
    struct co_lock lock = CO_LOCK_INIT;
    struct co_sem sem = CO_SEM_INIT(1);
    struct co_event event = {.is_set = true};
    CO_QUEUE(queue, 0);
    void *item;
    co_task *done;
    int rcs[1];
    char jobs[1];
    expect_is(co_sleep(CO_MS(1)), -EPERM);
    expect_is(co_sleep(0), -EPERM);
    expect_is(co_yield(), -EPERM);
    expect_is(co_lock_acquire(&lock), -EPERM);
    expect_is(co_sem_acquire(&sem), -EPERM);
    expect_is(co_event_wait(&event), -EPERM);
    expect_is(co_queue_put(&queue, "x"), -EPERM);
    expect_is(co_queue_get(&queue, &item), -EPERM);
    expect_is(co_queue_join(&queue), -EPERM);
    expect_is(co_http_get("http://a.test/", &resp), -EPERM);
    expect_is(http_get_blocking("http://a.test/", &resp), -EPERM);
    expect_is(co_to_thread(works, NULL), -EPERM);
    expect_is(co_gather(works, jobs, 1, 1, rcs), -EPERM);
    expect_is(co_wait(NULL, 0, CO_ALL_COMPLETED, CO_FOREVER), -EPERM);
    expect_is(co_wait_for(works, MSEC(1), CO_SEC(1)), -EPERM);
    expect_is(co_join(group), -EPERM);
    expect_is(co_next_done(group, &done), -EPERM);
    expect_is(co_await(group->owner, NULL), -EPERM);
    expect_is(co_run(works, NULL, NULL), -EALREADY);
    expect(co_current() == NULL);
    expect(co_spawn(group, works, MSEC(1)) == NULL);
    expect_is(co_queue_try_put(&queue, "x"), -EPERM);
    expect_is(co_queue_try_get(&queue, &item), -EPERM);
    expect_is(co_queue_task_done(&queue), -EPERM);
    struct co_timeout limit;
    co_timeout_begin(&limit, CO_MS(1));
    expect_is(co_timeout_end(&limit, 3), 3);
    expect_is(co_now(), CO_MS(2));
    return 5;
}

static int tries_on_a_worker(void *job)
{
    (void)job;
    CO_GROUP(group);
    expect_is(co_sleep(CO_MS(2)), 0);
    expect_is(co_to_thread(what_a_job_may_not, &group), 5);
    return co_join(&group);
}

static void a_job_may_call_nothing_but_co_cpu_and_co_now(void **state)
{
    (void)state;
    assert_int_equal(run(tries_on_a_worker, NULL), 0);
}

/* The calls that return nothing do nothing there. */
struct shared { struct co_event event; struct co_sem sem; struct co_queue queue; co_task *task; };

static int meddles(void *job)
{
    struct shared *shared = job;
    co_event_set(&shared->event);
    co_sem_release(&shared->sem);
    co_queue_shutdown(&shared->queue, true);
    co_cancel(shared->task);
    return 0;
}

static int waits_for_meddler(void *job)
{
    struct shared *shared = job;
    expect_is(co_wait_for(sleeper, MSEC(20), CO_SEC(1)), 0);
    expect_is(shared->event.is_set, 0);
    expect_is(shared->sem.value, 0);
    expect_is(co_queue_size(&shared->queue), 1);
    return 0;
}

static int lets_a_worker_meddle(void *job)
{
    (void)job;
    struct shared shared = {.sem = CO_SEM_INIT(0)};
    expect_is(co_queue_put(&shared.queue, "x"), 0);
    CO_GROUP(group);
    shared.task = co_spawn(&group, waits_for_meddler, &shared);
    co_yield();
    expect_is(co_to_thread(meddles, &shared), 0);
    expect_is(co_join(&group), 0);
    co_queue_destroy(&shared.queue);
    return 0;
}

static void a_job_cannot_wake_or_cancel_tasks(void **state)
{
    (void)state;
    assert_int_equal(run(lets_a_worker_meddle, NULL), 0);
}

/* Even while a task stands in http_get_blocking, and the loop is behind. */
static const char slow_site[] = "{\"world\":\"looplab/world/v1\",\"sites\":[{\"url\":\"http://a.test\",\"routes\":["
                                "{\"path\":\"/\",\"latency\":\"100ms\"}]}]}";
static int works_then_meddles(void *job)
{
    co_cpu(CO_MS(10));
    return meddles(job);
}

static int hands_to_meddler(void *job)
{
    return co_to_thread(works_then_meddles, job);
}

static int blocks_while_a_worker_meddles(void *job)
{
    (void)job;
    struct shared shared = {.sem = CO_SEM_INIT(0)};
    struct co_response resp;
    expect_is(co_queue_put(&shared.queue, "x"), 0);
    CO_GROUP(group);
    shared.task = co_spawn(&group, waits_for_meddler, &shared);
    co_spawn(&group, hands_to_meddler, &shared);
    co_yield();
    expect_is(http_get_blocking("http://a.test/", &resp), 0);
    expect_is(co_now(), CO_MS(100));
    co_response_free(&resp);
    expect_is(co_join(&group), 0);
    co_queue_destroy(&shared.queue);
    return 0;
}

static void nor_while_the_loop_stands_still(void **state)
{
    (void)state;
    assert_int_equal(run_world(slow_site, blocks_while_a_worker_meddles, NULL), 0);
}

static int returns_it(void *job)
{
    return (int)(intptr_t)job;
}

static int results(void *job)
{
    (void)job;
    expect_is(co_to_thread(returns_it, MSEC(0)), 0);
    expect_is(co_to_thread(returns_it, MSEC(7)), 7);
    expect_is(co_to_thread(returns_it, MSEC(-EIO)), -EIO);
    expect_is(co_to_thread(returns_it, MSEC(INT32_MIN)), INT32_MIN);
    expect_is(co_now(), 0);
    return 0;
}

static void it_returns_what_fn_returned(void **state)
{
    (void)state;
    assert_int_equal(run(results, NULL), 0);
}

/* ---- Cancelled --------------------------------------------------------------------------------------------------- */

static int cancels_some_jobs(void *job)
{
    (void)job;
    int rc;
    CO_GROUP(group);
    co_task *first = co_spawn(&group, hands_work, MSEC(50));
    co_spawn(&group, hands_work, MSEC(60));
    co_task *waiting = co_spawn(&group, hands_work, MSEC(70)), *last = co_spawn(&group, hands_work, MSEC(80));
    expect_is(co_sleep(CO_MS(10)), 0);
    co_cancel(first);                           /* begun: waited for, as it uses the job */
    co_cancel(waiting);                         /* not begun: it never runs */
    expect_is(co_await(waiting, &rc), 0);
    expect_is(rc, -ECANCELED);
    expect_is(co_now(), CO_MS(10));
    expect_is(co_await(first, &rc), 0);
    expect_is(rc, 50);
    expect_is(co_now(), CO_MS(50));
    expect_is(co_await(last, &rc), 0);
    expect_is(co_now(), CO_MS(130));
    return co_join(&group);
}

static void a_cancelled_job_that_has_begun_is_waited_for(void **state)
{
    (void)state;
    check_world_notes(two_cpus, cancels_some_jobs, "-125@10 50@50 60@60 80@130 ");
}

static int times_out(void *job)
{
    (void)job;
    expect_is(co_wait_for(hands_work, MSEC(50), CO_MS(10)), 50);        /* its result is there, late */
    expect_is(co_now(), CO_MS(50));
    expect_is(co_sleep(CO_MS(1)), 0);
    return 0;
}

static void a_job_is_not_cut_short_by_a_timeout(void **state)
{
    (void)state;
    check_notes(times_out, "50@50 ");
}

static int never_runs(void *job)
{
    (void)job;
    expect(0);
    return 0;
}

static int asks_for_never(void *job)
{
    (void)job;
    return co_to_thread(never_runs, NULL);
}

static int cancels_at_once(void *job)
{
    (void)job;
    int rc;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, asks_for_never, NULL);
    co_yield();                                 /* it has asked, and no time has passed */
    co_cancel(task);
    expect_is(co_await(task, &rc), 0);
    expect_is(rc, -ECANCELED);
    return co_join(&group);
}

static void a_job_cancelled_before_it_begins_never_runs(void **state)
{
    (void)state;
    assert_int_equal(run(cancels_at_once, NULL), 0);
}

static int cancels_when_done(void *job)
{
    (void)job;
    int rc;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, hands_work, MSEC(10));
    co_yield();
    expect_is(co_sleep(CO_MS(10)), 0);
    co_cancel(task);
    expect_is(co_await(task, &rc), 0);
    expect_is(rc, 10);
    return co_join(&group);
}

static void a_jobs_result_wins_over_a_cancel_at_the_same_instant(void **state)
{
    (void)state;
    assert_int_equal(run(cancels_when_done, NULL), 0);
}

/* ---- Many of one instant ----------------------------------------------------------------------------------------- */

static const char many_cpus[] = "{\"world\":\"looplab/world/v1\",\"cpus\":1000}";

static int works_10_or_20(void *job)
{
    co_cpu(*(int *)job);
    return 0;
}

static int hands_over_timed(void *job)
{
    int64_t before = co_now();
    expect_is(co_to_thread(works_10_or_20, job), 0);
    expect_is(co_now() - before, *(int *)job);
    return 0;
}

/* However many end at one instant, none of them learns of it later. */
static int hands_over_many(void *job)
{
    int jobs[257], n = *(int *)job;
    for (int i = 0; i < n; i++)
        jobs[i] = 10;
    jobs[n] = 20;
    return co_gather(hands_over_timed, jobs, (size_t)n + 1, sizeof *jobs, NULL);
}

static void all_that_end_at_one_instant_go_on_at_that_instant(void **state)
{
    (void)state;
    int sizes[] = {1, 2, 31, 32, 33, 63, 64, 65, 127, 128, 129, 192, 256};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        assert_int_equal(run_world(many_cpus, hands_over_many, &sizes[i]), 0);
}

static int leaves_no_operation(void *job)
{
    (void)job;
    for (int i = 0; i < 100; i++)
        expect_is(co_to_thread(returns_it, MSEC(i)), i);
    expect_is(co__loop->ops, 0);                /* each record went back when its job was done */
    return 0;
}

static void records_of_jobs_are_used_again(void **state)
{
    (void)state;
    assert_int_equal(run(leaves_no_operation, NULL), 0);
}

/* ---- The order of one instant ------------------------------------------------------------------------------------ */

static int sleeps_noting(void *job)
{
    expect_is(co_sleep(CO_MS((intptr_t)job)), 0);
    note("sleep");
    return 0;
}

static int job_and_timer(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_spawn(&group, sleeps_noting, MSEC(10));
    co_spawn(&group, hands_work, MSEC(10));
    co_spawn(&group, sleeps_noting, MSEC(10));
    co_spawn(&group, hands_work, MSEC(10));
    return co_join(&group);
}

static void jobs_and_timers_of_one_instant_come_in_the_order_asked_for(void **state)
{
    (void)state;
    check_notes(job_and_timer, "sleep@10 10@10 sleep@10 10@10 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(co_cpu_freezes_the_loop),
        cmocka_unit_test(computing_for_no_time_takes_none),
        cmocka_unit_test(computing_is_never_cancelled),
        cmocka_unit_test(the_clock_does_not_run_over),
        cmocka_unit_test(computing_is_traced_as_a_block_at_its_line),
        cmocka_unit_test(four_workers_by_default),
        cmocka_unit_test(as_many_workers_as_the_world_has),
        cmocka_unit_test(the_loop_goes_on_meanwhile),
        cmocka_unit_test(a_blocking_call_takes_the_workers_time_only),
        cmocka_unit_test(a_job_may_call_nothing_but_co_cpu_and_co_now),
        cmocka_unit_test(a_job_cannot_wake_or_cancel_tasks),
        cmocka_unit_test(nor_while_the_loop_stands_still),
        cmocka_unit_test(it_returns_what_fn_returned),
        cmocka_unit_test(a_cancelled_job_that_has_begun_is_waited_for),
        cmocka_unit_test(a_job_is_not_cut_short_by_a_timeout),
        cmocka_unit_test(a_job_cancelled_before_it_begins_never_runs),
        cmocka_unit_test(a_jobs_result_wins_over_a_cancel_at_the_same_instant),
        cmocka_unit_test(all_that_end_at_one_instant_go_on_at_that_instant),
        cmocka_unit_test(records_of_jobs_are_used_again),
        cmocka_unit_test(jobs_and_timers_of_one_instant_come_in_the_order_asked_for),
    };
    return cmocka_run_group_tests_name("work", tests, NULL, NULL);
}
