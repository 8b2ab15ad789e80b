/* test_queue.c - the queue: order, bounds, who is served first, and joining. */
#include "check.h"

static void *number(intptr_t n) { return (void *)n; }

/* ---- Order ------------------------------------------------------------------------------------------------------ */

/* Puts and gets so that the ring wraps round and grows while its head is anywhere. */
static int wraps_and_grows(void *job)
{
    (void)job;
    void *item;
    intptr_t put = 0, got = 0;
    CO_QUEUE(queue, 0);
    for (int step = 1; step < 40; step++) {
        for (int i = 0; i < step; i++)
            expect_is(co_queue_put(&queue, number(put++)), 0);
        for (int i = 0; i < step / 2; i++) {
            expect_is(co_queue_get(&queue, &item), 0);
            expect(item == number(got++));
        }
        expect_is(co_queue_size(&queue), put - got);
    }
    while (co_queue_try_get(&queue, &item) == 0)
        expect(item == number(got++));
    expect_is(got, put);
    expect_is(co_queue_size(&queue), 0);
    expect_is(co_now(), 0);
    return 0;
}

static void items_come_out_as_they_went_in(void **state)
{
    (void)state;
    assert_int_equal(run(wraps_and_grows, NULL), 0);
}

static int null_items(void *job)
{
    (void)job;
    void *item = &item;
    CO_QUEUE(queue, 1);
    expect_is(co_queue_put(&queue, NULL), 0);
    expect_is(co_queue_get(&queue, &item), 0);
    expect(item == NULL);
    return 0;
}

static void null_is_an_item_like_any_other(void **state)
{
    (void)state;
    assert_int_equal(run(null_items, NULL), 0);
}

/* ---- Bounds ------------------------------------------------------------------------------------------------------ */

static int fills(void *job)
{
    (void)job;
    void *item = NULL;
    const size_t sizes[] = {1, 2, 15, 16, 17, 33, 100};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        CO_QUEUE(queue, sizes[s]);
        expect_is(co_queue_try_get(&queue, &item), -EAGAIN);
        expect(item == NULL);
        for (size_t i = 0; i < sizes[s]; i++)
            expect_is(co_queue_try_put(&queue, number((intptr_t)i)), 0);
        expect_is(co_queue_try_put(&queue, "x"), -EAGAIN);
        expect_is(co_queue_size(&queue), sizes[s]);
        expect(queue.capacity <= sizes[s]);
        for (size_t i = 0; i < 3 * sizes[s]; i++) {     /* full all the time, once round and more */
            expect_is(co_queue_try_get(&queue, &item), 0);
            expect(item == number((intptr_t)i));
            expect_is(co_queue_try_put(&queue, number((intptr_t)(i + sizes[s]))), 0);
            expect_is(co_queue_try_put(&queue, "x"), -EAGAIN);
        }
        item = NULL;
    }
    return 0;
}

static void a_bounded_queue_takes_no_more_than_maxsize(void **state)
{
    (void)state;
    assert_int_equal(run(fills, NULL), 0);
}

static struct co_queue queue;

static int produces(void *job)
{
    const char *word = job;
    for (int i = 0; word[i]; i++) {
        expect_is(co_queue_put(&queue, number(word[i])), 0);
        note("+%c", word[i]);
    }
    return 0;
}

static int consumes(void *job)
{
    for (int i = 0; i < (int)(intptr_t)job; i++) {
        void *item;
        expect_is(co_sleep(CO_MS(10)), 0);
        expect_is(co_queue_get(&queue, &item), 0);
        note("-%c", (char)(intptr_t)item);
        expect_is(co_queue_task_done(&queue), 0);
    }
    return 0;
}

static int produces_faster_than_it_consumes(void *job)
{
    (void)job;
    co_queue_init(&queue, 2);
    CO_GROUP(group);
    co_spawn(&group, produces, "abcde");
    co_spawn(&group, consumes, MSEC(5));
    expect_is(co_join(&group), 0);
    co_queue_destroy(&queue);
    return 0;
}

static void put_waits_for_room(void **state)
{
    (void)state;
    check_notes(produces_faster_than_it_consumes, "+a@0 +b@0 -a@10 +c@10 -b@20 +d@20 -c@30 +e@30 -d@40 -e@50 ");
}

/* ---- Who is served first ----------------------------------------------------------------------------------------- */

static int three_producers(void *job)
{
    (void)job;
    co_queue_init(&queue, 1);
    CO_GROUP(group);
    co_spawn(&group, produces, "ab");
    co_spawn(&group, produces, "c");
    co_spawn(&group, produces, "d");
    co_spawn(&group, consumes, MSEC(4));
    expect_is(co_join(&group), 0);
    co_queue_destroy(&queue);
    return 0;
}

static void room_goes_to_who_has_waited_longest(void **state)
{
    (void)state;
    check_notes(three_producers, "+a@0 -a@10 +b@10 -b@20 +c@20 -c@30 +d@30 -d@40 ");
}

struct getter { const char *name; int delay; };
static int gets_one(void *job)
{
    const struct getter *getter = job;
    void *item;
    int rc = co_sleep(CO_MS(getter->delay));
    expect_is(rc, 0);
    expect_is(co_queue_get(&queue, &item), 0);
    note("%s%c", getter->name, (char)(intptr_t)item);
    return 0;
}

static int items_for_waiters(void *job)
{
    (void)job;
    struct getter getters[] = {{"first", 1}, {"second", 2}, {"late", 10}};
    void *item;
    co_queue_init(&queue, 0);
    CO_GROUP(group);
    for (int i = 0; i < 3; i++)
        co_spawn(&group, gets_one, &getters[i]);
    expect_is(co_sleep(CO_MS(10)), 0);
    expect_is(co_queue_put(&queue, number('x')), 0);    /* each goes to one who waits already... */
    expect_is(co_queue_put(&queue, number('y')), 0);
    expect_is(co_queue_size(&queue), 0);
    expect_is(co_queue_try_get(&queue, &item), -EAGAIN);        /* ...and nobody can snatch it */
    expect_is(co_queue_put(&queue, number('z')), 0);
    expect_is(co_queue_size(&queue), 1);
    expect_is(co_join(&group), 0);
    co_queue_destroy(&queue);
    return 0;
}

static void an_item_goes_to_who_has_waited_longest(void **state)
{
    (void)state;
    check_notes(items_for_waiters, "latez@10 firstx@10 secondy@10 ");  /* late was ready before they were woken */
}

static int gives_up_getting(void *job)
{
    (void)job;
    void *item = "untouched";
    struct co_timeout limit;
    co_timeout_begin(&limit, CO_MS(5));
    int rc = co_queue_get(&queue, &item);
    expect_is(co_timeout_end(&limit, rc), -ETIMEDOUT);
    expect_text(item, "untouched");
    return 0;
}

static int gives_up_putting(void *job)
{
    struct co_timeout limit;
    co_timeout_begin(&limit, CO_MS(5));
    int rc = co_queue_put(&queue, job);
    expect_is(co_timeout_end(&limit, rc), -ETIMEDOUT);
    return 0;
}

static int some_give_up(void *job)
{
    (void)job;
    void *item;
    struct getter getter = {"patient", 0};
    co_queue_init(&queue, 1);
    {
        CO_GROUP(group);
        co_spawn(&group, gives_up_getting, NULL);
        co_spawn(&group, gets_one, &getter);
        expect_is(co_sleep(CO_MS(10)), 0);
        expect_is(co_queue_put(&queue, number('p')), 0);
        expect_is(co_join(&group), 0);
    }
    expect_is(co_queue_put(&queue, number('1')), 0);
    {
        CO_GROUP(group);
        co_spawn(&group, gives_up_putting, number('2'));
        co_spawn(&group, produces, "3");
        expect_is(co_sleep(CO_MS(10)), 0);
        expect_is(co_queue_try_get(&queue, &item), 0);
        expect(item == number('1'));
        expect_is(co_join(&group), 0);
    }
    expect_is(co_queue_try_get(&queue, &item), 0);
    expect(item == number('3'));                        /* what was not put is not there */
    expect_is(co_queue_size(&queue), 0);
    expect_is(queue.unfinished, 3);
    co_queue_destroy(&queue);
    return 0;
}

static void who_gives_up_takes_and_leaves_nothing(void **state)
{
    (void)state;
    check_notes(some_give_up, "patientp@10 +3@20 ");
}

/* ---- Joining ----------------------------------------------------------------------------------------------------- */

static int joins(void *job)
{
    expect_is(co_queue_join(&queue), 0);
    note("%s", (const char *)job);
    return 0;
}

static int workers_and_joiners(void *job)
{
    (void)job;
    co_queue_init(&queue, 0);
    expect_is(co_queue_task_done(&queue), -EINVAL);
    expect_is(co_queue_join(&queue), 0);                /* nothing is open: at once */
    CO_GROUP(group);
    for (int i = 0; i < 4; i++)
        expect_is(co_queue_put(&queue, number('a' + i)), 0);
    co_spawn(&group, joins, "joined1");
    co_spawn(&group, consumes, MSEC(2));
    co_spawn(&group, joins, "joined2");
    co_spawn(&group, consumes, MSEC(2));
    expect_is(co_queue_join(&queue), 0);
    note("main");
    expect_is(co_queue_task_done(&queue), -EINVAL);
    expect_is(co_join(&group), 0);
    co_queue_destroy(&queue);
    return 0;
}

static void join_waits_until_every_item_is_finished(void **state)
{
    (void)state;
    check_notes(workers_and_joiners, "-a@10 -b@10 -c@20 -d@20 main@20 joined1@20 joined2@20 ");
}

static int finishes(void *job)
{
    for (int i = 0; i < (int)(intptr_t)job; i++) {
        expect_is(co_sleep(CO_MS(10)), 0);
        expect_is(co_queue_task_done(&queue), 0);
    }
    return 0;
}

/* An item counts as open from its put on, wherever it went: into the ring, to a getter, or after waiting for room. */
static int open_items(void *job)
{
    (void)job;
    void *item;
    struct getter getter = {"got", 0};
    co_queue_init(&queue, 1);
    CO_GROUP(group);
    co_spawn(&group, gets_one, &getter);
    co_yield();
    expect_is(co_queue_put(&queue, number('a')), 0);    /* to the getter */
    expect_is(queue.unfinished, 1);
    co_spawn(&group, produces, "bc");                   /* into the ring, and after waiting */
    co_yield();
    expect_is(queue.unfinished, 2);
    expect_is(co_queue_get(&queue, &item), 0);
    expect_is(queue.unfinished, 3);
    expect_is(co_queue_get(&queue, &item), 0);
    co_spawn(&group, finishes, MSEC(3));
    expect_is(co_queue_join(&queue), 0);
    note("joined");
    expect_is(co_join(&group), 0);
    co_queue_destroy(&queue);
    return 0;
}

static void every_way_in_counts_as_open(void **state)
{
    (void)state;
    check_notes(open_items, "gota@0 +b@0 +c@0 joined@30 ");
}

static int declared(void *job)
{
    (void)job;
    for (int i = 0; i < 100; i++) {
        CO_QUEUE(mine, 0);
        for (int k = 0; k < 100; k++)
            expect_is(co_queue_put(&mine, number(k)), 0);
        if (i % 2)
            continue;                                   /* freed on every way out: LeakSanitizer looks */
    }
    struct co_queue zero = {0};
    expect_is(co_queue_try_put(&zero, "x"), 0);
    co_queue_destroy(&zero);
    co_queue_destroy(&zero);
    return 0;
}

static void a_declared_queue_frees_itself(void **state)
{
    (void)state;
    assert_int_equal(run(declared, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_come_out_as_they_went_in),
        cmocka_unit_test(null_is_an_item_like_any_other),
        cmocka_unit_test(a_bounded_queue_takes_no_more_than_maxsize),
        cmocka_unit_test(put_waits_for_room),
        cmocka_unit_test(room_goes_to_who_has_waited_longest),
        cmocka_unit_test(an_item_goes_to_who_has_waited_longest),
        cmocka_unit_test(who_gives_up_takes_and_leaves_nothing),
        cmocka_unit_test(join_waits_until_every_item_is_finished),
        cmocka_unit_test(every_way_in_counts_as_open),
        cmocka_unit_test(a_declared_queue_frees_itself),
    };
    return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
