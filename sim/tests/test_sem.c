/* test_sem.c - the semaphore: at most so many at a time, first come first served. */
#include "check.h"

static struct co_sem sem;

static int enters(void *job)
{
    expect_is(co_sem_acquire(&sem), 0);
    note("%d+", (int)(intptr_t)job);
    expect_is(co_sleep(CO_MS(10)), 0);
    co_sem_release(&sem);
    return 0;
}

static int five_enter(void *job)
{
    (void)job;
    sem = (struct co_sem)CO_SEM_INIT(2);
    CO_GROUP(group);
    for (int i = 1; i <= 5; i++)
        co_spawn(&group, enters, MSEC(i));
    expect_is(co_join(&group), 0);
    expect_is(sem.value, 2);
    expect_is(co_now(), CO_MS(30));
    return 0;
}

static void at_most_value_tasks_at_a_time_in_the_order_they_came(void **state)
{
    (void)state;
    check_notes(five_enter, "1+@0 2+@0 3+@10 4+@10 5+@20 ");
}

static int acquires(void *job)
{
    expect_is(co_sem_acquire(&sem), 0);
    note("%s", (const char *)job);
    return 0;
}

static int hands_over(void *job)
{
    (void)job;
    sem = (struct co_sem)CO_SEM_INIT(0);
    CO_GROUP(group);
    co_spawn(&group, acquires, "first");
    co_spawn(&group, acquires, "second");
    expect_is(co_sleep(CO_MS(1)), 0);
    co_sem_release(&sem);                       /* to the first; not free for who comes now */
    expect_is(sem.value, 0);
    co_spawn(&group, acquires, "third");
    co_sem_release(&sem);
    co_sem_release(&sem);                       /* nobody waits any more */
    expect_is(sem.value, 1);
    expect_is(co_join(&group), 0);
    expect_is(sem.value, 0);
    return 0;
}

static void a_release_hands_the_place_over(void **state)
{
    (void)state;
    check_notes(hands_over, "first@1 third@1 second@1 ");    /* the order in which they became ready */
}

static int counts_beyond(void *job)
{
    (void)job;
    sem = (struct co_sem)CO_SEM_INIT(1);
    co_sem_release(&sem);                       /* any task may call, also without having entered */
    co_sem_release(&sem);
    expect_is(sem.value, 3);
    for (int i = 0; i < 3; i++)
        expect_is(co_sem_acquire(&sem), 0);
    expect_is(co_now(), 0);
    expect_is(sem.value, 0);
    return 0;
}

static void releases_add_up(void **state)
{
    (void)state;
    assert_int_equal(run(counts_beyond, NULL), 0);
}

static int gives_up(void *job)
{
    struct co_timeout limit;
    co_timeout_begin(&limit, CO_MS(5));
    int rc = co_sem_acquire(&sem);
    rc = co_timeout_end(&limit, rc);
    note("%s %s", (const char *)job, co_strerror(rc));
    return 0;
}

static int gives_up_among_others(void *job)
{
    (void)job;
    sem = (struct co_sem)CO_SEM_INIT(0);
    CO_GROUP(group);
    co_spawn(&group, acquires, "first");
    co_spawn(&group, gives_up, "second");
    co_spawn(&group, acquires, "third");
    expect_is(co_sleep(CO_MS(10)), 0);
    co_sem_release(&sem);
    co_sem_release(&sem);
    expect_is(co_join(&group), 0);
    expect_is(sem.value, 0);
    return 0;
}

static void who_gives_up_takes_no_place(void **state)
{
    (void)state;
    check_notes(gives_up_among_others, "second timed out@5 first@10 third@10 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_most_value_tasks_at_a_time_in_the_order_they_came),
        cmocka_unit_test(a_release_hands_the_place_over),
        cmocka_unit_test(releases_add_up),
        cmocka_unit_test(who_gives_up_takes_no_place),
    };
    return cmocka_run_group_tests_name("sem", tests, NULL, NULL);
}
