/* test_task.c - tasks: what they are asked, how a run begins and ends, and which calls are allowed where. */
#include "check.h"

#include "world/world.h"

/* ---- A run ---------------------------------------------------------------------------------------------- */

static int returns_job(void *job)
{
    return (int)(intptr_t)job;
}

static void a_run_returns_what_main_returned(void **state)
{
    (void)state;
    assert_int_equal(run(returns_job, MSEC(0)), 0);
    assert_int_equal(run(returns_job, MSEC(17)), 17);
    assert_int_equal(run(returns_job, MSEC(-5)), -5);
    assert_int_equal(co_run(returns_job, MSEC(3), NULL), 3);
}

static int sleeps_10(void *job)
{
    (void)job;
    expect_is(co_now(), 0);
    return co_sleep(CO_MS(10));
}

static void each_run_starts_at_time_0(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(run(sleeps_10, NULL), 0);
}

static int runs_another(void *job)
{
    (void)job;
    expect_is(co_run(returns_job, NULL, NULL), -EALREADY);
    expect_is(co_sleep(1), 0);
    return 0;
}

static void a_loop_inside_a_loop_is_refused(void **state)
{
    (void)state;
    assert_int_equal(run(runs_another, NULL), 0);
}

/* ---- What one may ask ------------------------------------------------------------------------------------- */

static int looks_at_itself(void *job)
{
    co_task *self = co_current();
    expect(self != NULL);
    expect(co_job(self) == job);
    expect_is(co_done(self), 0);
    expect_is(co_result(self), -EINPROGRESS);
    expect_text(co_name(self), "looks_at_itself");
    return co_sleep(CO_MS(1)) < 0 ? -1 : 44;
}

static int asks_its_child(void *job)
{
    (void)job;
    int word = 3;
    CO_GROUP(group);
    co_task *self = co_current(), *child = co_spawn(&group, looks_at_itself, &word);
    expect_text(co_name(self), "asks_its_child");
    expect(child != self);
    expect(co_job(child) == &word);
    expect_is(co_done(child), 0);
    expect_is(co_result(child), -EINPROGRESS);
    expect_text(co_name(child), "looks_at_itself");
    expect_is(co_join(&group), 0);
    expect(co_current() == self);
    expect_is(co_done(child), 1);               /* valid until the group's block ends */
    expect_is(co_result(child), 44);
    expect_text(co_name(child), "looks_at_itself");
    expect(co_job(child) == &word);
    return 0;
}

static void a_task_can_be_asked(void **state)
{
    (void)state;
    assert_int_equal(run(asks_its_child, NULL), 0);
}

static int notes_start(void *job)
{
    note("%s", (const char *)job);
    return 0;
}

static int spawns_and_goes_on(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_spawn(&group, notes_start, "first");
    note("spawned");
    co_spawn(&group, notes_start, "second");
    note("again");
    co_yield();
    note("back");
    return co_join(&group);
}

static void a_task_runs_when_its_spawner_next_waits(void **state)
{
    (void)state;
    check_notes(spawns_and_goes_on, "spawned@0 again@0 first@0 second@0 back@0 ");
}

static int gives_jobs_away(void *job)
{
    char one[8] = "one", two[8] = "two";
    (void)job;
    CO_GROUP(group);
    co_spawn(&group, notes_start, one);         /* 2 */
    co_spawn(&group, notes_start, one);         /* 3: that of 2 */
    co_spawn(&group, notes_start, two);         /* 4 */
    co_spawn(&group, notes_start, one);         /* 5: not that of 4 */
    int rc = co_yield();
    co_spawn(&group, notes_start, one);         /* 6: that of 5, but 5 has begun */
    return rc < 0 ? rc : co_join(&group);
}

static void the_trace_tells_who_shares_a_job(void **state)
{
    (void)state;
    struct child *child = forked_with(((struct co_options){.trace_file = "-"}), gives_jobs_away, NULL);
    assert_int_equal(child->rc, 0);
    assert_int_equal(count_of(child->err, "\"job_of\""), 1);
    assert_has(child->err, "\"task\":3,\"name\":\"notes_start\",\"src\":\"test_task.c:");
    assert_has(child->err, "\"by\":1,\"job_of\":2}");
}

/* ---- Outside a loop ------------------------------------------------------------------------------------------ */

static void calls_outside_a_loop_are_refused(void **state)
{
    (void)state;
    struct co_lock lock = CO_LOCK_INIT;
    struct co_sem sem = CO_SEM_INIT(1);
    struct co_event event = CO_EVENT_INIT;
    struct co_response resp = {.status = 1};
    struct co_timeout limit;
    struct co_shield shield;
    co_task *done = NULL;
    void *item;
    char job[4];
    int rcs[4];
    CO_QUEUE(queue, 0);
    {
        CO_GROUP(group);
        assert_null(group.owner);
        assert_null(co_spawn(&group, returns_job, NULL));
        assert_int_equal(co_join(&group), -EPERM);
        assert_int_equal(co_next_done(&group, &done), -EPERM);
    }
    assert_int_equal(co_sleep(CO_MS(1)), -EPERM);
    assert_int_equal(co_sleep(0), -EPERM);
    assert_int_equal(co_yield(), -EPERM);
    assert_int_equal(co_gather(returns_job, job, 4, 1, rcs), -EPERM);
    assert_int_equal(co_gather(returns_job, job, 4, 1, NULL), -EPERM);
    assert_int_equal(co_wait(NULL, 0, CO_ALL_COMPLETED, CO_FOREVER), -EPERM);
    assert_int_equal(co_wait_for(returns_job, NULL, CO_MS(1)), -EPERM);
    assert_int_equal(co_lock_acquire(&lock), -EPERM);
    assert_int_equal(co_lock_release(&lock), -EPERM);
    assert_int_equal(co_sem_acquire(&sem), -EPERM);
    assert_int_equal(co_event_wait(&event), -EPERM);
    assert_int_equal(co_queue_get(&queue, &item), -EPERM);
    assert_int_equal(co_queue_put(&queue, &item), -EPERM);
    assert_int_equal(co_queue_join(&queue), -EPERM);
    assert_int_equal(co_to_thread(returns_job, NULL), -EPERM);
    assert_int_equal(co_http_get("http://a.test/", &resp), -EPERM);
    assert_int_equal(resp.status, 0);
    assert_int_equal(http_get_blocking("http://a.test/", &resp), -EPERM);
    co_response_free(&resp);
    co_timeout_begin(&limit, 0);
    assert_int_equal(co_timeout_end(&limit, 5), 5);
    co_shield_begin(&shield);
    co_shield_end(&shield);
    co_cpu(CO_SEC(1));
    co_cancel(NULL);
    assert_null(co_current());
    assert_int_equal(co_now(), 0);
}

/* ---- Options --------------------------------------------------------------------------------------------------- */

static struct child *child_with(const char *variable, const char *value)
{
    setenv(variable, value, 1);
    struct child *child = forked(returns_job, MSEC(9));
    unsetenv(variable);
    return child;
}

static void wrong_options_are_one_line_and_einval(void **state)
{
    (void)state;
    struct child *child = forked_with(((struct co_options){.program = "prog", .world_file = "/no/such.json"}),
                                      returns_job, NULL);
    assert_int_equal(child->rc, -EINVAL);
    assert_has(child->err, "prog: /no/such.json");
    assert_int_equal(count_of(child->err, "\n"), 1);

    child = forked_with(((struct co_options){.tape = "x=1"}), returns_job, NULL);
    assert_int_equal(child->rc, -EINVAL);
    assert_has(child->err, "program: ");
    assert_int_equal(count_of(child->err, "\n"), 1);

    child = forked_with(((struct co_options){.trace_file = "/no/such/folder/t"}), returns_job, NULL);
    assert_int_equal(child->rc, -EINVAL);
    assert_has(child->err, "/no/such/folder/t");
    assert_int_equal(count_of(child->err, "\n"), 1);
}

static void options_fall_back_to_the_environment(void **state)
{
    (void)state;
    assert_int_equal(child_with("CO_WORLD", "/no/such.json")->rc, -EINVAL);
    assert_int_equal(child_with("CO_TAPE", "nonsense")->rc, -EINVAL);
    assert_int_equal(child_with("CO_TRACE", "/no/such/folder/t")->rc, -EINVAL);
    struct child *child = child_with("CO_SEED", "abc");
    assert_int_equal(child->rc, -EINVAL);
    assert_has(child->err, "CO_SEED");
    assert_has(child->err, "abc");
    assert_int_equal(child_with("CO_SEED", "-1")->rc, -EINVAL);
    assert_int_equal(child_with("CO_SEED", "99999999999999999999999")->rc, -EINVAL);
    assert_int_equal(child_with("CO_SEED", "12")->rc, 9);
    /* An empty variable is as good as none. */
    assert_int_equal(child_with("CO_WORLD", "")->rc, 9);
    assert_int_equal(child_with("CO_SEED", "")->rc, 9);
    /* A trace to "-" goes to stderr. */
    child = child_with("CO_TRACE", "-");
    assert_has(child->err, "{\"trace\":\"looplab/trace/v1\",\"program\":\"program\"");
    assert_has(child->err, "\"ev\":\"end\",\"rc\":9}\n");
}

static void an_option_beats_the_environment(void **state)
{
    (void)state;
    setenv("CO_SEED", "55", 1);
    setenv("CO_WORLD", "/no/such.json", 1);
    struct co_options options = {.seed = 77, .program = "me", .trace_file = "-"};
    struct child *child = child_of_run("{\"world\":\"looplab/world/v1\"}", returns_job, NULL, options, "returns_job");
    unsetenv("CO_SEED");
    unsetenv("CO_WORLD");
    assert_has(child->err, "\"program\":\"me\",\"seed\":77}");
}

static int closed;
static struct co_world *opened;
static void (*real_close)(struct co_world *);
static void counts_close(struct co_world *world)
{
    closed++;
    real_close(world);
}

static struct co_world *open_world(void)
{
    char error[256];
    opened = world_virtual_open(NULL, 0, NULL, NULL, error, sizeof error);
    assert_non_null(opened);
    real_close = opened->close;
    opened->close = counts_close;
    closed = 0;
    return opened;
}

static void a_world_handed_in_is_closed_by_the_run(void **state)
{
    (void)state;
    struct co_options options = {.world = open_world()};
    assert_int_equal(run_in(NULL, sleeps_10, NULL, options, "sleeps_10"), 0);
    assert_int_equal(closed, 1);
}

static void a_world_handed_in_is_closed_when_options_are_wrong_too(void **state)
{
    (void)state;
    struct co_options options = {.world = open_world(), .tape = "wrong"};
    assert_int_equal(co_run(sleeps_10, NULL, &options), -EINVAL);
    if (!closed)
        real_close(opened);
    assert_int_equal(closed, 1);
}

/* ---- Words ------------------------------------------------------------------------------------------------------- */

static void errors_have_words(void **state)
{
    (void)state;
    assert_string_equal(co_strerror(-ETIMEDOUT), "timed out");
    for (int rc = -4096; rc <= 10; rc++) {
        assert_non_null(co_strerror(rc));
        assert_true(co_strerror(rc)[0] != '\0');
    }
    assert_non_null(co_strerror(INT32_MIN));
    assert_non_null(co_strerror(INT32_MAX));
    const int ours[] = {ECANCELED, ETIMEDOUT, ECONNREFUSED, ECONNRESET, EPROTO, CO_ENOHOST, ELOOP, EINVAL, ENOMEM,
                        EDEADLK, EPERM, EAGAIN, EINPROGRESS, EALREADY, ESHUTDOWN, CO_EBROKEN, EOVERFLOW, EBADF, EBUSY,
                        EINTR, EMSGSIZE};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(co_strerror(-ours[i]), co_strerror(-ours[k]));
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)     /* the C library knows nothing of tasks */
        assert_string_not_equal(co_strerror(-ours[i]), strerror(ours[i]));
    assert_string_equal(co_strerror(-ESHUTDOWN), "the queue is shut down");
    assert_string_equal(co_strerror(-CO_EBROKEN), "the barrier is broken");
}

/* ---- Tasks alive when main returns ------------------------------------------------------------------------------- */

static struct co_group outliving;

static int leaves_a_task_behind(void *job)
{
    (void)job;
    outliving = co_group_begin();               /* in memory whose block never ends */
    co_spawn(&outliving, sleeper, MSEC(10000));
    co_spawn(&outliving, sleeper, MSEC(5000));
    if (co_sleep(CO_MS(10)) < 0)
        return -1;
    return 6;
}

static void tasks_alive_when_main_returns_are_cancelled(void **state)
{
    (void)state;
    assert_int_equal(run(leaves_a_task_behind, NULL), 6);
    assert_string_equal(board->text, "cancelled@10 cancelled@10 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_returns_what_main_returned),
        cmocka_unit_test(each_run_starts_at_time_0),
        cmocka_unit_test(a_loop_inside_a_loop_is_refused),
        cmocka_unit_test(a_task_can_be_asked),
        cmocka_unit_test(a_task_runs_when_its_spawner_next_waits),
        cmocka_unit_test(the_trace_tells_who_shares_a_job),
        cmocka_unit_test(calls_outside_a_loop_are_refused),
        cmocka_unit_test(wrong_options_are_one_line_and_einval),
        cmocka_unit_test(options_fall_back_to_the_environment),
        cmocka_unit_test(an_option_beats_the_environment),
        cmocka_unit_test(a_world_handed_in_is_closed_by_the_run),
        cmocka_unit_test(a_world_handed_in_is_closed_when_options_are_wrong_too),
        cmocka_unit_test(errors_have_words),
        cmocka_unit_test(tasks_alive_when_main_returns_are_cancelled),
    };
    return cmocka_run_group_tests_name("task", tests, NULL, NULL);
}
