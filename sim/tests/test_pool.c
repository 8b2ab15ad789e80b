/* test_pool.c - jobs on workers of one's own (CO_POOL). */
#include "check.h"

static const char one_cpu[] = "{\"world\":\"looplab/world/v1\",\"cpus\":1}";

static int works(void *job)
{
    co_cpu(CO_MS((intptr_t)job));
    return (int)(intptr_t)job;
}

struct order {
    struct co_pool *pool;               /* NULL: the common workers */
    int ms;
};

static int orders(void *job)
{
    struct order *order = job;
    int rc = order->pool ? co_pool_run(order->pool, works, MSEC(order->ms)) : co_to_thread(works, MSEC(order->ms));
    note("%d", rc);
    return rc;
}

static int two_pools(void *job)
{
    (void)job;
    CO_POOL(small, 1);
    CO_POOL(large, 3);
    struct order all[] = {{&small, 10}, {&small, 11}, {&large, 12}, {&large, 13}, {&large, 14}, {&large, 15},
                          {NULL, 16}, {NULL, 17}};
    CO_GROUP(group);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        co_spawn(&group, orders, &all[i]);
    return co_join(&group);
}

static void each_pool_has_its_workers(void **state)
{
    (void)state;
    check_world_notes(one_cpu, two_pools, "10@10 12@12 13@13 14@14 16@16 11@21 15@27 17@33 ");
}

static void a_pool_shows_in_the_trace(void **state)
{
    (void)state;
    char *trace = only(traced_world(one_cpu, two_pools, NULL), "world");
    assert_has(trace, "{\"t\":0,\"ev\":\"cpu.submit\",\"op\":1,\"pool\":1,\"task\":2}\n");
    assert_has(trace, "{\"t\":0,\"ev\":\"cpu.submit\",\"op\":3,\"pool\":2,\"task\":4}\n");
    assert_has(trace, "{\"t\":0,\"ev\":\"cpu.submit\",\"op\":7,\"task\":8}\n");
    assert_has(trace, "{\"t\":21000000,\"ev\":\"cpu.end\",\"op\":2,\"pool\":1,\"rc\":11,\"ns\":11000000}\n");
    free(trace);
}

static int no_workers(void *job)
{
    (void)job;
    CO_POOL(pool, 0);                           /* one, then */
    struct order all[] = {{&pool, 10}, {&pool, 10}};
    int rcs[2];
    expect_is(co_gather(orders, all, 2, sizeof all[0], rcs), 0);
    expect_is(rcs[0], 10);
    return 0;
}

static void a_pool_has_one_worker_at_least(void **state)
{
    (void)state;
    check_notes(no_workers, "10@10 10@20 ");
}

static int gives_up(void *job)
{
    (void)job;
    int rc;
    CO_POOL(pool, 1);
    struct order first = {&pool, 50}, second = {&pool, 60}, third = {&pool, 70};
    CO_GROUP(group);
    co_task *begun = co_spawn(&group, orders, &first), *waiting = co_spawn(&group, orders, &second);
    co_spawn(&group, orders, &third);
    expect_is(co_sleep(CO_MS(10)), 0);
    co_cancel(begun);                           /* waited for: it uses the job */
    co_cancel(waiting);
    expect_is(co_await(waiting, &rc), 0);
    expect_is(rc, -ECANCELED);
    expect_is(co_now(), CO_MS(10));
    return co_join(&group);
}

static void given_up_before_and_after_it_began(void **state)
{
    (void)state;
    check_notes(gives_up, "-125@10 50@50 70@120 ");
}

static int not_on_a_worker(void *job)
{
    struct co_pool *pool = job;
    expect_is(co_pool_run(pool, works, MSEC(1)), -EPERM);
    return 4;
}

static int uses_a_pool_wrongly(void *job)
{
    (void)job;
    CO_POOL(pool, 2);
    expect_is(co_pool_run(&pool, not_on_a_worker, &pool), 4);
    co_cancel(co_current());
    expect_is(co_pool_run(&pool, works, MSEC(1)), -ECANCELED);
    return 0;
}

static void errors(void **state)
{
    (void)state;
    assert_int_equal(run(uses_a_pool_wrongly, NULL), 0);
    CO_POOL(outside, 2);
    assert_int_equal(co_pool_run(&outside, works, MSEC(1)), -EPERM);
}

static int many_pools(void *job)
{
    (void)job;
    for (int i = 1; i <= 1000; i++) {
        CO_POOL(pool, 2);
        expect_is(pool.number, i);
        expect_is(co_pool_run(&pool, works, MSEC(1)), 1);
    }
    expect_is(co_now(), CO_SEC(1));
    return 0;
}

static void as_many_pools_as_one_likes(void **state)
{
    (void)state;
    assert_int_equal(run(many_pools, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_pool_has_its_workers),
        cmocka_unit_test(a_pool_shows_in_the_trace),
        cmocka_unit_test(a_pool_has_one_worker_at_least),
        cmocka_unit_test(given_up_before_and_after_it_began),
        cmocka_unit_test(errors),
        cmocka_unit_test(as_many_pools_as_one_likes),
    };
    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
