/* test_event.c - the event: all who wait go on, in their order; who comes later does not wait. */
#include "check.h"

static struct co_event event;

static int waits(void *job)
{
    expect_is(co_event_wait(&event), 0);
    note("%s", (const char *)job);
    return 0;
}

static int sets_and_clears(void *job)
{
    (void)job;
    event = (struct co_event)CO_EVENT_INIT;
    CO_GROUP(group);
    co_spawn(&group, waits, "a");
    co_spawn(&group, waits, "b");
    expect_is(co_sleep(CO_MS(10)), 0);
    co_event_set(&event);
    expect_is(event.is_set, 1);
    co_event_set(&event);                       /* set already: nothing */
    expect_is(event.is_set, 1);
    expect_is(co_event_wait(&event), 0);        /* at once */
    note("main");
    co_spawn(&group, waits, "c");
    expect_is(co_sleep(CO_MS(10)), 0);
    co_event_clear(&event);
    expect_is(event.is_set, 0);
    co_spawn(&group, waits, "d");
    expect_is(co_sleep(CO_MS(10)), 0);
    co_event_set(&event);
    return co_join(&group);
}

static void set_wakes_all_in_order_and_stays_until_cleared(void **state)
{
    (void)state;
    check_notes(sets_and_clears, "main@10 a@10 b@10 c@10 d@30 ");
}

static int set_then_cleared(void *job)
{
    (void)job;
    event = (struct co_event)CO_EVENT_INIT;
    CO_GROUP(group);
    co_spawn(&group, waits, "a");
    co_spawn(&group, waits, "b");
    expect_is(co_sleep(CO_MS(10)), 0);
    co_event_set(&event);
    co_event_clear(&event);                     /* who waited when it was set goes on all the same */
    return co_join(&group);
}

static void a_set_is_not_lost_by_a_clear_at_once(void **state)
{
    (void)state;
    check_notes(set_then_cleared, "a@10 b@10 ");
}

static struct co_event statically = CO_EVENT_INIT;
static int from_zero(void *job)
{
    (void)job;
    struct co_event zero;
    memset(&zero, 0, sizeof zero);
    co_event_set(&zero);
    co_event_set(&statically);
    expect_is(co_event_wait(&zero), 0);
    expect_is(co_event_wait(&statically), 0);
    expect_is(co_now(), 0);
    return 0;
}

static void an_event_starts_from_zeros(void **state)
{
    (void)state;
    assert_int_equal(run(from_zero, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_wakes_all_in_order_and_stays_until_cleared),
        cmocka_unit_test(a_set_is_not_lost_by_a_clear_at_once),
        cmocka_unit_test(an_event_starts_from_zeros),
    };
    return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
