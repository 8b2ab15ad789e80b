/* Functions that run on workers: who runs where, when, and what their clock says. */
#include "world_rig.h"

/* What a job does: blocks its worker for ns, and says when. */
struct work {
    struct co_world *world;
    int64_t ns, began, ended;
    int rc, calls;
};

static int do_work(void *job)
{
    struct work *work = job;
    work->calls++;
    work->began = work->world->now(work->world);
    work->world->block(work->world, work->ns / 2);
    work->world->block(work->world, work->ns - work->ns / 2);
    work->ended = work->world->now(work->world);
    return work->rc;
}

static uint64_t submit_to(struct rig *rig, uint32_t pool, uint32_t workers, struct work *work, int64_t ns)
{
    *work = (struct work){.world = rig->world, .ns = ns};
    struct world_request request = {.op = WORLD_JOB, .task = 2, .fn = (uint64_t)(uintptr_t)do_work,
                                    .job = (uint64_t)(uintptr_t)work, .pool = pool, .workers = workers};
    uint64_t id = rig->world->submit(rig->world, &request);
    assert_true(id > 0);
    assert_int_equal(work->calls, 0);   /* not in submit */
    return id;
}

static uint64_t submit(struct rig *rig, struct work *work, int64_t ns)
{
    return submit_to(rig, 0, 0, work, ns);
}

static void test_runs_from_within_wait(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'cpus':1"));
    struct work work;
    submit(rig, &work, MS(30));
    work.rc = 42;
    rig_run_until(rig, MS(5));
    assert_int_equal(work.calls, 1);
    assert_int_equal(work.ended, MS(30));              /* its worker's clock, */
    assert_int_equal(rig->world->now(rig->world), MS(5));   /* not the loop's      */
    rig_expect(rig, "30ms #1 end 42\n");
    assert_int_equal(work.calls, 1);
    rig_expect_trace(rig,
                     "0ms cpu.submit op=1 task=2\n0ms cpu.start op=1 worker=1\n"
                     "30ms cpu.end op=1 rc=42 ns=30000000 calls=2\n");
    rig_close(rig);
}

static void test_k_at_a_time_in_order(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'cpus':2"));
    struct work works[5];
    static const int64_t ns[5] = {MS(30), MS(10), MS(30), MS(10), MS(0)};
    for (int i = 0; i < 5; i++)
        submit(rig, &works[i], ns[i]);
    rig_expect(rig, "10ms #2 end\n30ms #1 end\n40ms #3 end\n40ms #4 end\n40ms #5 end\n");
    static const int64_t began[5] = {0, 0, MS(10), MS(30), MS(40)};
    for (int i = 0; i < 5; i++)
        assert_int_equal(works[i].began, began[i]);
    rig_expect_trace(rig, "0ms cpu.submit op=1 task=2\n0ms cpu.submit op=2 task=2\n0ms cpu.submit op=3 task=2\n"
                          "0ms cpu.submit op=4 task=2\n0ms cpu.submit op=5 task=2\n"
                          "0ms cpu.start op=1 worker=1\n0ms cpu.start op=2 worker=2\n"
                          "10ms cpu.end op=2 rc=0 ns=10000000 calls=2\n10ms cpu.start op=3 worker=2\n"
                          "30ms cpu.end op=1 rc=0 ns=30000000 calls=2\n30ms cpu.start op=4 worker=1\n"
                          "40ms cpu.end op=3 rc=0 ns=30000000 calls=2\n40ms cpu.end op=4 rc=0 ns=10000000 calls=2\n"
                          "40ms cpu.start op=5 worker=2\n40ms cpu.end op=5 rc=0 ns=0\n");
    rig_close(rig);
}

static void test_four_cpus_unless_said_otherwise(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'sites':[]"));
    struct work works[5];
    for (int i = 0; i < 5; i++)
        submit(rig, &works[i], MS(10));
    rig_expect(rig, "10ms #1 end\n10ms #2 end\n10ms #3 end\n10ms #4 end\n20ms #5 end\n");
    rig_close(rig);
}

/* A pool has workers of its own, beside the CPUs and other pools. */
static void test_pools(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'cpus':1"));
    struct work works[8];
    submit(rig, &works[0], MS(10));
    submit(rig, &works[1], MS(10));
    for (int i = 2; i < 5; i++)
        submit_to(rig, 7, 2, &works[i], MS(15));
    submit_to(rig, 3, 1, &works[5], MS(5));
    uint64_t id = submit_to(rig, 3, 1, &works[6], MS(5));
    rig->world->cancel(rig->world, id);
    rig_expect(rig,
               "0ms #7 end ECANCELED\n5ms #6 end\n10ms #1 end\n15ms #3 end\n15ms #4 end\n20ms #2 end\n30ms #5 end\n");
    submit_to(rig, 3, 1, &works[6], MS(5));   /* a pool that lay idle goes on */
    submit_to(rig, 3, 1, &works[7], MS(5));
    rig_expect(rig, "35ms #8 end\n40ms #9 end\n");
    submit_to(rig, 3, 1, &works[6], MS(5));
    rig_close(rig);
}

/* Workers go on while the loop computes: a job whose turn comes then is called from block. */
static void test_runs_beside_a_busy_loop(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'cpus':1"));
    struct work works[2];
    submit(rig, &works[0], MS(30));
    submit(rig, &works[1], MS(30));
    rig->world->block(rig->world, MS(100));
    assert_int_equal(works[1].began, MS(30));
    assert_int_equal(rig->world->now(rig->world), MS(100));
    rig_expect(rig, "100ms #1 end\n100ms #2 end\n");
    rig_expect_trace(rig, "0ms cpu.submit op=1 task=2\n0ms cpu.submit op=2 task=2\n0ms cpu.block ns=100000000\n"
                          "0ms cpu.start op=1 worker=1\n30ms cpu.end op=1 rc=0 ns=30000000 calls=2\n"
                          "30ms cpu.start op=2 worker=1\n60ms cpu.end op=2 rc=0 ns=30000000 calls=2\n");
    rig_close(rig);
}

static void test_cancel_before_a_worker_is_free(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'cpus':1"));
    struct work works[3];
    submit(rig, &works[0], MS(30));
    uint64_t second = submit(rig, &works[1], MS(30));
    submit(rig, &works[2], MS(30));
    rig_run_until(rig, MS(10));
    rig->world->cancel(rig->world, second);
    rig_expect(rig, "10ms #2 end ECANCELED\n30ms #1 end\n60ms #3 end\n");
    assert_int_equal(works[1].calls, 0);
    char *trace = rig_trace(rig);
    assert_non_null(strstr(trace, "10ms cpu.cancelled op=2\n"));
    free(trace);
    rig_close(rig);
}

/* A worker was free, but the function was not called yet: the worker goes to the next. */
static void test_cancel_before_the_call(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'cpus':1"));
    struct work works[2];
    uint64_t first = submit(rig, &works[0], MS(30));
    submit(rig, &works[1], MS(20));
    rig->world->cancel(rig->world, first);
    rig_expect(rig, "0ms #1 end ECANCELED\n20ms #2 end\n");
    assert_int_equal(works[0].calls, 0);
    first = submit(rig, &works[0], MS(30));
    rig->world->cancel(rig->world, first);
    rig->world->cancel(rig->world, first);
    rig_expect(rig, "20ms #3 end ECANCELED\n");
    rig_close(rig);
}

static void test_cancel_after_the_start_changes_nothing(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'cpus':1"));
    struct work work;
    uint64_t id = submit(rig, &work, MS(30));
    rig_run_until(rig, MS(10));
    rig->world->cancel(rig->world, id);
    rig_expect(rig, "30ms #1 end\n");
    rig_close(rig);
}

/* A job may report; what it must not do is wait. */
static int report_and_wait(void *job)
{
    struct rig *rig = job;
    struct world_completion out[1];
    struct world_request request = {.op = WORLD_REPORT, .data = "x1", .size = 2, .lengths = {1, 1}};
    rig->world->block(rig->world, MS(5));
    rig->world->submit(rig->world, &request);
    return (int)rig->world->wait(rig->world, INT64_MAX, out, 1) + (rig->world->now(rig->world) == MS(5) ? 7 : 0);
}

static void test_a_job_cannot_wait(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'sites':[]"));
    struct world_request request = {.op = WORLD_JOB, .fn = (uint64_t)(uintptr_t)report_and_wait,
                                    .job = (uint64_t)(uintptr_t)rig};
    rig_get(rig, "http://a.test/");
    rig->world->submit(rig->world, &request);
    rig_expect(rig, "0ms #1 end ENXIO\n5ms #2 end 7\n");
    char *trace = rig_trace(rig);
    assert_non_null(strstr(trace, "0ms report name=x value=1\n"));   /* lines stay in the order of time */
    free(trace);
    rig_close(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs_from_within_wait),
        cmocka_unit_test(test_k_at_a_time_in_order),
        cmocka_unit_test(test_four_cpus_unless_said_otherwise),
        cmocka_unit_test(test_pools),
        cmocka_unit_test(test_runs_beside_a_busy_loop),
        cmocka_unit_test(test_cancel_before_a_worker_is_free),
        cmocka_unit_test(test_cancel_before_the_call),
        cmocka_unit_test(test_cancel_after_the_start_changes_nothing),
        cmocka_unit_test(test_a_job_cannot_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
