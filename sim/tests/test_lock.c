/* test_lock.c - the lock: one at a time, first come first served, and CO_WITH_LOCK. */
#include "check.h"

static struct co_lock lock;

static int holds_10(void *job)
{
    expect_is(co_lock_acquire(&lock), 0);
    note("%s+", (const char *)job);
    expect_is(co_sleep(CO_MS(10)), 0);
    note("%s-", (const char *)job);
    expect_is(co_lock_release(&lock), 0);
    return 0;
}

static int three_hold(void *job)
{
    (void)job;
    lock = (struct co_lock)CO_LOCK_INIT;
    CO_GROUP(group);
    co_spawn(&group, holds_10, "a");
    co_spawn(&group, holds_10, "b");
    co_spawn(&group, holds_10, "c");
    return co_join(&group);
}

static void one_at_a_time_in_the_order_they_came(void **state)
{
    (void)state;
    check_notes(three_hold, "a+@0 a-@10 b+@10 b-@20 c+@20 c-@30 ");
}

/* Who has just released cannot snatch it again while somebody waits. */
static int greedy(void *job)
{
    for (int i = 0; i < 3; i++) {
        expect_is(co_lock_acquire(&lock), 0);
        note("%s%d", (const char *)job, i);
        co_yield();
        expect_is(co_lock_release(&lock), 0);
    }
    return 0;
}

static int two_greedy(void *job)
{
    (void)job;
    lock = (struct co_lock)CO_LOCK_INIT;
    CO_GROUP(group);
    co_spawn(&group, greedy, "a");
    co_spawn(&group, greedy, "b");
    return co_join(&group);
}

static void a_released_lock_goes_to_who_has_waited_longest(void **state)
{
    (void)state;
    check_notes(two_greedy, "a0@0 b0@0 a1@0 b1@0 a2@0 b2@0 ");
}

static int misuses(void *job)
{
    (void)job;
    lock = (struct co_lock)CO_LOCK_INIT;
    expect_is(co_lock_release(&lock), -EPERM);          /* free */
    expect_is(co_lock_acquire(&lock), 0);
    expect_is(co_lock_acquire(&lock), -EDEADLK);
    expect_is(co_lock_release(&lock), 0);
    expect_is(co_lock_release(&lock), -EPERM);
    expect_is(co_lock_acquire(&lock), 0);
    expect_is(co_lock_release(&lock), 0);
    return 0;
}

static int releases_not_its_own(void *job)
{
    expect_is(co_lock_release(&lock), -EPERM);
    return *(int *)job;
}

static int holds_while_another_releases(void *job)
{
    lock = (struct co_lock)CO_LOCK_INIT;
    expect_is(co_lock_acquire(&lock), 0);
    CO_GROUP(group);
    int zero = 0;
    (void)job;
    co_spawn(&group, releases_not_its_own, &zero);
    expect_is(co_join(&group), 0);
    expect_is(co_to_thread(releases_not_its_own, &zero), 0);
    expect_is(co_lock_release(&lock), 0);
    return 0;
}

static void only_its_holder_can_release_and_nobody_takes_it_twice(void **state)
{
    (void)state;
    assert_int_equal(run(misuses, NULL), 0);
    assert_int_equal(run(holds_while_another_releases, NULL), 0);
}

static int takes_and_ends(void *job)
{
    (void)job;
    return co_lock_acquire(&lock);
}

static int worker_releases_the_orphan(void *job)
{
    (void)job;
    int zero = 0;
    lock = (struct co_lock)CO_LOCK_INIT;
    CO_GROUP(group);
    co_spawn(&group, takes_and_ends, NULL);
    expect_is(co_join(&group), 0);
    expect_is(co_lock_release(&lock), -EPERM);
    expect_is(co_to_thread(releases_not_its_own, &zero), 0);    /* who is no task holds nothing */
    return 0;
}

static void a_lock_whose_holder_ended_is_not_a_workers(void **state)
{
    (void)state;
    struct child *child = forked(worker_releases_the_orphan, NULL);
    assert_int_equal(child->rc, 0);
    assert_has(child->err, "leak: the lock");
}

static int tries_for_5(void *job)
{
    int rc = co_wait_for(takes_and_ends, NULL, CO_MS(5));
    note("%s %s", (const char *)job, co_strerror(rc));
    return rc == 0 ? co_lock_release(&lock) : 0;
}

static int waiters_time_out(void *job)
{
    (void)job;
    lock = (struct co_lock)CO_LOCK_INIT;
    CO_GROUP(group);
    co_spawn(&group, holds_10, "a");
    co_spawn(&group, tries_for_5, "early");
    co_yield();
    expect_is(co_sleep(CO_MS(7)), 0);
    co_spawn(&group, tries_for_5, "late");
    return co_join(&group);
}

static void a_waiter_that_gives_up_is_passed_over(void **state)
{
    (void)state;
    check_notes(waiters_time_out, "a+@0 early timed out@5 a-@10 late success@10 ");
}

/* ---- CO_WITH_LOCK ------------------------------------------------------------------------------------------ */

static int leaves_by_return(void)
{
    CO_WITH_LOCK(&lock) {
        expect_is(co_lock_acquire(&lock), -EDEADLK);
        return 4;
    }
    return 5;
}

static int with_lock(void *job)
{
    (void)job;
    int rounds = 0;
    lock = (struct co_lock)CO_LOCK_INIT;
    CO_WITH_LOCK(&lock) {
        rounds++;
        expect_is(co_lock_acquire(&lock), -EDEADLK);
    }
    expect(lock.hold == NULL);
    CO_WITH_LOCK(&lock) {
        rounds++;
        break;
    }
    expect(lock.hold == NULL);
    CO_WITH_LOCK(&lock) {
        rounds++;
        continue;
    }
    expect(lock.hold == NULL);
    expect_is(leaves_by_return(), 4);
    expect(lock.hold == NULL);
    expect_is(rounds, 3);
    CO_WITH_LOCK(&lock)
        rounds++;
    expect_is(rounds, 4);
    struct co_lock other = CO_LOCK_INIT;
    CO_WITH_LOCK(&lock) {
        CO_WITH_LOCK(&other)
            expect(lock.hold && other.hold);
        expect(lock.hold && !other.hold);
    }
    expect(!lock.hold);
    CO_WITH_LOCK(&lock) {
        expect_is(co_lock_release(&lock), 0);           /* by hand: not released twice */
    }
    CO_WITH_LOCK(&lock) {
        goto out;
    }
out:
    expect(!lock.hold);
    return 0;
}

static void with_lock_releases_on_every_way_out(void **state)
{
    (void)state;
    assert_int_equal(run(with_lock, NULL), 0);
}

static int skips_the_block(void *job)
{
    (void)job;
    CO_WITH_LOCK(&lock) {
        note("inside");
    }
    note("after");
    return co_sleep(1);
}

static int cancels_while_waiting_for_lock(void *job)
{
    (void)job;
    lock = (struct co_lock)CO_LOCK_INIT;
    CO_GROUP(group);
    co_spawn(&group, holds_10, "a");
    co_task *task = co_spawn(&group, skips_the_block, NULL);
    expect_is(co_sleep(CO_MS(5)), 0);
    co_cancel(task);
    expect_is(co_join(&group), 0);
    expect(lock.hold == NULL);
    return 0;
}

static void with_lock_skips_the_block_when_cancelled(void **state)
{
    (void)state;
    check_notes(cancels_while_waiting_for_lock, "a+@0 after@5 a-@10 ");
}

/* ---- The trace ----------------------------------------------------------------------------------------------- */

static int briefly(void *job)
{
    (void)job;
    CO_WITH_LOCK(&lock)
        co_yield();
    return 0;
}

static int two_briefly(void *job)
{
    (void)job;
    lock = (struct co_lock)CO_LOCK_INIT;
    CO_GROUP(group);
    co_spawn(&group, briefly, NULL);
    co_spawn(&group, briefly, NULL);
    return co_join(&group);
}

static void waiting_for_a_lock_is_traced(void **state)
{
    (void)state;
    char *trace = only(traced(two_briefly, NULL), "runtime");
    assert_string_equal(strstr(trace, "{\"t\":0,\"ev\":\"await\",\"task\":1"),
        "{\"t\":0,\"ev\":\"await\",\"task\":1,\"on\":\"group\"}\n"
        "{\"t\":0,\"ev\":\"run\",\"task\":2}\n"
        "{\"t\":0,\"ev\":\"await\",\"task\":2,\"on\":\"yield\"}\n"
        "{\"t\":0,\"ev\":\"ready\",\"task\":2,\"by\":2}\n"
        "{\"t\":0,\"ev\":\"run\",\"task\":3}\n"
        "{\"t\":0,\"ev\":\"await\",\"task\":3,\"on\":\"lock\"}\n"
        "{\"t\":0,\"ev\":\"run\",\"task\":2}\n"
        "{\"t\":0,\"ev\":\"ready\",\"task\":3,\"by\":2}\n"
        "{\"t\":0,\"ev\":\"done\",\"task\":2,\"rc\":0}\n"
        "{\"t\":0,\"ev\":\"run\",\"task\":3}\n"
        "{\"t\":0,\"ev\":\"await\",\"task\":3,\"on\":\"yield\"}\n"
        "{\"t\":0,\"ev\":\"ready\",\"task\":3,\"by\":3}\n"
        "{\"t\":0,\"ev\":\"run\",\"task\":3}\n"
        "{\"t\":0,\"ev\":\"done\",\"task\":3,\"rc\":0}\n"
        "{\"t\":0,\"ev\":\"ready\",\"task\":1,\"by\":3}\n"
        "{\"t\":0,\"ev\":\"run\",\"task\":1}\n"
        "{\"t\":0,\"ev\":\"done\",\"task\":1,\"rc\":0}\n"
        "{\"t\":0,\"ev\":\"end\",\"rc\":0}\n");
    free(trace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_at_a_time_in_the_order_they_came),
        cmocka_unit_test(a_released_lock_goes_to_who_has_waited_longest),
        cmocka_unit_test(only_its_holder_can_release_and_nobody_takes_it_twice),
        cmocka_unit_test(a_lock_whose_holder_ended_is_not_a_workers),
        cmocka_unit_test(a_waiter_that_gives_up_is_passed_over),
        cmocka_unit_test(with_lock_releases_on_every_way_out),
        cmocka_unit_test(with_lock_skips_the_block_when_cancelled),
        cmocka_unit_test(waiting_for_a_lock_is_traced),
    };
    return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
