/* test_file.c - files of the world's disk, as a program sees them. */
#include "check.h"

/* 1 ms a call, 1 ms a byte. */
#define DISK(members) "{\"world\":\"looplab/world/v1\",\"disk\":{\"latency\":\"1ms\",\"bandwidth\":1000" members "}}"
#define ONE ",\"files\":{\"in/a\":\"hello\"}"

/* What a file contains, noted. */
static void note_content(const char *path)
{
    char *content;
    size_t length;
    int rc = co_file_load(path, &content, &length);
    if (rc < 0) {
        expect(content == NULL && length == 0);
        note("%s", co_strerror(rc));
        return;
    }
    expect_is(strlen(content), length);
    note("%s", content);
    free(content);
}

/* ---- Reading and writing ------------------------------------------------------------------------------------ */

static int reads(void *job)
{
    (void)job;
    char buffer[10] = "..........";
    CO_FILE(file);
    expect_is(co_file_open(&file, "in/a", CO_READ), 0);
    note("open");
    expect_is(co_file_read(&file, buffer, 3), 3);
    note("%.4s", buffer);
    expect_is(co_file_read(&file, buffer, sizeof buffer), 2);
    note("%.4s", buffer);
    expect_is(co_file_read(&file, buffer, sizeof buffer), 0);
    expect_is(co_file_read(&file, NULL, 0), 0);
    note("end");
    expect_is(co_file_close(&file), 0);
    expect_is(file.number, 0);
    return 0;
}

static void a_file_is_read_piece_by_piece(void **state)
{
    (void)state;
    check_world_notes(DISK(ONE), reads, "open@1 hel.@5 lol.@8 end@10 ");
}

static int writes(void *job)
{
    (void)job;
    CO_FILE(file);
    expect_is(co_file_open(&file, "out/b", CO_CREATE), 0);
    expect_is(co_file_write(&file, "one ", 4), 0);
    expect_is(co_file_write(&file, NULL, 0), 0);
    note("written");
    expect_is(co_file_close(&file), 0);
    expect_is(co_file_open(&file, "out/b", CO_CREATE), -EEXIST);
    expect_is(file.number, 0);
    expect_is(co_file_open(&file, "out/b", CO_APPEND), 0);
    expect_is(co_file_write(&file, "two", 3), 0);
    expect_is(co_file_close(&file), 0);
    note_content("out/b");
    expect_is(co_file_open(&file, "out/b", CO_WRITE), 0);
    expect_is(co_file_write(&file, "3", 1), 0);
    note_content("out/b");
    return 0;
}

static void a_file_is_written_piece_by_piece(void **state)
{
    (void)state;
    check_world_notes(DISK(""), writes, "written@7 one two@21 3@26 ");
}

static int whole_files(void *job)
{
    (void)job;
    char *content, *paths;
    size_t length;
    expect_is(co_file_save("out/a", "a\0b", 3), 0);
    note("saved");
    expect_is(co_file_load("out/a", &content, &length), 0);
    note("loaded");
    expect_is(length, 3);
    expect(memcmp(content, "a\0b", 4) == 0);            /* and a '\0' */
    free(content);
    expect_is(co_file_save("out/a", NULL, 0), 0);
    expect_is(co_file_load("out/a", &content, &length), 0);
    expect_is(length, 0);
    expect_text(content, "");
    free(content);
    expect_is(co_file_rename("out/a", "out/b"), 0);
    expect_is(co_file_save("out/a", "x", 1), 0);
    expect_is(co_file_list("out/", &paths), 2);
    expect_text(paths, "out/a\nout/b\n");
    free(paths);
    expect_is(co_file_list("nowhere/", &paths), 0);
    expect_text(paths, "");
    free(paths);
    expect_is(co_file_list("", &paths), 3);
    free(paths);
    expect_is(co_file_remove("out/a"), 0);
    note("removed");
    note_content("out/a");
    expect_is(co_file_remove("out/a"), -ENOENT);
    expect_is(co_file_rename("out/a", "out/b"), -ENOENT);
    expect_is(co_file_rename("in/a", "out/b"), 0);
    note_content("out/b");
    return 0;
}

static void whole_files_and_paths(void **state)
{
    (void)state;
    char notes[200];
    sprintf(notes, "saved@4 loaded@8 removed@17 %s@18 hello@27 ", co_strerror(-ENOENT));
    check_world_notes(DISK(ONE), whole_files, notes);
}

static int saves_much(void *job)
{
    (void)job;
    size_t size = 3000000;
    char *data = malloc(size), *content;
    for (size_t i = 0; i < size; i++)
        data[i] = (char)(i * 7919 >> 8);
    CO_FILE(file);
    expect_is(co_file_save("big", data, size), 0);
    expect_is(co_file_load("big", &content, &size), 0);
    expect_is(size, 3000000);
    expect(memcmp(data, content, size) == 0);
    expect_is(co_file_open(&file, "big", CO_APPEND), 0);
    expect_is(co_file_write(&file, data, size), 0);
    expect_is(co_file_close(&file), 0);
    expect_is(co_file_open(&file, "big", CO_READ), 0);
    expect_is(co_file_read(&file, content, 3000000), 3000000);
    expect_is(co_file_read(&file, content, 3000000), 3000000);
    expect(memcmp(data, content, size) == 0);
    free(data);
    free(content);
    return 0;
}

static void large_files(void **state)
{
    (void)state;
    assert_int_equal(run(saves_much, NULL), 0);         /* and an empty world has a disk */
}

/* ---- Many tasks ------------------------------------------------------------------------------------------------- */

static int loads_and_notes(void *job)
{
    note_content(job);
    return 0;
}

static int three_loads(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_spawn(&group, loads_and_notes, "long");
    co_spawn(&group, loads_and_notes, "in/a");
    co_spawn(&group, loads_and_notes, "in/a");
    return co_join(&group);
}

static void calls_overlap_unless_the_disk_says_otherwise(void **state)
{
    (void)state;
    check_world_notes(DISK(",\"files\":{\"in/a\":\"hello\",\"long\":\"long long\"}"), three_loads,
                      "hello@6 hello@6 long long@10 ");
    check_world_notes(DISK(",\"parallel\":1,\"files\":{\"in/a\":\"hello\",\"long\":\"long long\"}"), three_loads,
                      "long long@10 hello@16 hello@22 ");
}

static int appends(void *job)
{
    CO_FILE(file);
    int rc = co_file_open(&file, "log", CO_APPEND);
    for (int i = 0; rc == 0 && i < 3; i++)
        rc = co_file_write(&file, job, strlen(job));
    return rc;
}

static int two_writers(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_spawn(&group, appends, "one ");
    co_spawn(&group, appends, "twooo ");
    expect_is(co_join(&group), 0);
    note_content("log");
    return 0;
}

static void two_tasks_append_to_one_file(void **state)
{
    (void)state;
    check_world_notes(DISK(""), two_writers, "one twooo one twooo one twooo @53 ");
}

static int swaps(void *job)
{
    (void)job;
    int rc = 0;
    for (int i = 0; rc == 0 && i < 10; i++) {
        rc = co_file_save("out/new", i % 2 ? "BBBBBB" : "AAAA", i % 2 ? 6 : 4);
        if (rc == 0)
            rc = co_file_rename("out/new", "out/x");
    }
    return rc;
}

static int looks(void *job)
{
    int *seen = job;
    char *content;
    size_t length;
    for (int i = 0; i < 12; i++) {
        int rc = co_file_load("out/x", &content, &length);
        if (rc < 0)
            return rc;
        expect(strcmp(content, "first") == 0 || strcmp(content, "AAAA") == 0 || strcmp(content, "BBBBBB") == 0);
        seen[content[0] == 'f' ? 0 : content[0] == 'A' ? 1 : 2]++;
        free(content);
    }
    return 0;
}

static int swaps_while_another_looks(void *job)
{
    (void)job;
    int seen[3] = {0};
    CO_GROUP(group);
    expect_is(co_file_save("out/x", "first", 5), 0);
    co_spawn(&group, swaps, NULL);
    co_spawn(&group, looks, seen);
    expect_is(co_join(&group), 0);
    expect(seen[0] > 0 && seen[1] > 0 && seen[2] > 0);
    return 0;
}

static void a_rename_replaces_in_one_step(void **state)
{
    (void)state;
    assert_int_equal(run_world(DISK(""), swaps_while_another_looks, NULL), 0);
}

static int does_a_bit_of_all(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_spawn(&group, swaps, NULL);
    co_spawn(&group, appends, "one ");
    co_spawn(&group, loads_and_notes, "in/a");
    co_spawn(&group, appends, "two ");
    return co_join(&group);
}

static void the_same_run_gives_the_same_trace(void **state)
{
    (void)state;
    char *one = traced_world(DISK(ONE), does_a_bit_of_all, NULL),
        *two = traced_world(DISK(ONE), does_a_bit_of_all, NULL);
    assert_string_equal(one, two);
    free(one);
    free(two);
}

/* ---- Errors ------------------------------------------------------------------------------------------------------ */

static int makes_mistakes(void *job)
{
    (void)job;
    char buffer[10], *content, *paths;
    size_t length;
    CO_FILE(file);
    expect_is(co_file_read(&file, buffer, 1), -EBADF);
    expect_is(co_file_write(&file, "x", 1), -EBADF);
    expect_is(co_file_close(&file), -EBADF);
    expect_is(co_file_open(&file, "in/b", CO_READ), -ENOENT);
    expect_is(co_now(), CO_MS(1));
    expect_is(co_file_open(&file, "/in/a", CO_READ), -EINVAL);
    expect_is(co_file_open(&file, NULL, CO_WRITE), -EINVAL);
    expect_is(co_file_open(&file, "x", (enum co_file_mode)7), -EINVAL);
    expect_is(co_file_load("../a", &content, &length), -EINVAL);
    expect(content == NULL && length == 0);
    expect_is(co_file_save("", "x", 1), -EINVAL);
    expect_is(co_file_save(NULL, "x", 1), -EINVAL);
    expect_is(co_file_rename("in/a", "in//a"), -EINVAL);
    expect_is(co_file_rename("in/a", NULL), -EINVAL);
    expect_is(co_file_remove("in/"), -EINVAL);
    char *long_path = malloc(200001);
    memset(long_path, 'x', 200000);
    long_path[200000] = '\0';
    expect_is(co_file_save(long_path, "x", 1), -EINVAL);
    expect_is(co_file_list(long_path, &paths), 0);
    free(paths);
    free(long_path);
    expect_is(co_now(), CO_MS(2));
    expect_is(co_file_open(&file, "in/a", CO_READ), 0);
    expect_is(co_file_write(&file, "x", 1), -EBADF);
    struct co_file copy = file;
    expect_is(co_file_close(&file), 0);
    expect_is(co_file_read(&copy, buffer, 1), -EBADF);
    expect_is(co_file_write(&copy, "x", 1), -EBADF);
    expect_is(co_file_close(&copy), -EBADF);
    expect_is(copy.number, 0);
    expect_is(co_file_open(&file, "in/a", CO_APPEND), 0);
    expect_is(co_file_read(&file, buffer, 1), -EBADF);
    return 0;
}

static void mistakes_are_errors(void **state)
{
    (void)state;
    assert_int_equal(run_world(DISK(ONE), makes_mistakes, NULL), 0);
}

static int fills_the_disk(void *job)
{
    (void)job;
    CO_FILE(file);
    expect_is(co_file_open(&file, "x", CO_WRITE), 0);
    expect_is(co_file_write(&file, "12345", 5), 0);
    expect_is(co_file_write(&file, "6", 1), -ENOSPC);
    expect_is(co_file_save("y", "6", 1), -ENOSPC);
    expect_is(co_file_remove("in/a"), 0);
    expect_is(co_file_write(&file, "6", 1), 0);
    note_content("x");
    return 0;
}

static void a_full_disk(void **state)
{
    (void)state;
    check_world_notes(DISK(ONE ",\"capacity\":10"), fills_the_disk, "123456@21 ");
}

static int meets_faults(void *job)
{
    (void)job;
    char *content;
    size_t length;
    CO_FILE(file);
    expect_is(co_file_open(&file, "out/a", CO_WRITE), 0);
    expect_is(co_file_write(&file, "one", 3), 0);
    expect_is(co_file_write(&file, "two", 3), -EIO);
    expect_is(co_file_write(&file, "three", 5), 0);
    note_content("out/a");
    expect_is(co_file_load("in/a", &content, &length), -EACCES);
    return 0;
}

static void faults_of_the_disk(void **state)
{
    (void)state;
    check_world_notes(DISK(ONE ",\"faults\":[{\"op\":\"write\",\"path\":\"out/\",\"nth\":2,\"error\":\"EIO\"},"
                           "{\"op\":\"read\",\"path\":\"in/\",\"error\":\"EACCES\"}]"), meets_faults, "onethree@24 ");
}

static int on_a_worker(void *job)
{
    struct co_file *file = job, other;
    char *content, *paths;
    size_t length;
    expect_is(co_file_open(&other, "x", CO_WRITE), -EPERM);
    expect_is(co_file_read(file, NULL, 0), -EPERM);
    expect_is(co_file_write(file, NULL, 0), -EPERM);
    expect_is(co_file_close(file), -EPERM);
    expect_is(co_file_load("x", &content, &length), -EPERM);
    expect_is(co_file_save("x", NULL, 0), -EPERM);
    expect_is(co_file_rename("x", "y"), -EPERM);
    expect_is(co_file_remove("x"), -EPERM);
    expect_is(co_file_list("", &paths), -EPERM);
    expect(paths == NULL);
    return 0;
}

static int hands_files_to_a_worker(void *job)
{
    (void)job;
    CO_FILE(file);
    expect_is(co_file_open(&file, "in/a", CO_READ), 0);
    expect_is(co_to_thread(on_a_worker, &file), 0);
    expect(file.number != 0);
    return 0;
}

static void not_on_a_worker(void **state)
{
    (void)state;
    assert_int_equal(run_world(DISK(ONE), hands_files_to_a_worker, NULL), 0);
}

static void not_outside_a_loop(void **state)
{
    (void)state;
    struct co_file file = {.number = 7};
    board_clear();
    expect_is(co_file_close(&file), -EPERM);
    expect_is(co_file_read(&file, NULL, 0), -EPERM);
    expect_is(co_file_open(&file, "x", CO_READ), -EPERM);
    assert_int_equal(board->failures, 0);
}

/* ---- Cancelled --------------------------------------------------------------------------------------------------- */

static int all_calls_when_cancelled(void *job)
{
    (void)job;
    char *content, *paths;
    size_t length;
    CO_FILE(file);
    CO_FILE(other);
    expect_is(co_file_open(&file, "in/a", CO_READ), 0);
    co_cancel(co_current());
    expect_is(co_file_open(&other, "x", CO_WRITE), -ECANCELED);
    expect_is(co_file_read(&file, NULL, 0), -ECANCELED);
    expect_is(co_file_write(&file, NULL, 0), -ECANCELED);
    expect_is(co_file_load("x", &content, &length), -ECANCELED);
    expect_is(co_file_save("x", NULL, 0), -ECANCELED);
    expect_is(co_file_rename("x", "y"), -ECANCELED);
    expect_is(co_file_remove("x"), -ECANCELED);
    expect_is(co_file_list("", &paths), -ECANCELED);
    expect_is(co_file_close(&file), 0);                 /* clean-up works */
    expect_is(co_now(), CO_MS(1));
    return 0;
}

static void a_cancelled_task_can_still_close(void **state)
{
    (void)state;
    char *trace = traced_world(DISK(ONE), all_calls_when_cancelled, NULL);
    assert_int_equal(count_of(trace, "\"ev\":\"file.start\""), 1);
    assert_has(trace, "\"ev\":\"file.closed\",\"op\":1}");
    assert_has_not(trace, "\"ev\":\"leak\"");
    free(trace);
}

struct half {
    int (*fn)(void *job);
    int64_t after;
};

static int opens(void *job) { (void)job; CO_FILE(file); return co_file_open(&file, "new", CO_CREATE); }
static int saves(void *job) { (void)job; return co_file_save("in/a", "bye", 3); }
static int moves(void *job) { (void)job; return co_file_rename("in/a", "b"); }
static int removes(void *job) { (void)job; return co_file_remove("in/a"); }
static int loads(void *job)
{
    char *content;
    size_t length;
    (void)job;
    int rc = co_file_load("in/a", &content, &length);
    expect(rc < 0 && !content);
    return rc;
}
static int lists(void *job)
{
    char *paths;
    (void)job;
    int rc = co_file_list("", &paths);
    expect(rc < 0 && !paths);
    return rc;
}

static int interrupts_each(void *job)
{
    (void)job;
    static int (*const fns[])(void *) = {opens, saves, moves, removes, loads, lists};
    for (size_t i = 0; i < sizeof fns / sizeof *fns; i++)
        expect_is(co_wait_for(fns[i], NULL, CO_US(500)), -ETIMEDOUT);
    expect_is(co_now(), CO_US(3000));
    char *paths;
    expect_is(co_file_list("", &paths), 1);
    expect_text(paths, "in/a\n");
    free(paths);
    note_content("in/a");
    return 0;
}

static void an_interrupted_call_is_not_done(void **state)
{
    (void)state;
    check_world_notes(DISK(ONE), interrupts_each, "hello@10 ");
    char *trace = only(traced_world(DISK(ONE), interrupts_each, NULL), "world");
    assert_has(trace, "{\"t\":500000,\"ev\":\"file.cancelled\",\"op\":1}\n");
    assert_int_equal(count_of(trace, "\"ev\":\"file.cancelled\""), 6);
    assert_has_not(trace, "file.left");
    free(trace);
}

static int cancels_in_the_queue(void *job)
{
    (void)job;
    int rc;
    CO_GROUP(group);
    co_spawn(&group, loads_and_notes, "in/a");
    co_task *second = co_spawn(&group, saves, NULL);
    co_spawn(&group, loads_and_notes, "in/a");
    expect_is(co_sleep(CO_MS(3)), 0);
    co_cancel(second);
    expect_is(co_await(second, &rc), 0);
    expect_is(rc, -ECANCELED);
    expect_is(co_now(), CO_MS(3));
    return co_join(&group);
}

static void cancelled_while_the_disk_is_busy_with_others(void **state)
{
    (void)state;
    check_world_notes(DISK(ONE ",\"parallel\":1"), cancels_in_the_queue, "hello@6 hello@12 ");
}

static int opens_and_is_cancelled(void *job)
{
    int rc = co_file_open(job, "new", CO_CREATE);
    note("%d", rc);
    return rc;
}

/* The file is open in the world before anybody here knows: the timeout of zero
 * comes at the very instant, the result first. */
static int cancels_when_it_is_open(void *job)
{
    (void)job;
    struct co_file file;
    int rc;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, opens_and_is_cancelled, &file);
    co_yield();
    co_cpu(CO_MS(5));
    co_cancel(task);                                    /* catches up: the result wins */
    expect_is(co_await(task, &rc), 0);
    expect_is(rc, 0);
    expect_is(co_file_close(&file), 0);
    return 0;
}

static void a_result_wins_over_a_cancel_at_the_same_instant(void **state)
{
    (void)state;
    check_world_notes(DISK(""), cancels_when_it_is_open, "0@5 ");
}

static int reads_again_and_again(void *job)
{
    (void)job;
    char *content;
    size_t length;
    int rc = co_file_load("in/a", &content, &length);
    free(content);
    return rc;
}

/* An abandoned operation is freed, and used again by somebody else, before the task that waited for it runs. */
static int reuses_an_abandoned_operation(void *job)
{
    (void)job;
    int rc;
    struct co_response resp;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, reads_again_and_again, NULL);
    co_yield();
    co_cancel(task);
    expect_is(http_get_blocking("http://nobody.test/", &resp), -CO_ENOHOST);
    expect_is(http_get_blocking("http://nobody.test/", &resp), -CO_ENOHOST);
    expect_is(co_await(task, &rc), 0);
    expect_is(rc, -ECANCELED);
    CO_GROUP(others);
    for (int i = 0; i < 5; i++)
        co_spawn(&others, loads_and_notes, "in/a");
    expect_is(co_join(&others), 0);
    return 0;
}

static int gets(void *job)
{
    struct co_response resp;
    int rc = co_http_get(job, &resp);
    co_response_free(&resp);
    return rc;
}

static int reuses_an_abandoned_request(void *job)
{
    (void)job;
    int rc;
    struct co_response resp;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, gets, "http://a.test/");
    co_yield();
    co_cancel(task);
    expect_is(http_get_blocking("http://nobody.test/", &resp), -CO_ENOHOST);
    expect_is(http_get_blocking("http://nobody.test/", &resp), -CO_ENOHOST);
    expect_is(co_await(task, &rc), 0);
    expect_is(rc, -ECANCELED);
    CO_GROUP(others);
    co_spawn(&others, gets, "http://a.test/");
    co_spawn(&others, gets, "http://a.test/");
    expect_is(co_join(&others), 0);
    return 0;
}

static void an_abandoned_operation_is_freed_once(void **state)
{
    (void)state;
    check_world_notes(DISK(ONE), reuses_an_abandoned_operation, "hello@6 hello@6 hello@6 hello@6 hello@6 ");
    assert_int_equal(run_world("{\"world\":\"looplab/world/v1\",\"sites\":[{\"url\":\"http://a.test\",\"rtt\":\"20ms\","
                               "\"routes\":[{\"path\":\"/\"}]}]}", reuses_an_abandoned_request, NULL), 0);
}

/* ---- Leaks ------------------------------------------------------------------------------------------------------- */

static int never_closes(void *job)
{
    (void)job;
    struct co_file file, closed;
    expect_is(co_file_open(&file, "in/a", CO_READ), 0), MARK(0);
    expect_is(co_file_open(&closed, "in/a", CO_READ), 0);
    expect_is(co_file_open(&file, "in/a", CO_READ), 0), MARK(1);
    expect_is(co_file_close(&closed), 0);
    expect_is(co_file_open(&file, "nowhere", CO_READ), -ENOENT);
    return 3;
}

static void a_file_that_is_never_closed_is_a_leak(void **state)
{
    (void)state;
    struct child *child = child_of_run(DISK(ONE), never_closes, NULL, (struct co_options){.program = "prog"},
                                       "never_closes");
    assert_int_equal(child->rc, 3);
    assert_has(child->err, "prog: leak: the file of test_file.c:%d was never closed: use co_file_close or CO_FILE\n",
               board->line[0]);
    assert_has(child->err, "prog: leak: the file of test_file.c:%d was never closed", board->line[1]);
    assert_int_equal(count_of(child->err, "\n"), 2);
}

static int closes_by_itself(void *job)
{
    for (int i = 0; i < 3; i++) {
        CO_FILE(file);
        expect_is(co_file_open(&file, "in/a", CO_READ), 0);
        if (i == (intptr_t)job)
            return 0;
    }
    return 0;
}

static void co_file_closes_itself(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        char *trace = traced_world(DISK(ONE), closes_by_itself, MSEC(i));
        assert_int_equal(count_of(trace, "\"ev\":\"file.closed\""), i < 3 ? i + 1 : 3);
        assert_has_not(trace, "\"ev\":\"leak\"");
        free(trace);
    }
}

/* ---- The trace --------------------------------------------------------------------------------------------------- */

static int leaves_files(void *job)
{
    (void)job;
    expect_is(co_file_save("out/b", "b", 1), 0), MARK(0);
    expect_is(co_file_save("out/a", "\"a\"", 3), 0);
    return 9;
}

static void the_trace_tells_calls_and_what_is_left(void **state)
{
    (void)state;
    char *trace = traced_world(DISK(ONE), leaves_files, NULL), line[200];
    snprintf(line, sizeof line,
             "{\"t\":0,\"from\":\"runtime\",\"ev\":\"await\",\"task\":1,\"on\":\"file\",\"src\":\"test_file.c:%d\","
             "\"op\":1}\n", board->line[0]);
    assert_has(trace, "%s", line);
    assert_has(trace,
               "{\"t\":0,\"from\":\"world\",\"ev\":\"file.start\",\"op\":1,\"task\":1,\"call\":\"save\","
               "\"path\":\"out/b\",\"bytes\":1}\n");
    assert_has(trace, "{\"t\":2000000,\"from\":\"world\",\"ev\":\"file.end\",\"op\":1,\"rc\":0,\"bytes\":1}\n");
    char *end = strstr(trace, "{\"t\":6000000,\"from\":\"world\",\"ev\":\"file.left\"");
    assert_non_null(end);
    assert_string_equal(end,
        "{\"t\":6000000,\"from\":\"world\",\"ev\":\"file.left\",\"path\":\"out/a\",\"bytes\":3,"
        "\"text\":\"\\\"a\\\"\"}\n"
        "{\"t\":6000000,\"from\":\"world\",\"ev\":\"file.left\",\"path\":\"out/b\",\"bytes\":1,\"text\":\"b\"}\n"
        "{\"t\":6000000,\"from\":\"runtime\",\"ev\":\"end\",\"rc\":9}\n");
    free(trace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_read_piece_by_piece),
        cmocka_unit_test(a_file_is_written_piece_by_piece),
        cmocka_unit_test(whole_files_and_paths),
        cmocka_unit_test(large_files),
        cmocka_unit_test(calls_overlap_unless_the_disk_says_otherwise),
        cmocka_unit_test(two_tasks_append_to_one_file),
        cmocka_unit_test(a_rename_replaces_in_one_step),
        cmocka_unit_test(the_same_run_gives_the_same_trace),
        cmocka_unit_test(mistakes_are_errors),
        cmocka_unit_test(a_full_disk),
        cmocka_unit_test(faults_of_the_disk),
        cmocka_unit_test(not_on_a_worker),
        cmocka_unit_test(not_outside_a_loop),
        cmocka_unit_test(a_cancelled_task_can_still_close),
        cmocka_unit_test(an_interrupted_call_is_not_done),
        cmocka_unit_test(cancelled_while_the_disk_is_busy_with_others),
        cmocka_unit_test(a_result_wins_over_a_cancel_at_the_same_instant),
        cmocka_unit_test(an_abandoned_operation_is_freed_once),
        cmocka_unit_test(a_file_that_is_never_closed_is_a_leak),
        cmocka_unit_test(co_file_closes_itself),
        cmocka_unit_test(the_trace_tells_calls_and_what_is_left),
    };
    return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
