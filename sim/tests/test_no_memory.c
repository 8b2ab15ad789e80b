/* test_no_memory.c - memory runs out: the n-th allocation fails, then the n-th mmap, for every n that programs over
 * every part of the API reach. Each time an error code or an end with a message, never a crash, a leak or a hang.
 *
 * Each n runs in a child of its own. With sanitizers, whose allocator is their own, the program is linked with
 * --wrap=malloc and the like (grader/tests/test_no_memory.py), and LeakSanitizer looks for leaks; else
 * blocks are counted here.
 */
#include "check.h"

#include <errno.h>
#include <sys/syscall.h>

/* ---- Memory that runs out ----------------------------------------------------------------------------------- */

enum what { BLOCKS, MAPS };
static long left[2] = {-1, -1};         /* until one fails; below 0: none will          */
static long failed;                     /* how many have failed                         */
static long in_use[2];                  /* blocks; mapped bytes                         */
static bool keeps_table;                /* this run may keep the table of source lines, which reports read */
static bool goes_on;                    /* all after the n-th fail, too                 */

static UNUSED bool fails(enum what what)
{
    if (left[what] < 0)
        return false;
    if (left[what] > 0) {
        left[what]--;
        return false;
    }
    if (!goes_on)
        left[what] = -1;
    failed++;
    errno = ENOMEM;
    return true;
}

#ifdef WRAPPED
#define OURS(name) __wrap_##name
#define THEIRS(name) __real_##name
#elif !UNDER_ASAN && !UNDER_TSAN
#define OURS(name) name
#define THEIRS(name) __libc_##name
#endif

#ifdef OURS
extern void *THEIRS(malloc)(size_t size);
extern void *THEIRS(calloc)(size_t n, size_t size);
extern void *THEIRS(realloc)(void *old, size_t size);
extern void THEIRS(free)(void *block);
void *OURS(malloc)(size_t size);
void *OURS(calloc)(size_t n, size_t size);
void *OURS(realloc)(void *old, size_t size);
void OURS(free)(void *block);

void *OURS(malloc)(size_t size)
{
    void *block = fails(BLOCKS) ? NULL : THEIRS(malloc)(size);
    in_use[BLOCKS] += block != NULL;
    return block;
}

void *OURS(calloc)(size_t n, size_t size)
{
    void *block = fails(BLOCKS) ? NULL : THEIRS(calloc)(n, size);
    in_use[BLOCKS] += block != NULL;
    return block;
}

void *OURS(realloc)(void *old, size_t size)
{
    void *block = fails(BLOCKS) ? NULL : THEIRS(realloc)(old, size);
    in_use[BLOCKS] += block && !old;
    return block;
}

void OURS(free)(void *block)
{
    in_use[BLOCKS] -= block != NULL;
    THEIRS(free)(block);
}

#ifdef WRAPPED
extern void *__real_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
extern int __real_munmap(void *at, size_t size);
void *OURS(mmap)(void *at, size_t size, int protection, int flags, int fd, off_t offset);
int OURS(munmap)(void *at, size_t size);
#else
#define __real_mmap(...) (void *)syscall(SYS_mmap, __VA_ARGS__)
#define __real_munmap(...) (int)syscall(SYS_munmap, __VA_ARGS__)
#endif

void *OURS(mmap)(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    void *map = fails(MAPS) ? MAP_FAILED : __real_mmap(at, size, protection, flags, fd, offset);
    in_use[MAPS] += map != MAP_FAILED && !(flags & MAP_FIXED) ? (long)size : 0;
    return map;
}

int OURS(munmap)(void *at, size_t size)
{
    in_use[MAPS] -= (long)size;
    return __real_munmap(at, size);
}
#endif

/* ---- The programs ---------------------------------------------------------------------------------------------- */

/* Passes a result on, and notes one that no lack of memory explains: an error of the call's own, a task that
 * was cancelled because another one failed. */
#define ok(rc) expect_ok((rc), #rc, __LINE__)
static int expect_ok(int rc, const char *text, int line)
{
    bool explained = rc >= 0 || rc == -ENOMEM || (failed && rc == -ECANCELED);
    if (!explained)
        fprintf(stderr, "line %d: %s is %d (%s), %ld allocations failed\n", line, text, rc, co_strerror(rc), failed);
    expect(explained);
    return rc;
}

#define TRY(call) do { int rc_ = ok(call); if (rc_ < 0) return rc_; } while (0)

static int sleeps(void *job)
{
    return ok(co_sleep(CO_MS((intptr_t)job)));
}

static int sleeps_of_several(void *job)
{
    return sleeps(MSEC(*(intptr_t *)job));
}

static void is_done(co_task *task, void *arg)
{
    (void)task;
    ++*(int *)arg;
}

static struct co_local local_a = CO_LOCAL_INIT("a"), local_b = CO_LOCAL_INIT("b");

static int sets_locals(void *job)
{
    (void)job;
    TRY(co_local_set(&local_a, "c"));
    TRY(co_local_set(&local_b, "d"));
    CO_GROUP(group);
    co_spawn(&group, sleeps, MSEC(1));
    return ok(co_join(&group));
}

static int uses_tasks(void *job)
{
    (void)job;
    int ended = 0, rcs[5], rc;
    co_task *all[4], *done, *tasks[3];
    CO_GROUP(group);
    for (int i = 0; i < 3; i++) {
        if (!(tasks[i] = co_spawn(&group, i == 2 ? sets_locals : sleeps, MSEC(i + 1))))
            return ok(co_join(&group));
        co_set_name(tasks[i], "task");
        ok(co_on_done(tasks[i], is_done, &ended));
        ok(co_on_done(tasks[i], is_done, &ended));
    }
    co_all_tasks(all, 4);
    TRY(co_wait(tasks, 3, CO_FIRST_COMPLETED, CO_SEC(1)));
    TRY(co_await(tasks[1], &rc));
    TRY(co_wait(tasks, 3, CO_ALL_COMPLETED, CO_FOREVER));
    while ((rc = ok(co_next_done(&group, &done))) > 0)
        ;
    TRY(rc);
    int refused = 0;
    for (int i = 0; i < 100; i++)
        refused += !co_spawn(&group, sleeps, MSEC(i % 7));
    rc = ok(co_join(&group));
    expect(refused == 0 || rc == -ENOMEM);          /* the group remembers */
    TRY(rc);
    intptr_t jobs[5] = {1, 2, 3, 2, 1};
    TRY(co_gather(sleeps_of_several, jobs, 5, sizeof *jobs, rcs));
    return ok(co_gather(sleeps_of_several, jobs, 5, sizeof *jobs, NULL));
}

/* A limit for which there is no memory is up at once. */
static int timed(int rc)
{
    return failed && rc == -ETIMEDOUT ? -ENOMEM : rc;
}

static int sleeps_too_long(void *job)
{
    (void)job;
    return co_sleep(CO_MS(5));
}

static int uses_timeouts(void *job)
{
    (void)job;
    struct co_timeout outer, inner;
    struct co_shield shield;
    int rc;
    co_timeout_begin(&outer, CO_SEC(1));
    co_timeout_begin(&inner, CO_SEC(2));
    co_shield_begin(&shield);
    co_timeout_reschedule(&inner, CO_SEC(3));
    rc = co_sleep(CO_MS(1));
    co_shield_end(&shield);
    rc = co_timeout_end(&inner, rc);
    TRY(timed(co_timeout_end(&outer, rc)));
    TRY(timed(co_wait_for(sleeps, MSEC(1), CO_SEC(1))));
    rc = co_wait_for(sleeps_too_long, NULL, CO_MS(1));
    return rc == -ETIMEDOUT ? 0 : ok(rc);
}

struct shared {
    struct co_lock lock;
    struct co_cond cond;
    struct co_sem sem;
    struct co_event event;
    struct co_barrier barrier;
    bool ready;
};

static bool is_ready(void *arg)
{
    return ((struct shared *)arg)->ready;
}

static int meets(void *job)
{
    struct shared *shared = job;
    TRY(co_event_wait(&shared->event));
    TRY(co_sem_acquire(&shared->sem));
    int rc = ok(co_sleep(CO_MS(1)));
    co_sem_release(&shared->sem);
    TRY(rc);
    TRY(co_barrier_wait(&shared->barrier));
    TRY(co_lock_acquire(&shared->lock));
    rc = ok(co_cond_wait_for(&shared->cond, is_ready, shared));
    co_lock_release(&shared->lock);
    return rc;
}

static int uses_locks(void *job)
{
    (void)job;
    struct shared shared = {.lock = CO_LOCK_INIT, .sem = CO_SEM_INIT(2), .barrier = CO_BARRIER_INIT(3)};
    shared.cond = (struct co_cond)CO_COND_INIT(&shared.lock);
    int entered = 0, rc;
    CO_WITH_LOCK(&shared.lock)
        entered++;
    CO_WITH_SEM(&shared.sem)
        entered++;
    if (entered < 2)
        return -ENOMEM;
    CO_GROUP(group);
    for (int i = 0; i < 3; i++)
        if (!co_spawn(&group, meets, &shared)) {
            rc = ok(co_join(&group));
            return rc;
        }
    rc = ok(co_sleep(CO_MS(1)));
    co_event_set(&shared.event);
    if (rc == 0 && (rc = ok(co_sleep(CO_MS(5)))) == 0 && (rc = ok(co_lock_acquire(&shared.lock))) == 0) {
        shared.ready = true;
        co_cond_notify_all(&shared.cond);
        co_lock_release(&shared.lock);
    } else {
        co_group_cancel(&group);
    }
    return ok(co_join(&group));
}

static int by_address(const void *a, const void *b)
{
    return a < b ? -1 : a > b;
}

static int puts_ten(void *job)
{
    for (intptr_t i = 1; i <= 10; i++)
        TRY(co_queue_put(job, MSEC(i)));
    return 0;
}

static int gets_ten(void *job)
{
    void *item;
    for (int i = 0; i < 10; i++) {
        TRY(co_queue_get(job, &item));
        TRY(co_queue_task_done(job));
    }
    return 0;
}

static int uses_queues(void *job)
{
    (void)job;
    void *item;
    CO_QUEUE(narrow, 1);
    CO_LIFO_QUEUE(lifo, 0);
    CO_PRIORITY_QUEUE(least, 0, by_address);
    {
        CO_GROUP(group);
        co_spawn(&group, puts_ten, &narrow);
        co_spawn(&group, gets_ten, &narrow);
        if (co_all_tasks(NULL, 0) == 3)
            TRY(co_join(&group));
        else {
            co_group_cancel(&group);
            return -ENOMEM;
        }
    }
    for (intptr_t i = 0; i < 40; i++) {
        TRY(co_queue_put(&lifo, MSEC(i)));
        TRY(co_queue_try_put(&least, MSEC(40 - i)));
    }
    TRY(co_queue_get(&lifo, &item));
    TRY(co_queue_get(&least, &item));
    co_queue_shutdown(&lifo, true);
    co_queue_shutdown(&least, true);
    return 0;
}

static int counts(struct co_gen *gen, void *job)
{
    for (intptr_t i = 1; i <= (intptr_t)job; i++) {
        TRY(co_sleep(CO_MS(1)));
        int rc = co_gen_yield(gen, MSEC(i));
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int uses_generators(void *job)
{
    (void)job;
    void *value;
    int rc;
    CO_GEN(all, counts, MSEC(3));
    CO_GEN(some, counts, MSEC(3));
    TRY(co_gen_next(&some, &value));
    while ((rc = ok(co_gen_next(&all, &value))) > 0)
        ;
    return rc;
}

static int computes(void *job)
{
    co_cpu(CO_MS(1));
    return (int)(intptr_t)job;
}

static int hands_over(void *job)
{
    return ok(co_to_thread(computes, job));
}

static int uses_workers(void *job)
{
    (void)job;
    CO_POOL(pool, 2);
    CO_GROUP(group);
    for (int i = 0; i < 6; i++)
        co_spawn(&group, hands_over, MSEC(i));
    co_cpu(CO_MS(2));
    TRY(co_pool_run(&pool, computes, MSEC(3)));
    return ok(co_join(&group));
}

static const char net[] =
    "{\"world\":\"looplab/world/v1\",\"sites\":[{\"url\":\"http://a.test\",\"rtt\":\"2ms\",\"bandwidth\":100000,"
    "\"routes\":[{\"path\":\"/\",\"latency\":\"3ms\",\"body\":\"hello\",\"headers\":{\"Set-Cookie\":\"a=b\"}},"
    "{\"path\":\"/moved\",\"redirect\":\"http://a.test/\"},"
    "{\"path\":\"/large\",\"body_size\":5000,\"chunk\":1000,\"etag\":\"\\\"1\\\"\",\"ranges\":true,"
    "\"last_modified\":\"Wed, 21 Oct 2026 07:28:00 GMT\"},"
    "{\"path\":\"/turns\",\"framing\":\"chunked\",\"trailers\":{\"X\":\"y\"},\"answers\":[503,{\"body\":\"no\"}]},"
    "{\"path\":\"/post\",\"method\":\"POST\",\"body\":\"ok\"}]}]}";

static int fetches(void *job)
{
    CO_RESPONSE(resp);
    TRY(co_http_get(job, &resp));
    char value[20];
    co_response_header(&resp, "set-cookie", value, sizeof value);
    return 0;
}

static int uses_http(void *job)
{
    (void)job;
    {
        CO_GROUP(group);
        co_spawn(&group, fetches, "http://a.test/");
        co_spawn(&group, fetches, "http://a.test/moved");
        TRY(co_join(&group));
    }
    CO_SESSION(session, 1);
    session.headers = "X-All: yes\n";
    for (int i = 0; i < 2; i++) {
        CO_RESPONSE(resp);
        TRY(co_session_get(&session, "http://a.test/moved", &resp));
    }
    CO_RESPONSE(posted);
    TRY(co_http_request(&(struct co_request){.method = "POST", .url = "http://a.test/post", .headers = "X-One: 1\n",
                                             .body = "data", .length = 4, .session = &session}, &posted));
    CO_RESPONSE(part);
    TRY(co_http_request(&(struct co_request){.url = "http://a.test/large", .headers = "Range: bytes=7-9\n"}, &part));
    TRY(fetches("http://a.test/turns"));
    static const char large[10000];                 /* too large for the stack */
    CO_RESPONSE(answered);
    TRY(co_http_request(&(struct co_request){.method = "POST", .url = "http://a.test/post", .body = large,
                                             .length = sizeof large},
                        &answered));
    CO_RESPONSE(blocking);
    return ok(http_get_blocking("http://a.test/", &blocking));
}

static int uses_streams(void *job)
{
    (void)job;
    char buffer[700];
    int rc;
    CO_STREAM(stream);
    CO_STREAM(early);
    TRY(co_stream_open(&(struct co_request){.url = "http://a.test/large"}, &early));
    TRY(co_stream_open(&(struct co_request){.url = "http://a.test/large"}, &stream));
    while ((rc = ok(co_stream_read(&stream, buffer, sizeof buffer))) > 0)
        ;
    TRY(rc);
    return ok(co_stream_read_line(&early, buffer, sizeof buffer));
}

static const char disk[] =
    "{\"world\":\"looplab/world/v1\",\"disk\":{\"latency\":\"1ms\",\"parallel\":2,\"files\":{\"in/a\":\"hello\"}}}";

static int uses_files(void *job)
{
    (void)job;
    char buffer[10], *content, *paths;
    size_t length;
    CO_FILE(in);
    CO_FILE(out);
    TRY(co_file_open(&in, "in/a", CO_READ));
    TRY(co_file_open(&out, "out/b", CO_CREATE));
    TRY(co_file_read(&in, buffer, sizeof buffer));
    TRY(co_file_write(&out, "some words", 10));
    TRY(co_file_close(&out));
    TRY(co_file_rename("out/b", "out/c"));
    TRY(co_file_save("out/d", "x", 1));
    TRY(co_file_load("out/c", &content, &length));
    free(content);
    TRY(co_file_list("out/", &paths));
    free(paths);
    return ok(co_file_remove("out/c"));
}

/* A deadlock is reported, memory or not; so are leaks. */
static int never_set(void *job)
{
    return co_event_wait(job);
}

static int deadlocks(void *job)
{
    (void)job;
    struct co_event event = CO_EVENT_INIT;
    struct co_lock lock = CO_LOCK_INIT;
    int rc = co_lock_acquire(&lock);
    if (rc < 0)
        return rc;
    CO_GROUP(group);
    co_spawn(&group, never_set, &event);
    co_spawn(&group, never_set, &event);
    return co_event_wait(&event);
}

static int leaks(void *job)
{
    (void)job;
    static struct co_lock lock;         /* whose holder is in the loop's memory: cleared by the loop's end */
    lock = (struct co_lock)CO_LOCK_INIT;
    CO_GROUP(group);
    co_spawn(&group, sleeps, MSEC(1));
    return ok(co_lock_acquire(&lock));
}

/* ---- Each n ---------------------------------------------------------------------------------------------------- */

struct program {
    const char *name;
    co_fn fn;
    const char *world;
    bool traced, debug, deadlocks;
};

static const struct program programs[] = {
    {.name = "tasks", .fn = uses_tasks}, {.name = "timeouts", .fn = uses_timeouts}, {.name = "locks", .fn = uses_locks},
    {.name = "queues", .fn = uses_queues}, {.name = "generators", .fn = uses_generators},
    {.name = "workers", .fn = uses_workers}, {.name = "http", .fn = uses_http, .world = net},
    {.name = "streams", .fn = uses_streams, .world = net}, {.name = "files", .fn = uses_files, .world = disk},
    {.name = "tasks traced", .fn = uses_tasks, .traced = true},
    {.name = "http traced", .fn = uses_http, .world = net, .traced = true},
    {.name = "workers debugged", .fn = uses_workers, .debug = true},
    {.name = "deadlock", .fn = deadlocks, .deadlocks = true}, {.name = "leaks", .fn = leaks},
};

static int begins(void *job)
{
    return ((const struct program *)job)->fn(NULL);
}

static int run_program(const struct program *program, const char *world_path)
{
    struct co_options options = {.program = program->name, .world_file = world_path, .debug = program->debug,
                                 .trace_file = program->traced ? "/dev/null" : NULL,
                                 .tape = program->traced ? "3=1" : NULL};
    return co_run_named(begins, (void *)program, &options, program->name);
}

/* How a child says what is wrong; anything else than 0 or an end with a message is. */
enum { FINE = 0, DONE = 10, WRONG_RESULT, LEAKED_BLOCKS, LEAKED_MAPS, EXPECTED_ELSE };

static int in_child(const struct program *program, const char *world_path, enum what what, long n)
{
    long before[2] = {in_use[BLOCKS], in_use[MAPS]};
    board->failures = 0;
    failed = 0;
    left[what] = n;
    int rc = run_program(program, world_path);
    left[BLOCKS] = left[MAPS] = -1;
    if (board->failures)
        return EXPECTED_ELSE;

    if (in_use[BLOCKS] != before[BLOCKS]) {
        fprintf(stderr, "%ld blocks leaked\n", in_use[BLOCKS] - before[BLOCKS]);
#ifndef WRAPPED                         /* else what libraries allocate and we free is not counted */
        return LEAKED_BLOCKS;
#endif
    }
    if (in_use[MAPS] != before[MAPS] && !keeps_table) {
        fprintf(stderr, "%ld bytes of mappings leaked\n", in_use[MAPS] - before[MAPS]);
        return LEAKED_MAPS;
    }
    bool meant = rc >= 0 || (failed && rc == -ENOMEM) || (program->deadlocks && rc == -EDEADLK);
    if (!meant) {
        fprintf(stderr, "the run returned %d (%s), %ld allocations failed\n", rc, co_strerror(rc), failed);
        return WRONG_RESULT;
    }
    return failed ? FINE : DONE;
}

static int wrong;                       /* runs that did not go as they should */

/* Runs the program with the n-th failing, in a child. True: it does not reach n. */
static bool reaches_no_more(const struct program *program, const char *world_path, enum what what, long n)
{
    char err_path[64];
    int status;
    write_temp(err_path, "");
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (!freopen(err_path, "w", stderr))
            _exit(99);
        setvbuf(stderr, NULL, _IONBF, 0);
        const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
        for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
            signal(faults[i], SIG_DFL);
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        alarm(120);                     /* a hang is one, too */
        int code = in_child(program, world_path, what, n);
#ifdef WRAPPED
        exit(code);                     /* LeakSanitizer looks at the exit */
#else
        _exit(code);
#endif
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    char *err = take_file(err_path);
    bool named = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && strstr(err, "memory")
        && !strstr(err, "Sanitizer");
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    if (code != FINE && code != DONE && !named) {
        wrong++;
        fprintf(stderr, "%s: %s %ld%s: ended with %d\n%s\n", program->name, what == BLOCKS ? "allocation" : "mmap", n,
                goes_on ? " and all after it" : "", code, err);
    }
    free(err);
    return code == DONE;
}

static void each_n(enum what what, bool all_after)
{
    const char *only_one = getenv("NO_MEMORY_PROGRAM"), *step_text = getenv("NO_MEMORY_STEP");
    long step = step_text ? atol(step_text) : 1;
    wrong = 0;
    goes_on = all_after;
    board_clear();
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        const struct program *program = &programs[i];
        char world_path[64] = "";
        if ((only_one && strcmp(only_one, program->name) != 0) || (keeps_table && !program->deadlocks))
            continue;
        board_clear();
        fflush(NULL);
        if (program->world)
            write_temp(world_path, program->world);
        if (!keeps_table)
            in_child(program, program->world ? world_path : NULL, what, -1);   /* libraries make themselves ready */
        assert_int_equal(board->failures, 0);
        long n = 0;
        int most = wrong + 5;
        while (wrong < most && !reaches_no_more(program, program->world ? world_path : NULL, what, n))
            n += step;
        if (getenv("NO_MEMORY_STEP") || only_one)
            fprintf(stderr, "%s: %ld\n", program->name, n);
        if (program->world)
            unlink(world_path);
    }
    assert_int_equal(wrong, 0);
}

/* Valgrind puts its own malloc in the place of ours. */
static void need_our_malloc(void)
{
    if (UNDER_VALGRIND)
        skip();
}

/* The first report of a process makes the table of source lines, and keeps it. */
static void any_allocation_of_a_first_report_may_fail(void **state)
{
    (void)state;
    need_our_malloc();
    keeps_table = true;
    each_n(BLOCKS, false);
    each_n(BLOCKS, true);
    each_n(MAPS, false);
    keeps_table = false;
    board_clear();
    in_child(&(struct program){.name = "deadlock", .fn = deadlocks, .deadlocks = true}, NULL, BLOCKS, -1);
}

static void any_allocation_may_fail(void **state)
{
    (void)state;
    need_our_malloc();
    each_n(BLOCKS, false);
}

static void all_allocations_may_fail_from_then_on(void **state)
{
    (void)state;
    need_our_malloc();
    each_n(BLOCKS, true);
}

static void any_mapping_may_fail(void **state)
{
    (void)state;
    need_our_malloc();
    each_n(MAPS, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_allocation_of_a_first_report_may_fail),     /* comes first: the table is then kept */
        cmocka_unit_test(any_allocation_may_fail),
        cmocka_unit_test(all_allocations_may_fail_from_then_on),
        cmocka_unit_test(any_mapping_may_fail),
    };
#ifndef OURS
    (void)tests;                        /* a sanitizer's allocator: see grader/tests/test_no_memory.py */
    return 0;
#else
    return cmocka_run_group_tests_name("no memory", tests, NULL, NULL);
#endif
}
