/* test_deadlock.c - nothing hangs: each way of waiting for ever is reported, with who waits for whom. */
#include "check.h"

#define report_of(fn) child_of_run(NULL, (fn), NULL, (struct co_options){.program = "prog"}, #fn)

/* ---- One task, each kind of wait ---------------------------------------------------------------------------- */

static int waits_for_event(void *job)
{
    (void)job;
    struct co_event event = CO_EVENT_INIT;
    expect_is(co_sleep(CO_MS(1500)), 0);
    int rc = co_event_wait(&event); MARK(0);
    note("woken");
    return rc;
}
static int waits_for_sem(void *job)
{
    (void)job;
    struct co_sem sem = CO_SEM_INIT(0);
    int rc = co_sem_acquire(&sem); MARK(0);
    return rc;
}
static int waits_for_item(void *job)
{
    (void)job;
    void *item;
    CO_QUEUE(queue, 0);
    int rc = co_queue_get(&queue, &item); MARK(0);
    return rc;
}
static int waits_for_room(void *job)
{
    (void)job;
    CO_QUEUE(queue, 1);
    expect_is(co_queue_put(&queue, "x"), 0);
    int rc = co_queue_put(&queue, "y"); MARK(0);
    return rc;
}
static int waits_for_task_done(void *job)
{
    (void)job;
    CO_QUEUE(queue, 1);
    expect_is(co_queue_put(&queue, "x"), 0);
    int rc = co_queue_join(&queue); MARK(0);
    return rc;
}
static int waits_in_wait_for_itself(void *job)
{
    (void)job;
    co_task *self = co_current();
    int rc = co_wait(&self, 1, CO_ALL_COMPLETED, CO_FOREVER); MARK(0);
    return rc;
}

static void a_deadlock_is_reported_and_ends_the_run(void **state)
{
    (void)state;
    struct child *child = report_of(waits_for_event);
    assert_int_equal(child->exit_code, 0);
    assert_int_equal(child->rc, -EDEADLK);
    assert_string_equal(board->text, "woken@1500 ");            /* its stack was unwound */
    assert_has(child->err, "prog: deadlock at 1500 ms: 1 task waits, and nothing can ever wake it\n");
    assert_has(child->err, "task 1 waits_for_event, spawned at check.h:");
    assert_has(child->err, ", waits at test_deadlock.c:%d since 1500 ms for an event that nobody sets\n",
               board->line[0]);
}

static void every_kind_of_wait_is_named(void **state)
{
    (void)state;
    static const struct { co_fn fn; const char *words; } kinds[] = {
        {waits_for_sem, "a semaphore that nobody releases"},
        {waits_for_item, "an item in a queue into which nobody puts one"},
        {waits_for_room, "room in a queue from which nobody gets"},
        {waits_for_task_done, "task_done of a queue that nobody calls"}, {waits_in_wait_for_itself, "other tasks"},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct child *child = report_of(kinds[i].fn);
        assert_int_equal(child->rc, -EDEADLK);
        assert_has(child->err, "waits at test_deadlock.c:%d since 0 ms for %s\n", board->line[0], kinds[i].words);
    }
}

static const char hanging[] = "{\"world\":\"looplab/world/v1\",\"sites\":[{\"url\":\"http://a.test\",\"routes\":["
                              "{\"path\":\"/\",\"fault\":{\"kind\":\"hang\"}}]}]}";
static int hangs_on_http(void *job)
{
    (void)job;
    struct co_response resp;
    return co_http_get("http://a.test/", &resp);
}

static void a_request_that_hangs_is_a_timeout_not_a_deadlock(void **state)
{
    (void)state;
    struct child *child = forked_world(hanging, hangs_on_http, NULL);
    assert_int_equal(child->rc, -ETIMEDOUT);
    assert_string_equal(child->err, "");
}

/* ---- Circles ---------------------------------------------------------------------------------------------------- */

static struct co_lock forks[5];

struct philosopher { int left, right; };
static int dines(void *job)
{
    const struct philosopher *me = job;
    int rc = co_lock_acquire(&forks[me->left]);
    expect_is(rc, 0);
    expect_is(co_sleep(CO_MS(10)), 0);
    rc = co_lock_acquire(&forks[me->right]);
    expect_is(co_lock_release(&forks[me->left]), 0);
    return rc;
}

static int philosophers(void *job)
{
    (void)job;
    struct philosopher all[5];
    CO_GROUP(group);
    for (int i = 0; i < 5; i++) {
        forks[i] = (struct co_lock)CO_LOCK_INIT;
        all[i] = (struct philosopher){i, (i + 1) % 5};
        co_spawn(&group, dines, &all[i]), MARK(0);
    }
    return co_join(&group);
}

static void deadlock_names_the_circle(void **state)
{
    (void)state;
    struct child *child = report_of(philosophers);
    assert_int_equal(child->rc, -EDEADLK);
    assert_has(child->err, "prog: deadlock at 10 ms: 6 tasks wait, and nothing can ever wake them\n");
    assert_has(child->err, "task 2 dines, spawned at test_deadlock.c:%d", board->line[0]);
    assert_has(child->err, "since 10 ms for a lock that task 3 dines took at test_deadlock.c:");
    assert_has(child->err, "the circle: task 2 -> task 3 -> task 4 -> task 5 -> task 6 -> task 2\n");
    assert_int_equal(count_of(child->err, "the circle"), 1);
}

static int awaits(void *job)
{
    co_task **other = job;
    co_yield();
    return co_await(*other, NULL);
}

static int awaiting_each_other(void *job)
{
    (void)job;
    co_task *a, *b;
    CO_GROUP(group);
    a = co_spawn(&group, awaits, &b);
    b = co_spawn(&group, awaits, &a);
    return co_join(&group);
}

static void tasks_that_await_each_other_are_a_circle(void **state)
{
    (void)state;
    struct child *child = report_of(awaiting_each_other);
    assert_int_equal(child->rc, -EDEADLK);
    assert_has(child->err, "task 2 awaits");
    assert_has(child->err, "for task 3 awaits\n");
    assert_has(child->err, "the circle: task 2 -> task 3 -> task 2\n");
}

static int locks_held(void *job)
{
    return co_lock_acquire(job);
}

static int waits_for_ever(void *job)
{
    return co_event_wait(job);
}

/* The owner holds a lock, and joins a task that wants it: a circle through a group. */
static int joins_while_holding(void *job)
{
    (void)job;
    struct co_lock lock = CO_LOCK_INIT;
    CO_GROUP(group);
    expect_is(co_lock_acquire(&lock), 0);
    co_spawn(&group, locks_held, &lock);
    int rc = co_join(&group);
    co_lock_release(&lock);
    return rc;
}

static int joins_two_while_holding(void *job)
{
    (void)job;
    struct co_lock lock = CO_LOCK_INIT;
    struct co_event event = CO_EVENT_INIT;
    CO_GROUP(group);
    expect_is(co_lock_acquire(&lock), 0);
    co_spawn(&group, waits_for_ever, &event);           /* the first of the group is not on the circle */
    co_spawn(&group, locks_held, &lock);
    int rc = co_join(&group);
    co_lock_release(&lock);
    return rc;
}

static void deadlock_names_a_circle_through_a_group(void **state)
{
    (void)state;
    struct child *child = report_of(joins_while_holding);
    assert_int_equal(child->rc, -EDEADLK);
    assert_has(child->err, "the circle: task 1 -> task 2 -> task 1\n");
}

static void deadlock_names_a_circle_through_any_task_of_a_group(void **state)
{
    (void)state;
    struct child *child = report_of(joins_two_while_holding);
    assert_int_equal(child->rc, -EDEADLK);
    assert_has(child->err, "the circle: task 1 -> task 3 -> task 1\n");
}

/* A task that leads into a circle is not on it. */
static int leads_in(void *job)
{
    (void)job;
    co_task *a, *b;
    CO_GROUP(group);
    co_task *before = co_spawn(&group, awaits, &a);
    co_spawn(&group, awaits, &before);
    a = co_spawn(&group, awaits, &b);
    b = co_spawn(&group, awaits, &a);
    return co_join(&group);
}

static void a_tail_that_leads_into_a_circle_is_not_part_of_it(void **state)
{
    (void)state;
    struct child *child = report_of(leads_in);
    assert_has(child->err, "5 tasks wait");
    assert_has(child->err, "the circle: task 4 -> task 5 -> task 4\n");
}

static int takes_and_ends(void *job)
{
    int rc = co_lock_acquire(job); MARK(1);
    return rc;
}

static int wants_an_orphan(void *job)
{
    (void)job;
    static struct co_lock lock;
    lock = (struct co_lock)CO_LOCK_INIT;
    CO_GROUP(group);
    co_spawn(&group, takes_and_ends, &lock);
    expect_is(co_join(&group), 0);
    return co_lock_acquire(&lock);
}

static void a_lock_kept_by_a_task_that_ended_is_named(void **state)
{
    (void)state;
    struct child *child = report_of(wants_an_orphan);
    assert_int_equal(child->rc, -EDEADLK);
    assert_has(child->err, "for a lock that task 2 takes_and_ends took at test_deadlock.c:%d and kept when it ended\n",
               board->line[1]);
    assert_has(child->err, "leak: the lock of test_deadlock.c:%d was never released\n", board->line[1]);
}

/* ---- Afterwards -------------------------------------------------------------------------------------------------- */

static int cleans_up_in_a_shield(void *job)
{
    (void)job;
    struct co_event event = CO_EVENT_INIT;
    struct co_shield shield;
    CO_GROUP(group);
    co_spawn(&group, waits_for_ever, &event);
    co_shield_begin(&shield);
    int rc = co_event_wait(&event);
    note("%s", co_strerror(rc));
    expect_is(co_sleep(CO_MS(5)), -ECANCELED);          /* the world is broken: nothing waits any more */
    co_spawn(&group, waits_for_ever, &event);
    rc = co_join(&group);
    co_shield_end(&shield);
    return rc;
}

static void after_a_deadlock_everything_ends_shields_or_not(void **state)
{
    (void)state;
    struct child *child = report_of(cleans_up_in_a_shield);
    assert_int_equal(child->exit_code, 0);
    assert_int_equal(child->rc, -EDEADLK);
    assert_string_equal(board->text, "cancelled@0 ");
    assert_int_equal(count_of(child->err, "deadlock at"), 1);
}

static int refuses_to_end(void *job)
{
    (void)job;
    struct co_event event = CO_EVENT_INIT;
    while (co_event_wait(&event) < 0)
        ;
    return 0;
}

static void who_does_not_end_then_is_a_livelock(void **state)
{
    (void)state;
    struct co_options options = {.program = "prog", .max_steps = 1000};
    struct child *child = forked_with(options, refuses_to_end, NULL);
    assert_int_equal(child->exit_code, 70);
    assert_has(child->err, "deadlock at 0 ms");
    assert_has(child->err, "livelock");
    assert_has(child->err, "this task was cancelled");
}

/* ---- Many -------------------------------------------------------------------------------------------------------- */

static struct co_event never;
static int many_wait(void *job)
{
    (void)job;
    never = (struct co_event)CO_EVENT_INIT;
    CO_GROUP(group);
    for (int i = 0; i < 5000; i++)
        co_spawn(&group, waits_for_ever, &never);
    return co_join(&group);
}

static void of_many_tasks_twenty_are_named(void **state)
{
    (void)state;
    struct child *child = report_of(many_wait);
    assert_int_equal(child->rc, -EDEADLK);
    assert_has(child->err, "5001 tasks wait");
    assert_int_equal(count_of(child->err, ", spawned at"), 20);
    assert_has(child->err, "... and 4981 more\n");
}

/* ---- The trace --------------------------------------------------------------------------------------------------- */

static int deadlocks(void *job)
{
    (void)job;
    struct co_lock lock = CO_LOCK_INIT;
    CO_GROUP(group);
    expect_is(co_lock_acquire(&lock), 0);
    co_spawn(&group, locks_held, &lock);
    expect_is(co_sleep(CO_MS(2)), 0);
    int rc = co_join(&group);
    co_lock_release(&lock);
    return rc;
}


static void a_deadlock_is_traced_line_by_line(void **state)
{
    (void)state;
    char path[64];
    write_temp(path, "");
    forked_with(((struct co_options){.trace_file = path}), deadlocks, NULL);
    char *trace = only(take_file(path), "runtime");
    assert_string_equal(strstr(trace, "{\"t\":2000000,"),
        "{\"t\":2000000,\"ev\":\"ready\",\"task\":1,\"by\":0}\n"
        "{\"t\":2000000,\"ev\":\"run\",\"task\":1}\n"
        "{\"t\":2000000,\"ev\":\"await\",\"task\":1,\"on\":\"group\"}\n"
        "{\"t\":2000000,\"ev\":\"deadlock\",\"task\":1,\"on\":\"group\",\"since\":2000000,\"holder\":2}\n"
        "{\"t\":2000000,\"ev\":\"deadlock\",\"task\":2,\"on\":\"lock\",\"since\":0,\"holder\":1}\n"
        "{\"t\":2000000,\"ev\":\"cancel\",\"task\":1,\"by\":0,\"why\":\"deadlock\"}\n"
        "{\"t\":2000000,\"ev\":\"ready\",\"task\":1,\"by\":0}\n"
        "{\"t\":2000000,\"ev\":\"cancel\",\"task\":2,\"by\":0,\"why\":\"deadlock\"}\n"
        "{\"t\":2000000,\"ev\":\"ready\",\"task\":2,\"by\":0}\n"
        "{\"t\":2000000,\"ev\":\"run\",\"task\":1}\n"
        "{\"t\":2000000,\"ev\":\"await\",\"task\":1,\"on\":\"group\"}\n"
        "{\"t\":2000000,\"ev\":\"run\",\"task\":2}\n"
        "{\"t\":2000000,\"ev\":\"done\",\"task\":2,\"rc\":-125}\n"
        "{\"t\":2000000,\"ev\":\"ready\",\"task\":1,\"by\":2}\n"
        "{\"t\":2000000,\"ev\":\"run\",\"task\":1}\n"
        "{\"t\":2000000,\"ev\":\"done\",\"task\":1,\"rc\":-125}\n"
        "{\"t\":2000000,\"ev\":\"end\",\"rc\":-35}\n");
    free(trace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deadlock_is_reported_and_ends_the_run),
        cmocka_unit_test(every_kind_of_wait_is_named),
        cmocka_unit_test(a_request_that_hangs_is_a_timeout_not_a_deadlock),
        cmocka_unit_test(deadlock_names_the_circle),
        cmocka_unit_test(tasks_that_await_each_other_are_a_circle),
        cmocka_unit_test(deadlock_names_a_circle_through_a_group),
        cmocka_unit_test(deadlock_names_a_circle_through_any_task_of_a_group),
        cmocka_unit_test(a_tail_that_leads_into_a_circle_is_not_part_of_it),
        cmocka_unit_test(a_lock_kept_by_a_task_that_ended_is_named),
        cmocka_unit_test(after_a_deadlock_everything_ends_shields_or_not),
        cmocka_unit_test(who_does_not_end_then_is_a_livelock),
        cmocka_unit_test(of_many_tasks_twenty_are_named),
        cmocka_unit_test(a_deadlock_is_traced_line_by_line),
    };
    return cmocka_run_group_tests_name("deadlock", tests, NULL, NULL);
}
