/* Pools of workers, beside the CPUs: who waits for whom, and what the trace says. */
#include "world_rig.h"

static int compute(void *job)
{
    struct rig *rig = job;
    rig->world->block(rig->world, MS(10));
    return 0;
}

static uint64_t submit(struct rig *rig, uint32_t pool, uint32_t workers)
{
    struct world_request request = {.op = WORLD_JOB, .task = 1, .fn = (uint64_t)(uintptr_t)compute,
                                    .job = (uint64_t)(uintptr_t)rig, .pool = pool, .workers = workers};
    uint64_t id = rig->world->submit(rig->world, &request);
    assert_true(id > 0);
    return id;
}

static void test_a_pool_has_a_line_of_its_own(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'cpus':1"));
    submit(rig, 0, 0);
    submit(rig, 7, 2);
    submit(rig, 7, 2);
    submit(rig, 7, 2);
    submit(rig, 0, 0);
    submit(rig, 8, 1);
    /* As they were begun. */
    rig_expect(rig, "10ms #1 end\n10ms #2 end\n10ms #3 end\n10ms #6 end\n20ms #5 end\n20ms #4 end\n");
    rig_close(rig);
}

static void test_the_trace_names_pools_but_not_the_cpus(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'cpus':1"));
    submit(rig, 0, 0);
    submit(rig, 7, 1);
    uint64_t given_up = submit(rig, 7, 1);
    rig->world->cancel(rig->world, given_up);
    rig_run_until(rig, INT64_MAX);
    rig_expect_trace(rig,
                     "0ms cpu.submit op=1 task=1\n0ms cpu.submit op=2 pool=7 task=1\n"
                     "0ms cpu.submit op=3 pool=7 task=1\n"
                          "0ms cpu.cancelled op=3 pool=7\n0ms cpu.start op=1 worker=1\n"
                          "0ms cpu.start op=2 pool=7 worker=1\n"
                          "10ms cpu.end op=1 rc=0 ns=10000000\n10ms cpu.end op=2 pool=7 rc=0 ns=10000000\n");
    rig_close(rig);
}

static void test_given_up_at_each_stage(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'cpus':1"));
    uint64_t first = submit(rig, 7, 1), second = submit(rig, 7, 1), third = submit(rig, 7, 1);
    rig->world->cancel(rig->world, first);    /* it has a worker, and was not called */
    rig_expect_until(rig, MS(5), "0ms #1 end ECANCELED\n");
    rig->world->cancel(rig->world, second);   /* it was called */
    rig->world->cancel(rig->world, third);    /* it waits */
    rig_expect(rig, "5ms #3 end ECANCELED\n10ms #2 end\n");
    submit(rig, 7, 1);                        /* the pool goes on, */
    rig_expect(rig, "20ms #4 end\n");
    first = submit(rig, 7, 3);                /* and when it was idle it may come with other workers */
    submit(rig, 7, 3);
    rig->world->cancel(rig->world, first);
    submit(rig, 7, 1);
    rig_expect(rig, "20ms #5 end ECANCELED\n30ms #6 end\n30ms #7 end\n");
    rig_close(rig);
}

static void test_a_pool_without_workers_has_one(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'cpus':4"));
    submit(rig, 1, 0);
    submit(rig, 1, 0);
    rig_expect(rig, "10ms #1 end\n20ms #2 end\n");
    rig_close(rig);
}

static void test_many_pools_at_once(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'cpus':1"));
    for (uint32_t pool = 1; pool <= 1000; pool++) {
        submit(rig, pool, 1);
        submit(rig, pool * 4000000u, 1);
    }
    rig_run_until(rig, MS(9));
    assert_int_equal(rig->length, 0);
    struct world_completion out[64];
    size_t n, all = 0;
    while ((n = rig->world->wait(rig->world, MS(10), out, 64)) > 0)
        all += n;
    assert_int_equal(all, 2000);
    assert_int_equal(rig->world->wait(rig->world, INT64_MAX, out, 64), 0);
    rig_close(rig);
}

static void test_closed_with_jobs_in_every_stage(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'cpus':1"));
    for (uint32_t i = 0; i < 12; i++)
        submit(rig, i % 4, 2);
    rig_run_until(rig, MS(5));
    submit(rig, 9, 1);
    rig_close(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_pool_has_a_line_of_its_own),
        cmocka_unit_test(test_the_trace_names_pools_but_not_the_cpus),
        cmocka_unit_test(test_given_up_at_each_stage),
        cmocka_unit_test(test_a_pool_without_workers_has_one),
        cmocka_unit_test(test_many_pools_at_once),
        cmocka_unit_test(test_closed_with_jobs_in_every_stage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
