/* test_world.c - the real world without a network: its clock, files, workers, blocking calls and Ctrl-C. */
#define _GNU_SOURCE
#include "../check.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>

/* ---- Running ------------------------------------------------------------------------------------------- */

/* Wall-clock ns, whatever the loop makes of it. */
static int64_t wall(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * CO_SEC(1) + now.tv_nsec;
}

static int run_really(co_fn fn, void *job)
{
    const struct co_options options = {.world_file = "real"};
    board_clear();
    int rc = co_run(fn, job, &options);
    assert_int_equal(board->failures, 0);
    return rc;
}

static char folder[] = "/tmp/co-real-XXXXXX";

/* In a new, empty folder. */
static int enter_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/co-real-XXXXXX");
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int leave_folder(void **state)
{
    char command[64];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return chdir("/") == 0 && system(command) == 0 ? 0 : -1;
}

/* Other processes may have the machine: never early, and late by this at most. */
#define PATIENCE CO_SEC(5)

static UNUSED bool took(int64_t ns, int64_t expected)
{
    return ns >= expected && ns < expected + PATIENCE;
}

/* ---- Time ------------------------------------------------------------------------------------------------ */

static int sleep_a_while(void *job)
{
    return co_sleep(*(int64_t *)job);
}

static int sleeps(void *job)
{
    int64_t ns[] = {CO_MS(30), CO_US(500), CO_MS(10), CO_MS(20)};
    int64_t begin = co_now();
    (void)job;
    expect(co_gather(sleep_a_while, ns, 4, sizeof ns[0], NULL) == 0);
    expect(took(co_now() - begin, CO_MS(30)));
    begin = co_now();
    for (int i = 0; i < 20; i++)
        expect(co_sleep(CO_US(200)) == 0);
    expect(took(co_now() - begin, CO_MS(4)));
    expect(co_wait_for(sleep_a_while, &(int64_t){CO_SEC(5)}, CO_MS(20)) == -ETIMEDOUT);
    expect(took(co_now() - begin, CO_MS(24)));
    return 7;
}

static void test_sleeping_takes_real_time(void **state)
{
    (void)state;
    int64_t begin = wall();
    assert_int_equal(run_really(sleeps, NULL), 7);
    assert_true(took(wall() - begin, CO_MS(54)));
}

static int compute_then_sleep(void *job)
{
    (void)job;
    int64_t begin = co_now();
    while (co_now() - begin < CO_MS(30))
        ;
    expect(co_now() - begin >= CO_MS(30));
    begin = co_now();
    expect(co_sleep(CO_MS(20)) == 0);           /* counted from now, not from when the task began to run */
    expect(took(co_now() - begin, CO_MS(20)));
    begin = co_now();
    co_cpu(CO_MS(15));
    expect(took(co_now() - begin, CO_MS(15)));
    return 0;
}

static void test_a_sleep_begins_when_it_is_asked_for(void **state)
{
    (void)state;
    assert_int_equal(run_really(compute_then_sleep, NULL), 0);
}

static int set_after_10_ms(void *job)
{
    expect(co_sleep(CO_MS(10)) == 0);
    *(bool *)job = true;
    return 0;
}

/* Tasks that are always ready do not keep the clock from being looked at. */
static int yield_until_set(void *job)
{
    bool set = false;
    (void)job;
    CO_GROUP(group);
    co_spawn(&group, set_after_10_ms, &set);
    while (!set)
        co_yield();
    expect(co_now() < PATIENCE);
    return co_join(&group);
}

static int pass_on(void *job)
{
    struct co_queue **queues = job;
    void *item;
    while (co_queue_get(queues[0], &item) == 0)
        if (co_queue_put(queues[1], item) < 0)
            return 0;
    return 0;
}

static int pass_round(void *job)
{
    bool set = false;
    CO_QUEUE(there, 0);
    CO_QUEUE(back, 0);
    struct co_queue *queues[] = {&there, &back};
    void *item = NULL;
    (void)job;
    CO_GROUP(group);
    co_spawn(&group, set_after_10_ms, &set);
    co_task *other = co_spawn(&group, pass_on, queues);
    while (!set) {
        expect(co_queue_put(&there, &set) == 0);
        expect(co_queue_get(&back, &item) == 0);
    }
    co_cancel(other);
    return co_join(&group);
}

static void test_who_is_always_ready_holds_nobody_up(void **state)
{
    (void)state;
    assert_int_equal(run_really(yield_until_set, NULL), 0);
    assert_int_equal(run_really(pass_round, NULL), 0);
}

static int wait_for_ever(void *job)
{
    struct co_event event = CO_EVENT_INIT;
    (void)job;
    return co_event_wait(&event);
}

static void test_a_deadlock_is_still_one(void **state)
{
    (void)state;
    assert_int_equal(run_really(wait_for_ever, NULL), -EDEADLK);
}

/* ---- Blocking calls ---------------------------------------------------------------------------------------- */

static int block_in_many_ways(void *job)
{
    struct timespec pause = {0, CO_MS(10)};
    int pipes[2];
    (void)job;
    int64_t begin = wall();
    usleep(10000);
    expect(took(wall() - begin, CO_MS(10)));
    nanosleep(&pause, NULL);
    expect(took(wall() - begin, CO_MS(20)));
    expect(poll(NULL, 0, 10) == 0);
    expect(took(wall() - begin, CO_MS(30)));
    expect(pipe(pipes) == 0 && write(pipes[1], "x", 1) == 1);
    struct pollfd in = {.fd = pipes[0], .events = POLLIN};
    expect(poll(&in, 1, -1) == 1);
    close(pipes[0]);
    close(pipes[1]);
    expect(time(NULL) > 1700000000);
    expect(co_now() >= CO_MS(30));
    return 0;
}

static void test_blocking_calls_really_block(void **state)
{
    (void)state;
    assert_int_equal(run_really(block_in_many_ways, NULL), 0);
}

/* ---- Workers ------------------------------------------------------------------------------------------------ */

struct work { pthread_t thread; int64_t ns; _Atomic int *running, *most; int result; };

static int work_a_while(void *job)
{
    struct work *work = job;
    int now = ++*work->running;
    work->thread = pthread_self();
    if (now > *work->most)
        *work->most = now;
    usleep((useconds_t)(work->ns / 1000));
    co_cpu(CO_MS(1));
    expect(co_now() > 0 && co_current() == NULL && co_sleep(1) == -EPERM);
    --*work->running;
    return work->result;
}

static int in_pool(void *job)
{
    struct {struct co_pool *pool; struct work *work;} *both = job;
    return co_pool_run(both->pool, work_a_while, both->work);
}

static int in_thread(void *job)
{
    return co_to_thread(work_a_while, job);
}

static int work_side_by_side(void *job)
{
    _Atomic int running = 0, most = 0;
    struct work works[8];
    int rcs[8];
    struct {struct co_pool *pool; struct work *work;} jobs[8];
    CO_POOL(pool, 3);
    (void)job;
    for (int i = 0; i < 8; i++) {
        works[i] = (struct work){.ns = CO_MS(100), .running = &running, .most = &most, .result = i};
        jobs[i].pool = &pool;
        jobs[i].work = &works[i];
    }
    int64_t begin = co_now();
    expect(co_gather(in_pool, jobs, 8, sizeof jobs[0], rcs) == 0);
    expect(took(co_now() - begin, CO_MS(303)));      /* three turns of at most three */
    expect(most == 3);
    for (int i = 0; i < 8; i++) {
        expect(rcs[i] == i);
        expect(!pthread_equal(works[i].thread, pthread_self()));
    }
    expect(co_gather(in_thread, works, 8, sizeof works[0], rcs) == 0);
    expect(rcs[5] == 5);
    return 0;
}

static void test_jobs_run_on_threads_as_many_as_there_are_workers(void **state)
{
    (void)state;
    assert_int_equal(run_really(work_side_by_side, NULL), 0);
}

static int cancel_jobs(void *job)
{
    _Atomic int running = 0, most = 0;
    struct work works[3];
    struct {struct co_pool *pool; struct work *work;} jobs[3];
    co_task *tasks[3];
    CO_POOL(pool, 1);
    CO_GROUP(group);
    (void)job;
    for (int i = 0; i < 3; i++) {
        works[i] = (struct work){.ns = CO_MS(500), .running = &running, .most = &most, .result = i + 1};
        jobs[i].pool = &pool;
        jobs[i].work = &works[i];
        tasks[i] = co_spawn(&group, in_pool, &jobs[i]);
    }
    expect(co_sleep(CO_MS(100)) == 0);
    co_cancel(tasks[0]);                            /* has begun: is waited for */
    co_cancel(tasks[1]);                            /* has not: never runs      */
    int rc = 0;
    expect(co_await(tasks[1], &rc) == 0 && rc == -ECANCELED);
    expect(co_now() < CO_MS(490));
    expect(co_await(tasks[0], &rc) == 0 && rc == 1);
    expect(co_await(tasks[2], &rc) == 0 && rc == 3);
    return co_join(&group);
}

static void test_a_job_that_has_begun_is_waited_for(void **state)
{
    (void)state;
    assert_int_equal(run_really(cancel_jobs, NULL), 0);
}

static int many_pools(void *job)
{
    _Atomic int running = 0, most = 0;
    (void)job;
    for (int i = 0; i < 300; i++) {
        struct work work = {.ns = 0, .running = &running, .most = &most, .result = i};
        CO_POOL(pool, 2);
        expect(co_pool_run(&pool, work_a_while, &work) == i);
    }
    return 0;
}

static void test_pools_cost_nothing_afterwards(void **state)
{
    (void)state;
    assert_int_equal(run_really(many_pools, NULL), 0);
}

/* ---- Files ---------------------------------------------------------------------------------------------------- */

static void write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static const char *text_of(const char *path)
{
    static char text[256];
    int fd = open(path, O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    close(fd);
    text[n < 0 ? 0 : n] = '\0';
    return n < 0 ? NULL : text;
}

static int read_and_write(void *job)
{
    char buffer[8], *content;
    size_t length;
    (void)job;
    CO_FILE(out);
    expect(co_file_open(&out, "new/folder/log", CO_WRITE) == 0);
    expect(co_file_write(&out, "hello ", 6) == 0 && co_file_write(&out, "world", 5) == 0);
    expect(co_file_read(&out, buffer, sizeof buffer) == -EBADF);
    expect(co_file_close(&out) == 0);
    CO_FILE(more);
    expect(co_file_open(&more, "new/folder/log", CO_APPEND) == 0 && co_file_write(&more, "!", 1) == 0);
    CO_FILE(in);
    expect(co_file_open(&in, "new/folder/log", CO_READ) == 0);
    expect(co_file_read(&in, buffer, 8) == 8 && memcmp(buffer, "hello wo", 8) == 0);
    expect(co_file_read(&in, buffer, 8) == 4 && memcmp(buffer, "rld!", 4) == 0);
    expect(co_file_read(&in, buffer, 8) == 0);
    expect(co_file_write(&in, "x", 1) == -EBADF);
    expect(co_file_load("new/folder/log", &content, &length) == 0 && length == 12
           && strcmp(content, "hello world!") == 0);
    free(content);
    expect(co_file_save("new/folder/log", "saved", 5) == 0);
    expect(co_file_rename("new/folder/log", "other/log") == 0);
    expect(co_file_load("new/folder/log", &content, &length) == -ENOENT);
    return 0;
}

static void test_files_are_read_and_written(void **state)
{
    (void)state;
    assert_int_equal(run_really(read_and_write, NULL), 0);
    assert_string_equal(text_of("other/log"), "saved");
}

static int wrong_calls(void *job)
{
    char *content;
    size_t length;
    CO_FILE(file);
    (void)job;
    expect(co_file_open(&file, "none", CO_READ) == -ENOENT);
    expect(co_file_open(&file, "there", CO_CREATE) == -EEXIST);
    expect(co_file_open(&file, "/etc/passwd", CO_READ) == -EINVAL);
    expect(co_file_open(&file, "../there", CO_READ) == -EINVAL);
    expect(co_file_load("a", &content, &length) == -ENOENT);            /* a folder */
    expect(co_file_save("a", "x", 1) == -EINVAL);
    expect(co_file_save("there/x", "x", 1) == -EINVAL);                 /* a file cannot be a folder */
    expect(co_file_load("there/x", &content, &length) == -ENOENT);
    expect(co_file_load("fifo", &content, &length) == -ENOENT);         /* and it does not wait for a writer */
    expect(co_file_remove("none") == -ENOENT && co_file_remove("a") == -ENOENT);
    expect(co_file_rename("none", "x") == -ENOENT);
    return 0;
}

static void test_what_cannot_be_is_refused(void **state)
{
    (void)state;
    write_text("there", "text");
    assert_int_equal(mkdir("a", 0777), 0);
    assert_int_equal(mkfifo("fifo", 0666), 0);
    assert_int_equal(run_really(wrong_calls, NULL), 0);
    assert_string_equal(text_of("there"), "text");
}

static int list_some(void *job)
{
    char *paths;
    (void)job;
    expect(co_file_list("in/a", &paths) == 3 && strcmp(paths, "in/a\nin/a1\nin/ab/c\n") == 0);
    free(paths);
    expect(co_file_list("", &paths) == 5 && strcmp(paths, "in/a\nin/a1\nin/ab/c\nin/b\ntop\n") == 0);
    free(paths);
    expect(co_file_list("none/", &paths) == 0 && strcmp(paths, "") == 0);
    free(paths);
    expect(co_file_list("../", &paths) == 0);
    free(paths);
    return 0;
}

static void test_lists_are_sorted_and_go_in_no_circle(void **state)
{
    (void)state;
    assert_int_equal(mkdir("in", 0777) + mkdir("in/ab", 0777), 0);
    write_text("in/a1", "1");
    write_text("in/a", "2");
    write_text("in/b", "3");
    write_text("in/ab/c", "4");
    write_text("top", "5");
    assert_int_equal(symlink("..", "in/ab/up"), 0);
    assert_int_equal(run_really(list_some, NULL), 0);
}

enum { BIG = 1024 * 1024, WRITES = 200, CANCELS = 100 };

static int save_big(void *job)
{
    char *bytes = malloc(BIG);
    memset(bytes, *(int *)job, BIG);
    int rc = co_file_save("big", bytes, BIG);
    free(bytes);
    return rc;
}

/* Whoever reads meanwhile sees one of them, and all of it. */
static int load_big(void *job)
{
    char *content;
    size_t length;
    (void)job;
    for (int i = 0; i < 10; i++) {
        int rc = co_file_load("big", &content, &length);
        if (rc == -ENOENT)
            continue;
        expect(rc == 0 && length == BIG && content[0] == content[BIG - 1]);
        free(content);
    }
    return 0;
}

static int save_while_loading(void *job)
{
    int letters[] = {'a', 'b', 'c', 'd', 'e', 'f'};
    (void)job;
    CO_GROUP(group);
    for (int i = 0; i < 6; i++)
        co_spawn(&group, save_big, &letters[i]);
    co_spawn(&group, load_big, NULL);
    return co_join(&group);
}

struct line { struct co_file *file; int number; };

static int write_line(void *job)
{
    const struct line *line = job;
    char text[16];
    snprintf(text, sizeof text, "%06d\n", line->number);
    return co_file_write(line->file, text, 7);
}

static int write_in_order(void *job)
{
    struct line lines[WRITES];
    char *content;
    size_t length;
    (void)job;
    CO_FILE(file);
    expect(co_file_open(&file, "lines", CO_WRITE) == 0);
    for (int i = 0; i < WRITES; i++)
        lines[i] = (struct line){&file, i};
    expect(co_gather(write_line, lines, WRITES, sizeof lines[0], NULL) == 0);
    expect(co_file_load("lines", &content, &length) == 0 && length == 7 * WRITES);
    for (int i = 0; i < WRITES; i++)
        expect(atoi(content + 7 * i) == i);
    free(content);
    return 0;
}

static void test_each_call_is_done_as_a_whole_and_in_order(void **state)
{
    (void)state;
    assert_int_equal(run_really(save_while_loading, NULL), 0);
    assert_int_equal(run_really(write_in_order, NULL), 0);
}

static int save_twice(void *job)
{
    int rc = co_file_save("kept", "first", 5);
    return rc < 0 ? rc : co_file_save("kept", job, 6);
}

static int open_one(void *job)
{
    CO_FILE(file);
    int rc = co_file_open(&file, "opened", CO_WRITE);
    (void)job;
    return rc < 0 ? rc : co_sleep(CO_SEC(10));
}

/* Wherever the cancel lands: nothing is left open, and no half of a file is there. */
static int cancel_files(void *job)
{
    (void)job;
    for (int i = 0; i < CANCELS; i++) {
        CO_GROUP(group);
        co_spawn(&group, save_twice, "second");
        for (int n = 0; n < 8; n++)
            co_spawn(&group, open_one, NULL);
        if (i % 3)
            expect(co_sleep(CO_US(i * 14)) == 0);
        else
            co_yield();
        co_group_cancel(&group);
        expect(co_join(&group) <= 0);
    }
    return 0;
}

static int descriptors(void)
{
    int n = 0;
    for (int fd = 0; fd < 1024; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static void test_a_cancelled_call_leaves_nothing_behind(void **state)
{
    (void)state;
    /* libuv keeps a pipe for as long as the process lives */
    assert_int_equal(run_really(read_and_write, NULL), 0);
    int before = descriptors();
    assert_int_equal(run_really(cancel_files, NULL), 0);
    assert_int_equal(descriptors(), before);
    assert_int_equal(system("ls -a | grep -q co-save"), 256);
}

/* ---- Ctrl-C ------------------------------------------------------------------------------------------------------ */

static int clean_up(void *job)
{
    (void)job;
    printf("main\n");
    fflush(stdout);
    int rc = co_sleep(CO_SEC(30));
    printf("main: %s\n", co_strerror(rc));
    fflush(stdout);
    struct co_shield shield;
    co_shield_begin(&shield);
    if (co_sleep(CO_SEC(1)) == 0)
        printf("clean\n");
    fflush(stdout);
    co_shield_end(&shield);
    return rc;
}

static int stuck(void *job)
{
    (void)job;
    do {
        printf("stuck\n");
        fflush(stdout);
        usleep(50000);
    } while (co_now() < CO_SEC(60));                            /* a signal ends the sleep, but not the loop */
    return 0;
}

static char *program;               /* its own path */

/* Waits until a process sleeps in the kernel. ThreadSanitizer puts a signal off that comes at another moment. */
static void wait_until_asleep(pid_t pid)
{
    char name[32], text[256];
    snprintf(name, sizeof name, "/proc/%d/stat", (int)pid);
    for (;;) {
        FILE *stat = fopen(name, "r");
        if (!stat)
            return;                     /* a system without /proc */
        size_t n = fread(text, 1, sizeof text - 1, stat);
        fclose(stat);
        text[n] = '\0';
        const char *state = strrchr(text, ')');
        if (!state || state[2] != 'R')
            return;
        usleep(1000);
    }
}

/* Runs this program as one that only does `what`, and gets `presses` Ctrl-Cs. Its exit code, and what it said. */
static int interrupt_child(const char *what, int presses, char said[256])
{
    int pipes[2], status;
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(pipes[1], 1);
        signal(SIGINT, SIG_DFL);        /* tests may have been started in the background, where Ctrl-C is ignored */
        execl(program, program, what, NULL);
        _exit(99);
    }
    close(pipes[1]);
    ssize_t n, length = 0;
    for (int i = 0; i < presses; i++) {
        n = read(pipes[0], said + length, (size_t)(255 - length));     /* it says when it is ready for the next one */
        length += n;
        wait_until_asleep(child);
        kill(child, SIGINT);
    }
    while (length < 255 && (n = read(pipes[0], said + length, (size_t)(255 - length))) > 0)
        length += n;
    said[length] = '\0';
    close(pipes[0]);
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void test_ctrl_c_cancels_the_main_task_which_cleans_up(void **state)
{
    char said[256];
    (void)state;
    assert_int_equal(interrupt_child("clean_up", 1, said), 42);
    assert_string_equal(said, "main\nmain: cancelled\nclean\n");
}

static void test_a_second_ctrl_c_ends_at_once(void **state)
{
    char said[256];
    (void)state;
    assert_int_equal(interrupt_child("clean_up", 2, said), 130);
    assert_string_equal(said, "main\nmain: cancelled\n");
    assert_int_equal(interrupt_child("stuck", 2, said), 130);   /* even where the loop never comes round */
    assert_memory_equal(said, "stuck\nstuck\n", 12);
}

int main(int argc, char **argv)
{
    const struct co_options options = {.world_file = "real"};
    if (argc > 1)
        return co_run(strcmp(argv[1], "stuck") == 0 ? stuck : clean_up, NULL, &options) == -EINTR ? 42 : 1;
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sleeping_takes_real_time),
        cmocka_unit_test(test_a_sleep_begins_when_it_is_asked_for),
        cmocka_unit_test(test_who_is_always_ready_holds_nobody_up),
        cmocka_unit_test(test_a_deadlock_is_still_one),
        cmocka_unit_test(test_blocking_calls_really_block),
        cmocka_unit_test(test_jobs_run_on_threads_as_many_as_there_are_workers),
        cmocka_unit_test(test_a_job_that_has_begun_is_waited_for),
        cmocka_unit_test(test_pools_cost_nothing_afterwards),
        IN_FOLDER(test_files_are_read_and_written),
        IN_FOLDER(test_what_cannot_be_is_refused),
        IN_FOLDER(test_lists_are_sorted_and_go_in_no_circle),
        IN_FOLDER(test_each_call_is_done_as_a_whole_and_in_order),
        IN_FOLDER(test_a_cancelled_call_leaves_nothing_behind),
        cmocka_unit_test(test_ctrl_c_cancels_the_main_task_which_cleans_up),
        cmocka_unit_test(test_a_second_ctrl_c_ends_at_once),
    };
    program = realpath(argv[0], NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(program);
    return failed;
}
