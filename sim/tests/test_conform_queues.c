/* test_conform_queues.c - the three kinds of queue, as CPython's test_queues asks them. */
#include "conform.h"

static void *number(intptr_t n) { return (void *)n; }

static int get(void *queue)
{
    void *item = NULL;
    int rc = co_queue_get(queue, &item);
    if (rc == 0)
        note("got %d", (int)(intptr_t)item);
    return rc;
}

/* One task that puts one item. */
struct put {
    struct co_queue *queue;
    int item;
};

static int put(void *job)
{
    struct put *p = job;
    int rc = co_queue_put(p->queue, number(p->item));
    note(rc < 0 ? "%d:%s" : "put %d", p->item, co_strerror(rc));
    return rc;
}
#define PUT(queue_, item_) (&(struct put){(queue_), (item_)})

/* Takes an item without waiting; -1: there is none. */
static int take(struct co_queue *queue)
{
    void *item;
    return co_queue_try_get(queue, &item) == 0 ? (int)(intptr_t)item : -1;
}

/* Three items in, three out: in which order? */
static void expect_order(struct co_queue *queue, int first, int second, int third)
{
    for (int i = 0; i < 3; i++)
        expect_is(co_queue_put(queue, number((int[]){1, 3, 2}[i])), 0);
    expect_is(take(queue), first);
    expect_is(take(queue), second);
    expect_is(take(queue), third);
    expect_is(take(queue), -1);
}

static int by_value(const void *a, const void *b)
{
    return (intptr_t)a < (intptr_t)b ? -1 : (intptr_t)a > (intptr_t)b;
}

/* What holds for all kinds is asked of all. */
static int for_each_kind(void (*fn)(struct co_queue *queue))
{
    CO_QUEUE(fifo, 0);
    CO_LIFO_QUEUE(lifo, 0);
    CO_PRIORITY_QUEUE(least, 0, by_value);
    fn(&fifo);
    fn(&lifo);
    fn(&least);
    return 0;
}

/* ---- Size and order ---------------------------------------------------------------------------------------------- */

CONFORM(an_empty_queue_has_no_items)
{
    void *item;
    CO_QUEUE(queue, 0);
    expect_is(co_queue_size(&queue), 0);
    expect_is(co_queue_put(&queue, number(1)), 0);
    expect_is(co_queue_size(&queue), 1);
    expect_is(co_queue_get(&queue, &item), 0);
    expect_is(co_queue_size(&queue), 0);
    return 0;
}

CONFORM(only_a_bounded_queue_is_ever_full)
{
    CO_QUEUE(endless, 0);
    CO_QUEUE(one, 1);
    expect(!co_queue_full(&endless));
    expect_is(co_queue_put(&endless, number(1)), 0);
    expect(!co_queue_full(&endless));
    expect(!co_queue_full(&one));
    expect_is(co_queue_put(&one, number(1)), 0);
    expect(co_queue_full(&one));
    return 0;
}

CONFORM(a_queue_gives_out_the_oldest)
{
    CO_QUEUE(queue, 0);
    expect_order(&queue, 1, 3, 2);
    return 0;
}

CONFORM(a_lifo_queue_gives_out_the_newest)
{
    CO_LIFO_QUEUE(queue, 0);
    expect_order(&queue, 2, 3, 1);
    return 0;
}

CONFORM(a_priority_queue_gives_out_the_smallest)
{
    CO_PRIORITY_QUEUE(queue, 0, by_value);
    expect_order(&queue, 1, 2, 3);
    return 0;
}

static int puts_three(void *queue)
{
    for (int i = 0; i < 3; i++) {
        int rc = co_queue_put(queue, number(i));
        if (rc < 0)
            return rc;
        note("%d", i);
    }
    return 0;
}

CONFORM(maxsize_is_as_many_as_fit)
{
    CO_QUEUE(queue, 2);
    CO_GROUP(group);
    expect_is(queue.maxsize, 2);
    co_task *task = co_spawn(&group, puts_three, &queue);
    settle();
    NOTED("0@0 1@0 ");
    expect_is(take(&queue), 0);
    settle();
    NOTED("2@0 ");
    expect_is(take(&queue), 1);
    expect_is(take(&queue), 2);
    expect_is(co_result(task), 0);
    return co_join(&group);
}

/* ---- Getting ----------------------------------------------------------------------------------------------------- */

CONFORM(a_get_of_what_is_there_does_not_wait)
{
    void *item;
    CO_QUEUE(queue, 0);
    CO_GROUP(group);
    co_spawn(&group, sleeper, MSEC(0));
    expect_is(co_queue_try_put(&queue, number(1)), 0);
    expect_is(co_queue_get(&queue, &item), 0);
    expect_is((intptr_t)item, 1);
    NOTED("");                                      /* nobody else ran meanwhile */
    return co_join(&group);
}

CONFORM(a_get_lets_a_waiting_putter_in)
{
    CO_QUEUE(queue, 1);
    CO_GROUP(group);
    expect_is(co_queue_put(&queue, number(1)), 0);
    co_spawn(&group, put, PUT(&queue, 2));
    settle();
    NOTED("");
    expect_is(take(&queue), 1);
    settle();
    NOTED("put 2@0 ");
    expect_is(take(&queue), 2);
    return co_join(&group);
}

CONFORM(a_get_waits_for_an_item)
{
    CO_QUEUE(queue, 0);
    CO_GROUP(group);
    co_spawn(&group, get, &queue);
    expect_is(co_sleep(CO_MS(10)), 0);
    NOTED("");
    expect_is(co_queue_try_put(&queue, number(1)), 0);
    expect_is(co_join(&group), 0);
    NOTED("got 1@10 ");
    return 0;
}

CONFORM(try_get_takes_what_is_there)
{
    CO_QUEUE(queue, 0);
    expect_is(co_queue_try_put(&queue, number(1)), 0);
    expect_is(take(&queue), 1);
    return 0;
}

CONFORM(try_get_of_an_empty_queue_says_so)
{
    void *item = &item;
    CO_QUEUE(queue, 0);
    expect_is(co_queue_try_get(&queue, &item), -EAGAIN);
    expect(item == &item);
    return 0;
}

CONFORM(an_item_goes_past_a_cancelled_getter)
{
    CO_QUEUE(queue, 0);
    CO_GROUP(group);
    co_task *t1 = co_spawn(&group, get, &queue);
    co_task *t2 = co_spawn(&group, get, &queue);
    settle();
    co_cancel(t1);
    settle();
    expect_is(co_result(t1), -ECANCELED);
    expect_is(co_queue_put(&queue, number(1)), 0);
    settle();
    expect_is(co_result(t2), 0);
    NOTED("got 1@0 ");
    return co_join(&group);
}

CONFORM(gets_empty_a_queue_on_whom_putters_wait)
{
    void *item;
    CO_QUEUE(queue, 1);
    CO_GROUP(group);
    co_spawn(&group, put, PUT(&queue, 1));
    co_spawn(&group, put, PUT(&queue, 2));
    for (int i = 1; i <= 2; i++) {
        expect_is(co_queue_get(&queue, &item), 0);
        expect_is((intptr_t)item, i);
    }
    return co_join(&group);
}

static int produces_five(void *queue)
{
    int rc = 0;
    for (int i = 0; i < 5 && rc == 0; i++)
        rc = co_queue_put(queue, number(i));
    return rc;
}

static int consumes_five(void *queue)
{
    int rc = 0;
    for (int i = 0; i < 5 && rc == 0; i++)
        rc = get(queue);
    return rc;
}

CONFORM(a_producer_and_a_consumer_never_wait_for_each_other_for_ever)
{
    CO_QUEUE(queue, 1);
    CO_GROUP(group);
    co_spawn(&group, produces_five, &queue);
    co_spawn(&group, consumes_five, &queue);
    expect_is(co_join(&group), 0);
    NOTED("got 0@0 got 1@0 got 2@0 got 3@0 got 4@0 ");
    return 0;
}

CONFORM(a_getter_whose_time_is_up_is_forgotten)
{
    CO_QUEUE(queue, 5);
    expect_is(co_wait_for(get, &queue, CO_MS(100)), -ETIMEDOUT);
    expect_is(co_now(), CO_MS(100));
    expect(queue.getters.first == NULL);
    return 0;
}

/* ---- Putting ----------------------------------------------------------------------------------------------------- */

CONFORM(a_put_where_there_is_room_does_not_wait)
{
    CO_QUEUE(queue, 0);
    CO_GROUP(group);
    co_spawn(&group, sleeper, MSEC(0));
    expect_is(co_queue_put(&queue, number(1)), 0);
    NOTED("");
    expect_is(take(&queue), 1);
    return co_join(&group);
}

CONFORM(a_put_waits_for_room)
{
    CO_QUEUE(queue, 1);
    CO_GROUP(group);
    co_spawn(&group, put, PUT(&queue, 1));
    co_spawn(&group, put, PUT(&queue, 2));
    expect_is(co_sleep(CO_MS(10)), 0);
    NOTED("put 1@0 ");
    expect_is(take(&queue), 1);
    expect_is(co_join(&group), 0);
    NOTED("put 2@10 ");
    return 0;
}

CONFORM(try_put_into_a_full_queue_says_so)
{
    CO_QUEUE(queue, 1);
    expect_is(co_queue_try_put(&queue, number(1)), 0);
    expect_is(co_queue_try_put(&queue, number(2)), -EAGAIN);
    expect_is(take(&queue), 1);
    return 0;
}

CONFORM(no_item_is_lost_when_a_getter_is_cancelled_as_it_comes)
{
    CO_QUEUE(queue, 0);
    CO_GROUP(group);
    co_task *reader = co_spawn(&group, get, &queue);
    settle();
    expect_is(co_queue_try_put(&queue, number(1)), 0);
    expect_is(co_queue_try_put(&queue, number(2)), 0);
    co_cancel(reader);                              /* it has the 1: a result wins over a cancel */
    settle();
    expect_is(co_result(reader), 0);
    NOTED("got 1@0 ");
    expect_is(take(&queue), 2);
    return co_join(&group);
}

CONFORM(of_several_getters_a_cancel_loses_no_item)
{
    CO_QUEUE(queue, 0);
    CO_GROUP(group);
    co_task *readers[3];
    for (int i = 0; i < 3; i++)
        readers[i] = co_spawn(&group, get, &queue);
    settle();
    expect_is(co_queue_try_put(&queue, number(1)), 0);
    expect_is(co_queue_try_put(&queue, number(2)), 0);
    co_cancel(readers[0]);
    settle();
    NOTED("got 1@0 got 2@0 ");                      /* each item once, in order, whoever was cancelled */
    expect(!co_done(readers[2]));
    expect_is(co_queue_try_put(&queue, number(3)), 0);
    expect_is(co_join(&group), 0);
    NOTED("got 3@0 ");
    return 0;
}

CONFORM(an_item_is_in_once_though_its_putter_is_cancelled_as_room_comes)
{
    CO_QUEUE(queue, 1);
    CO_GROUP(group);
    expect_is(co_queue_try_put(&queue, number(1)), 0);
    co_task *writer = co_spawn(&group, put, PUT(&queue, 2));
    settle();
    expect_is(take(&queue), 1);                     /* with this its 2 is in the queue... */
    co_cancel(writer);
    settle();
    expect_is(co_result(writer), 0);                /* ...and it is told so */
    expect_is(take(&queue), 2);
    expect_is(co_queue_size(&queue), 0);
    return co_join(&group);
}

CONFORM(a_put_finishes_before_a_get_that_waits_for_it)
{
    void *item;
    CO_QUEUE(queue, 0);
    CO_GROUP(group);
    co_task *task = co_spawn(&group, put, PUT(&queue, 1));
    expect_is(co_queue_get(&queue, &item), 0);
    expect_is((intptr_t)item, 1);
    expect_is(co_result(task), 0);
    return co_join(&group);
}

CONFORM(a_cancelled_putter_leaves_its_item_out)
{
    CO_QUEUE(queue, 1);
    CO_GROUP(group);
    co_task *a = co_spawn(&group, put, PUT(&queue, 1));
    co_task *b = co_spawn(&group, put, PUT(&queue, 2));
    co_task *c = co_spawn(&group, put, PUT(&queue, 3));
    settle();
    expect(co_done(a) && !co_done(b) && !co_done(c));
    co_cancel(c);
    settle();
    expect_is(co_result(c), -ECANCELED);
    expect_is(take(&queue), 1);
    settle();
    expect_is(take(&queue), 2);
    expect_is(take(&queue), -1);
    return co_join(&group);
}

CONFORM(a_put_goes_to_who_waits)
{
    CO_QUEUE(queue, 0);
    CO_GROUP(group);
    co_spawn(&group, get, &queue);
    settle();
    expect_is(co_queue_put(&queue, number(1)), 0);
    expect_is(co_queue_size(&queue), 0);
    expect_is(co_join(&group), 0);
    NOTED("got 1@0 ");
    return 0;
}

static int empties(void *queue)
{
    co_yield();
    for (size_t n = co_queue_size(queue); n > 0; n--)
        expect(take(queue) >= 0);
    return 0;
}

CONFORM(all_putters_get_in_when_the_queue_is_emptied)
{
    CO_QUEUE(queue, 2);
    CO_GROUP(group);
    co_spawn(&group, empties, &queue);
    co_spawn(&group, put, PUT(&queue, 0));
    co_spawn(&group, put, PUT(&queue, 1));
    co_spawn(&group, put, PUT(&queue, 2));
    co_spawn(&group, put, PUT(&queue, 3));
    expect_is(co_join(&group), 0);
    NOTED("put 0@0 put 1@0 put 2@0 put 3@0 ");
    return 0;
}

CONFORM(a_cancelled_putter_is_forgotten)
{
    CO_QUEUE(queue, 1);
    CO_GROUP(group);
    expect_is(co_queue_try_put(&queue, number(1)), 0);
    co_task *task = co_spawn(&group, put, PUT(&queue, 2));
    settle();
    expect(queue.putters.first != NULL);
    co_cancel(task);
    expect(queue.putters.first == NULL);
    expect_is(co_join(&group), 0);
    NOTED("2:cancelled@0 ");
    return 0;
}

/* ---- Joining ----------------------------------------------------------------------------------------------------- */

static void one_task_done_too_many(struct co_queue *queue)
{
    expect_is(co_queue_task_done(queue), -EINVAL);
}

CONFORM(task_done_without_an_item_is_refused)
{
    return for_each_kind(one_task_done_too_many);
}

struct workers {
    struct co_queue *queue;
    int sum;
    bool run;
};

static int works(void *job)
{
    struct workers *w = job;
    while (w->run) {
        void *item;
        int rc = co_queue_get(w->queue, &item);
        if (rc < 0)
            return rc;
        w->sum += (int)(intptr_t)item;
        co_queue_task_done(w->queue);
    }
    return 0;
}

static void hundred_items(struct co_queue *queue)
{
    struct workers workers = {queue, 0, true};
    CO_GROUP(group);
    for (int i = 0; i < 100; i++)
        expect_is(co_queue_try_put(queue, number(i)), 0);
    co_spawn(&group, works, &workers);
    co_spawn(&group, works, &workers);
    expect_is(co_queue_join(queue), 0);
    expect_is(workers.sum, 99 * 100 / 2);
    workers.run = false;
    for (int i = 0; i < 2; i++)
        expect_is(co_queue_put(queue, number(0)), 0);
    expect_is(co_join(&group), 0);
}

CONFORM(join_waits_until_each_item_is_done)
{
    return for_each_kind(hundred_items);
}

static void joins_twice(struct co_queue *queue)
{
    expect_is(co_queue_join(queue), 0);
    expect_is(co_queue_join(queue), 0);
}

CONFORM(a_queue_of_nothing_is_joined_at_once)
{
    return for_each_kind(joins_twice);
}

/* ---- Shutting down (Python 3.13) --------------------------------------------------------------------------------- */

static void expect_shut(struct co_queue *queue)
{
    void *item;
    expect_is(co_queue_put(queue, number(9)), -ESHUTDOWN);
    expect_is(co_queue_try_put(queue, number(9)), -ESHUTDOWN);
    expect_is(co_queue_get(queue, &item), -ESHUTDOWN);
    expect_is(co_queue_try_get(queue, &item), -ESHUTDOWN);
}

static void shuts_an_empty_one(struct co_queue *queue)
{
    CO_GROUP(group);
    co_task *getter = co_spawn(&group, get, queue);
    settle();
    co_queue_shutdown(queue, false);
    expect_is(co_queue_size(queue), 0);
    expect_is(co_queue_join(queue), 0);
    settle();
    expect_is(co_result(getter), -ESHUTDOWN);
    expect_shut(queue);
    co_task *done;
    expect_is(co_next_done(&group, &done), 1);      /* its failure was meant: the group is not to report it */
}

CONFORM(shutting_an_empty_queue_sends_getters_away)
{
    return for_each_kind(shuts_an_empty_one);
}

static int joins(void *queue)
{
    int rc = co_queue_join(queue);
    note("joined");
    return rc;
}

static void shuts_a_full_one(struct co_queue *queue)
{
    int rc = 1;
    queue->maxsize = 1;
    CO_GROUP(group);
    expect_is(co_queue_try_put(queue, number(1)), 0);
    co_task *joiner = co_spawn(&group, joins, queue);
    co_task *putter = co_spawn(&group, put, PUT(queue, 2));
    settle();
    expect(!co_done(putter));
    co_queue_shutdown(queue, false);
    expect_is(co_queue_size(queue), 1);
    settle();
    expect_is(co_result(putter), -ESHUTDOWN);
    expect_is(take(queue), 1);                      /* what is in it can still be got */
    settle();
    expect(!co_done(joiner));
    expect_shut(queue);
    expect_is(co_queue_task_done(queue), 0);
    expect_is(co_await(joiner, &rc), 0);
    expect_is(rc, 0);
    expect_is(co_queue_task_done(queue), -EINVAL);
    co_task *done;
    while (co_next_done(&group, &done) > 0)
        ;
}

CONFORM(shutting_a_queue_lets_what_is_in_it_be_got)
{
    return for_each_kind(shuts_a_full_one);
}

static void shuts_at_once(struct co_queue *queue)
{
    CO_GROUP(group);
    expect_is(co_queue_try_put(queue, number(1)), 0);
    co_task *joiner = co_spawn(&group, joins, queue);
    settle();
    co_queue_shutdown(queue, true);
    expect_is(co_queue_size(queue), 0);
    settle();
    expect_is(co_result(joiner), 0);
    expect_shut(queue);
    expect_is(co_queue_task_done(queue), -EINVAL);
    expect_is(co_join(&group), 0);
}

CONFORM(shutting_a_queue_immediately_empties_it)
{
    return for_each_kind(shuts_at_once);
}

static void shuts_with_one_in_hand(struct co_queue *queue)
{
    CO_GROUP(group);
    expect_is(co_queue_try_put(queue, number(1)), 0);
    expect_is(co_queue_try_put(queue, number(1)), 0);
    co_task *joiner = co_spawn(&group, joins, queue);
    settle();
    expect_is(take(queue), 1);
    co_queue_shutdown(queue, true);
    expect_is(co_queue_size(queue), 0);
    settle();
    expect(!co_done(joiner));                       /* the one that was got is still to be finished */
    expect_shut(queue);
    expect_is(co_queue_task_done(queue), 0);
    expect_is(co_queue_task_done(queue), -EINVAL);
    settle();
    expect_is(co_result(joiner), 0);
    expect_is(co_join(&group), 0);
}

CONFORM(items_in_hand_are_waited_for_after_an_immediate_shutdown)
{
    return for_each_kind(shuts_with_one_in_hand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_queue_has_no_items),
        cmocka_unit_test(only_a_bounded_queue_is_ever_full),
        cmocka_unit_test(a_queue_gives_out_the_oldest),
        cmocka_unit_test(a_lifo_queue_gives_out_the_newest),
        cmocka_unit_test(a_priority_queue_gives_out_the_smallest),
        cmocka_unit_test(maxsize_is_as_many_as_fit),
        cmocka_unit_test(a_get_of_what_is_there_does_not_wait),
        cmocka_unit_test(a_get_lets_a_waiting_putter_in),
        cmocka_unit_test(a_get_waits_for_an_item),
        cmocka_unit_test(try_get_takes_what_is_there),
        cmocka_unit_test(try_get_of_an_empty_queue_says_so),
        cmocka_unit_test(an_item_goes_past_a_cancelled_getter),
        cmocka_unit_test(gets_empty_a_queue_on_whom_putters_wait),
        cmocka_unit_test(a_producer_and_a_consumer_never_wait_for_each_other_for_ever),
        cmocka_unit_test(a_getter_whose_time_is_up_is_forgotten),
        cmocka_unit_test(a_put_where_there_is_room_does_not_wait),
        cmocka_unit_test(a_put_waits_for_room),
        cmocka_unit_test(try_put_into_a_full_queue_says_so),
        cmocka_unit_test(no_item_is_lost_when_a_getter_is_cancelled_as_it_comes),
        cmocka_unit_test(of_several_getters_a_cancel_loses_no_item),
        cmocka_unit_test(an_item_is_in_once_though_its_putter_is_cancelled_as_room_comes),
        cmocka_unit_test(a_put_finishes_before_a_get_that_waits_for_it),
        cmocka_unit_test(a_cancelled_putter_leaves_its_item_out),
        cmocka_unit_test(a_put_goes_to_who_waits),
        cmocka_unit_test(all_putters_get_in_when_the_queue_is_emptied),
        cmocka_unit_test(a_cancelled_putter_is_forgotten),
        cmocka_unit_test(task_done_without_an_item_is_refused),
        cmocka_unit_test(join_waits_until_each_item_is_done),
        cmocka_unit_test(a_queue_of_nothing_is_joined_at_once),
        cmocka_unit_test(shutting_an_empty_queue_sends_getters_away),
        cmocka_unit_test(shutting_a_queue_lets_what_is_in_it_be_got),
        cmocka_unit_test(shutting_a_queue_immediately_empties_it),
        cmocka_unit_test(items_in_hand_are_waited_for_after_an_immediate_shutdown),
    };
    return cmocka_run_group_tests_name("conform queues", tests, NULL, NULL);
}
