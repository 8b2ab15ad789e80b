/* The virtual disk: when each call is over, what it did, what it was refused with, and what is left at the end. */
#include "world_rig.h"

#define DISK(members) WORLD("'disk':{" members "}")
/* 1 ms a call, and 1 ms a byte. */
#define SLOW "'latency':'1ms','bandwidth':1000"

enum { READ = WORLD_FILE_TO_READ, WRITE = WORLD_FILE_TO_WRITE, APPEND = WORLD_FILE_TO_APPEND,
      CREATE = WORLD_FILE_TO_CREATE };

static uint64_t ask(struct rig *rig, struct world_request request, const char *path, const char *to, const char *bytes,
                    size_t size)
{
    static char data[100000];
    size_t length = strlen(path), to_length = strlen(to);
    assert_true(length + to_length + size <= sizeof data);
    memcpy(data, path, length);
    memcpy(data + length, to, to_length);
    memcpy(data + length + to_length, bytes, size);
    request.op = WORLD_FILE;
    request.task = 1;
    request.lengths[0] = (uint32_t)length;
    request.lengths[1] = (uint32_t)to_length;
    request.data = data;
    request.size = length + to_length + size;
    uint64_t id = rig->world->submit(rig->world, &request);
    memset(data, 'x', sizeof data);   /* the world must have copied what it needs */
    assert_true(id > 0);
    return id;
}

static uint64_t open_file(struct rig *rig, const char *path, uint32_t mode)
{
    return ask(rig, (struct world_request){.call = WORLD_FILE_OPEN, .mode = mode}, path, "", "", 0);
}

static uint64_t read_file(struct rig *rig, uint64_t file, uint64_t count)
{
    return ask(rig, (struct world_request){.call = WORLD_FILE_READ, .file = file, .count = count}, "", "", "", 0);
}

static uint64_t write_file(struct rig *rig, uint64_t file, const char *text)
{
    return ask(rig, (struct world_request){.call = WORLD_FILE_WRITE, .file = file}, "", "", text, strlen(text));
}

static void close_file(struct rig *rig, uint64_t file)
{
    ask(rig, (struct world_request){.call = WORLD_FILE_CLOSE, .file = file}, "", "", "", 0);
}

static uint64_t about(struct rig *rig, enum world_file_call call, const char *path)
{
    return ask(rig, (struct world_request){.call = call}, path, "", "", 0);
}

static uint64_t save(struct rig *rig, const char *path, const char *text)
{
    return ask(rig, (struct world_request){.call = WORLD_FILE_SAVE}, path, "", text, strlen(text));
}

static uint64_t move(struct rig *rig, const char *path, const char *to)
{
    return ask(rig, (struct world_request){.call = WORLD_FILE_RENAME}, path, to, "", 0);
}

static void finish(struct rig *rig)
{
    rig->world->submit(rig->world, &(struct world_request){.op = WORLD_FINISH});
}

#define load(rig, path) about((rig), WORLD_FILE_LOAD, (path))
#define list(rig, prefix) about((rig), WORLD_FILE_LIST, (prefix))
#define delete(rig, path) about((rig), WORLD_FILE_REMOVE, (path))

/* Lets everything happen and forgets it. Returns when. */
static int64_t settle(struct rig *rig)
{
    rig_run_until(rig, INT64_MAX);
    return rig->world->now(rig->world);
}

/* Opens a file and waits for it. */
static uint64_t opened(struct rig *rig, const char *path, uint32_t mode)
{
    uint64_t file = open_file(rig, path, mode);
    settle(rig);
    return file;
}

/* Asserts what a file contains. */
static void expect_file(struct rig *rig, const char *path, const char *text)
{
    char expected[300];
    uint64_t id = load(rig, path);
    rig->length = 0;
    rig_run_until(rig, INT64_MAX);
    snprintf(expected, sizeof expected, " #%d \"%s\" end\n", (int)id, text);
    char *at = strchr(rig->log, ' ');
    assert_non_null(at);
    assert_string_equal(at, expected);
}

/* ---- Time ---------------------------------------------------------------------------------- */

static void test_latency_and_bytes(void **state)
{
    (void)state;
    struct rig *rig = rig_open(DISK(SLOW ",'files':{'a':'hello','b':''}"));
    uint64_t file = open_file(rig, "a", READ);
    rig_expect(rig, "1ms #1 end\n");
    read_file(rig, file, 100);
    rig_expect(rig, "7ms #2 \"hello\" end 5\n");
    read_file(rig, file, 100);
    rig_expect(rig, "8ms #3 \"\" end\n");
    close_file(rig, file);
    load(rig, "a");
    rig_expect(rig, "14ms #5 \"hello\" end\n");
    load(rig, "b");
    rig_expect(rig, "15ms #6 \"\" end\n");
    save(rig, "c", "abc");
    rig_expect(rig, "19ms #7 end\n");
    list(rig, "");
    rig_expect(rig, "20ms #8 \"a\nb\nc\n\" end 3\n");
    move(rig, "c", "d");
    rig_expect(rig, "21ms #9 end\n");
    delete(rig, "d");
    rig_expect(rig, "22ms #10 end\n");
    file = open_file(rig, "w", WRITE);
    rig_expect(rig, "23ms #11 end\n");
    write_file(rig, file, "1234567");
    rig_expect(rig, "31ms #12 end\n");
    write_file(rig, file, "");
    rig_expect(rig, "32ms #13 end\n");
    rig_close(rig);
}

static void test_bytes_are_rounded_up(void **state)
{
    (void)state;
    struct rig *rig = rig_open(DISK("'latency':'5ns','bandwidth':3000000000"));
    save(rig, "a", "");
    rig_expect(rig, "5ns #1 end\n");
    save(rig, "a", "1");
    rig_expect(rig, "11ns #2 end\n");
    save(rig, "a", "123");
    rig_expect(rig, "17ns #3 end\n");
    save(rig, "a", "1234");
    rig_expect(rig, "24ns #4 end\n");
    rig_close(rig);
}

static void test_without_a_disk_in_the_file_nothing_takes_time(void **state)
{
    (void)state;
    struct rig *rig = rig_open(WORLD("'sites':[]"));
    uint64_t file = open_file(rig, "a/b/c", CREATE);
    list(rig, "");
    rig_expect(rig, "0ms #1 end\n0ms #2 \"a/b/c\n\" end 1\n");
    write_file(rig, file, "hello");
    load(rig, "a/b/c");
    rig_expect(rig, "0ms #3 end\n0ms #4 \"hello\" end\n");
    rig_close(rig);
    struct co_world *empty = world_virtual_open(NULL, 0, NULL, NULL, NULL, 0);
    struct world_request request = {.op = WORLD_FILE, .call = WORLD_FILE_SAVE, .data = "a", .size = 1, .lengths = {1}};
    struct world_completion out[1];
    empty->submit(empty, &request);
    assert_int_equal(empty->wait(empty, INT64_MAX, out, 1), 1);
    assert_int_equal(out[0].rc, 0);
    empty->submit(empty, &(struct world_request){.op = WORLD_FINISH});   /* no trace: nothing */
    empty->close(empty);
}

static void test_without_a_bandwidth_bytes_take_none(void **state)
{
    (void)state;
    struct rig *rig = rig_open(DISK("'latency':'2ms'"));
    save(rig, "a", "hello");
    rig_expect(rig, "2ms #1 end\n");
    rig_close(rig);
}

static void test_a_latency_beyond_all_time(void **state)
{
    (void)state;
    struct rig *rig = rig_open(DISK("'latency':'9223372036s','bandwidth':1"));
    save(rig, "a", "hello");
    rig_expect(rig, "");
    assert_int_equal(rig->world->now(rig->world), 0);
    rig_close(rig);
}

static void test_calls_overlap(void **state)
{
    (void)state;
    struct rig *rig = rig_open(DISK(SLOW));
    save(rig, "a", "12345");
    save(rig, "b", "1");
    list(rig, "");
    rig_expect(rig, "1ms #3 \"\" end\n2ms #2 end\n6ms #1 end\n");
    rig_close(rig);
}

static void test_so_many_at_a_time_in_order(void **state)
{
    (void)state;
    struct rig *rig = rig_open(DISK(SLOW ",'parallel':2"));
    save(rig, "a", "123456789");   /* 0..10  */
    save(rig, "b", "1");           /* 0..2   */
    save(rig, "c", "12");          /* 2..5   */
    load(rig, "c");                /* 5..8: as long as it has then become */
    list(rig, "");                 /* 8..9   */
    rig_expect(rig, "2ms #2 end\n5ms #3 end\n8ms #4 \"12\" end\n9ms #5 \"b\nc\n\" end 2\n10ms #1 end\n");
    rig_close(rig);
}

static void test_one_after_another(void **state)
{
    (void)state;
    struct rig *rig = rig_open(DISK(SLOW ",'parallel':1"));
    for (int i = 0; i < 3; i++)
        save(rig, "a", "x");
    rig_expect(rig, "2ms #1 end\n4ms #2 end\n6ms #3 end\n");
    rig_close(rig);
}

/* ---- Modes --------------------------------------------------------------------------------- */

static void test_open_to_read(void **state)
{
    (void)state;
    struct rig *rig = rig_open(DISK("'files':{'a':'hello world'}"));
    open_file(rig, "b", READ);
    rig_expect(rig, "0ms #1 end ENOENT\n");
    uint64_t one = opened(rig, "a", READ), two = opened(rig, "a", READ);
    read_file(rig, one, 5);
    read_file(rig, two, 2);
    read_file(rig, one, 100);
    read_file(rig, one, 100);
    read_file(rig, two, 0);
    read_file(rig, two, UINT64_MAX);
    write_file(rig, one, "no");
    rig_expect(rig, "0ms #4 \"hello\" end 5\n0ms #5 \"he\" end 2\n0ms #6 \" world\" end 6\n0ms #7 \"\" end\n"
                    "0ms #8 \"\" end\n0ms #9 \"llo world\" end 9\n0ms #10 end EBADF\n");
    rig_close(rig);
}

static void test_open_to_write_empties(void **state)
{
    (void)state;
    struct rig *rig = rig_open(DISK("'files':{'a':'hello world'}"));
    uint64_t file = opened(rig, "a", WRITE);
    expect_file(rig, "a", "");
    write_file(rig, file, "ab");
    write_file(rig, file, "cd");
    settle(rig);
    expect_file(rig, "a", "abcd");
    read_file(rig, file, 1);
    rig_expect(rig, "0ms #6 end EBADF\n");
    opened(rig, "new", WRITE);
    expect_file(rig, "new", "");
    rig_close(rig);
}

static void test_open_to_append(void **state)
{
    (void)state;
    struct rig *rig = rig_open(DISK("'files':{'a':'one'}"));
    uint64_t one = opened(rig, "a", APPEND), two = opened(rig, "a", APPEND);
    write_file(rig, one, "+1");
    write_file(rig, two, "+2");
    write_file(rig, one, "+3");
    settle(rig);
    expect_file(rig, "a", "one+1+2+3");
    one = opened(rig, "new", APPEND);
    write_file(rig, one, "x");
    settle(rig);
    expect_file(rig, "new", "x");
    read_file(rig, one, 1);
    rig_expect(rig, "0ms #10 end EBADF\n");
    rig_close(rig);
}

static void test_open_to_create(void **state)
{
    (void)state;
    struct rig *rig = rig_open(DISK("'files':{'a':'one'}"));
    open_file(rig, "a", CREATE);
    open_file(rig, "b", CREATE);
    open_file(rig, "b", CREATE);
    rig_expect(rig, "0ms #1 end EEXIST\n0ms #2 end\n0ms #3 end EEXIST\n");
    write_file(rig, 2, "made");
    settle(rig);
    expect_file(rig, "b", "made");
    expect_file(rig, "a", "one");
    rig_close(rig);
}

static void test_not_open(void **state)
{
    (void)state;
    struct rig *rig = rig_open(DISK(SLOW ",'files':{'a':'one'}"));
    read_file(rig, 77, 1);
    write_file(rig, 77, "x");
    rig_expect(rig, "0ms #1 end EBADF\n0ms #2 end EBADF\n");   /* that takes no disk */
    uint64_t file = opened(rig, "a", READ);
    close_file(rig, 77);
    close_file(rig, file);
    close_file(rig, file);
    read_file(rig, file, 1);
    rig_expect(rig, "1ms #7 end EBADF\n");
    file = opened(rig, "a", READ);
    read_file(rig, file, 1);
    close_file(rig, file);   /* while it reads */
    rig_expect(rig, "4ms #9 end EBADF\n");
    file = opened(rig, "a", APPEND);
    write_file(rig, file, "x");
    close_file(rig, file);
    rig_expect(rig, "7ms #12 end EBADF\n");
    expect_file(rig, "a", "one");
    rig_close(rig);
}

/* Many are open at a time, and closed in any order. */
static void test_many_openings(void **state)
{
    (void)state;
    struct rig *rig = rig_open(DISK("'files':{'a':'0123456789'}"));
    uint64_t files[50];
    for (int i = 0; i < 50; i++)
        files[i] = open_file(rig, "a", READ);
    settle(rig);
    for (int i = 0; i < 50; i++)
        close_file(rig, files[i * 7 % 50 / 2 * 2]);   /* every other one */
    for (int i = 1; i < 50; i += 2) {
        rig->length = 0;
        read_file(rig, files[i], (uint64_t)i % 10);
        rig_run_until(rig, INT64_MAX);
        char expected[60];
        sprintf(expected, "\"%.*s\" end", i % 10, "0123456789");
        assert_non_null(strstr(rig->log, expected));
    }
    rig_close(rig);
}

/* ---- What happens when --------------------------------------------------------------------- */

static void test_nobody_sees_half_a_write(void **state)
{
    (void)state;
    struct rig *rig = rig_open(DISK(SLOW ",'files':{'a':'old'}"));
    save(rig, "a", "news");   /* until 5 */
    load(rig, "a");           /* until 4 */
    rig_expect_until(rig, MS(3), "");
    load(rig, "a");           /* reckoned with 3 bytes, until 7 */
    rig_expect(rig, "4ms #2 \"old\" end\n5ms #1 end\n7ms #3 \"news\" end\n");
    rig_close(rig);
}

static void test_an_end_at_the_same_instant_comes_in_the_order_asked_for(void **state)
{
    (void)state;
    struct rig *rig = rig_open(DISK("'latency':'1ms','files':{'a':'old'}"));
    load(rig, "a");
    save(rig, "a", "new");
    load(rig, "a");
    delete(rig, "a");
    load(rig, "a");
    rig_expect(rig, "1ms #1 \"old\" end\n1ms #2 end\n1ms #3 \"new\" end\n1ms #4 end\n1ms #5 end ENOENT\n");
    rig_close(rig);
}

/* What was read is kept, whatever is written before it is handed over. */
static void test_a_busy_loop_gets_what_was_there_then(void **state)
{
    (void)state;
    struct rig *rig = rig_open(DISK("'latency':'1ms','files':{'a':'old','b':'bee'}"));
    uint64_t file = opened(rig, "b", READ);
    read_file(rig, file, 10);
    load(rig, "a");
    rig->world->block(rig->world, MS(1));
    save(rig, "a", "new");
    uint64_t emptied = open_file(rig, "b", WRITE);
    rig->world->block(rig->world, MS(5));
    rig_expect(rig, "7ms #2 \"bee\" end 3\n7ms #3 \"old\" end\n7ms #4 end\n7ms #5 end\n");
    assert_int_equal(emptied, 5);
    expect_file(rig, "b", "");
    rig_close(rig);
}

static void test_two_writers(void **state)
{
    (void)state;
    struct rig *rig = rig_open(DISK(SLOW));
    uint64_t one = opened(rig, "a", WRITE), two = opened(rig, "a", WRITE);
    write_file(rig, one, "longer");   /* 2..9 */
    write_file(rig, two, "xy");       /* 2..5 */
    rig_expect_until(rig, MS(5), "5ms #4 end\n");
    rig_expect(rig, "9ms #3 end\n");
    expect_file(rig, "a", "longer");
    write_file(rig, two, "AB");       /* each goes on where it stands */
    settle(rig);
    expect_file(rig, "a", "loABer");
    rig_close(rig);
}

static void test_a_gap_is_filled_with_zeros(void **state)
{
    (void)state;
    struct rig *rig = rig_open(DISK(""));
    uint64_t one = opened(rig, "a", WRITE);
    write_file(rig, one, "hello");
    settle(rig);
    opened(rig, "a", WRITE);   /* empties it below the first one */
    write_file(rig, one, "!");
    settle(rig);
    load(rig, "a");
    struct world_completion out[1];
    assert_int_equal(rig->world->wait(rig->world, INT64_MAX, out, 1), 1);
    assert_int_equal(out[0].size, 6);
    assert_memory_equal(out[0].data, "\0\0\0\0\0!", 6);
    rig_close(rig);
}

static void test_large_contents(void **state)
{
    (void)state;
    static char text[30001];
    struct rig *rig = rig_open(DISK(""));
    uint64_t file = opened(rig, "a", APPEND);
    for (size_t i = 0; i < 30000; i++)
        text[i] = (char)('a' + i % 26);
    for (int i = 0; i < 10; i++)
        write_file(rig, file, text);
    settle(rig);
    load(rig, "a");
    struct world_completion out[1];
    assert_int_equal(rig->world->wait(rig->world, INT64_MAX, out, 1), 1);
    assert_int_equal(out[0].size, 300000);
    for (int i = 0; i < 10; i++)
        assert_memory_equal((const char *)out[0].data + 30000 * i, text, 30000);
    rig_close(rig);
}

/* ---- Paths --------------------------------------------------------------------------------- */

static void test_rename_replaces_in_one_step(void **state)
{
    (void)state;
    struct rig *rig = rig_open(DISK(SLOW ",'files':{'a':'new','b':'old'}"));
    move(rig, "a", "b");      /* until 1 */
    load(rig, "b");           /* until 4 */
    list(rig, "");            /* until 1, after it */
    rig_expect(rig, "1ms #1 end\n1ms #3 \"b\n\" end 1\n4ms #2 \"new\" end\n");
    load(rig, "b");           /* at every instant there is one of the two */
    uint64_t file = opened(rig, "c", WRITE);
    write_file(rig, file, "xxxxx");
    move(rig, "c", "b");
    settle(rig);
    expect_file(rig, "b", "xxxxx");   /* what is open stays open under the new path */
    rig_close(rig);
}

static void test_rename(void **state)
{
    (void)state;
    struct rig *rig = rig_open(DISK("'files':{'a':'1','b':'2','c':'3','d':'4'}"));
    move(rig, "x", "a");
    move(rig, "a", "a");
    move(rig, "b", "z");
    move(rig, "d", "Z");
    move(rig, "x", "x");
    list(rig, "");
    rig_expect(rig,
               "0ms #1 end ENOENT\n0ms #2 end\n0ms #3 end\n0ms #4 end\n0ms #5 end ENOENT\n0ms #6 \"Z\na\nc\nz\n"
               "\" end 4\n");
    expect_file(rig, "a", "1");
    expect_file(rig, "z", "2");
    expect_file(rig, "Z", "4");
    rig_close(rig);
}

static void test_removed_and_replaced_files_stay_open(void **state)
{
    (void)state;
    struct rig *rig = rig_open(DISK("'capacity':10,'files':{'a':'12345','b':'123','c':'c'}"));
    uint64_t a = opened(rig, "a", READ), b = opened(rig, "b", READ), c = opened(rig, "c", APPEND);
    delete(rig, "a");
    delete(rig, "a");
    save(rig, "b", "4");
    move(rig, "b", "c");
    write_file(rig, c, "!");   /* to a file without a path */
    rig_expect(rig, "0ms #4 end\n0ms #5 end ENOENT\n0ms #6 end\n0ms #7 end\n0ms #8 end ENOSPC\n");
    read_file(rig, a, 9);
    read_file(rig, b, 9);
    load(rig, "c");
    rig_expect(rig, "0ms #9 \"12345\" end 5\n0ms #10 \"123\" end 3\n0ms #11 \"4\" end\n");
    save(rig, "x", "1");   /* 5 + 3 + 1 + 1 are there */
    rig_expect(rig, "0ms #12 end ENOSPC\n");
    close_file(rig, a);
    save(rig, "x", "12345");
    save(rig, "x", "123456");
    rig_expect(rig, "0ms #14 end\n0ms #15 end ENOSPC\n");
    close_file(rig, b);
    close_file(rig, c);
    save(rig, "x", "123456789");
    save(rig, "x", "1234567890");
    rig_expect(rig, "0ms #18 end\n0ms #19 end ENOSPC\n");
    rig_close(rig);
}

static void test_lists(void **state)
{
    (void)state;
    struct rig *rig = rig_open(DISK("'files':{'o/b':'','in/a':'','o/a':'','o':'','outr':'','\xc3\xa4':''}"));
    list(rig, "o/");
    list(rig, "o");
    list(rig, "x");
    list(rig, "in/a");
    list(rig, "in/a/");
    list(rig, "\xc3");
    rig_expect(rig, "0ms #1 \"o/a\no/b\n\" end 2\n0ms #2 \"o\no/a\no/b\noutr\n\" end 4\n0ms #3 \"\" end\n"
                    "0ms #4 \"in/a\n\" end 1\n0ms #5 \"\" end\n0ms #6 \"\xc3\xa4\n\" end 1\n");
    rig_close(rig);
}

static void test_what_is_no_path(void **state)
{
    (void)state;
    char long_name[300], long_path[5000], expected[100];
    memset(long_name, 'n', sizeof long_name);
    long_name[256] = '\0';
    for (size_t i = 0; i < sizeof long_path; i++)
        long_path[i] = i % 2 ? '/' : 'p';
    long_path[4097] = '\0';
    const char *const wrong[] = {"", "/", "/a", "a/", "a//b", ".", "..", "./a", "a/..", "a/../b", "a/.", "a\nb",
                                 "a\x7f", "\x1f", long_name, long_path};
    struct rig *rig = rig_open(DISK(SLOW));
    uint64_t id = 0;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        open_file(rig, wrong[i], CREATE);
        load(rig, wrong[i]);
        save(rig, wrong[i], "x");
        delete(rig, wrong[i]);
        move(rig, wrong[i], "a");
        id = move(rig, "a", wrong[i]);
        rig->length = 0;
        rig_run_until(rig, INT64_MAX);
        for (uint64_t n = id - 5; n <= id; n++) {
            sprintf(expected, "0ms #%d end EINVAL\n", (int)n);
            if (!strstr(rig->log, expected))
                fail_msg("%s: %s", wrong[i], rig->log);
        }
    }
    long_name[255] = '\0';
    long_path[4095] = '\0';
    const char *const right[] = {"a", "...", ".a", "..a/b..", "a/...", "a b", "a\\b", "\xff", long_name, long_path};
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
        save(rig, right[i], "");
        rig->length = 0;
        rig_run_until(rig, INT64_MAX);
        assert_null(strstr(rig->log, "EINVAL"));
    }
    rig_close(rig);
}

static void test_unknown_calls_and_modes(void **state)
{
    (void)state;
    struct rig *rig = rig_open(DISK(SLOW));
    about(rig, 0, "a");
    about(rig, 10, "a");
    about(rig, UINT32_MAX, "a");
    open_file(rig, "a", 4);
    rig_expect(rig, "0ms #1 end EINVAL\n0ms #2 end EINVAL\n0ms #3 end EINVAL\n0ms #4 end EINVAL\n");
    list(rig, "");
    rig_expect(rig, "1ms #5 \"\" end\n");
    rig_close(rig);
}

/* ---- A full disk --------------------------------------------------------------------------- */

static void test_a_full_disk(void **state)
{
    (void)state;
    struct rig *rig = rig_open(DISK(SLOW ",'capacity':10,'files':{'a':'1234'}"));
    save(rig, "b", "1234567");
    rig_expect(rig, "8ms #1 end ENOSPC\n");   /* it takes its time to find that out */
    uint64_t file = opened(rig, "b", WRITE);
    write_file(rig, file, "123456");
    write_file(rig, file, "7");
    rig_expect(rig, "11ms #4 end\n16ms #3 end ENOSPC\n");   /* whoever ends first is first */
    expect_file(rig, "b", "7");
    write_file(rig, file, "12345");
    settle(rig);
    write_file(rig, file, "");
    write_file(rig, file, "6");
    rig_expect(rig, "25ms #7 end\n26ms #8 end ENOSPC\n");
    expect_file(rig, "b", "712345");
    save(rig, "a", "12345");   /* it takes the place of 4 */
    save(rig, "a", "4321");
    settle(rig);
    expect_file(rig, "a", "4321");
    delete(rig, "a");
    settle(rig);
    save(rig, "c", "1234");
    settle(rig);
    expect_file(rig, "c", "1234");
    opened(rig, "b", WRITE);   /* emptied: 6 are free */
    save(rig, "d", "123456");
    settle(rig);
    expect_file(rig, "d", "123456");
    rig_close(rig);
}

static void test_a_disk_without_room(void **state)
{
    (void)state;
    struct rig *rig = rig_open(DISK("'capacity':0,'files':{'a':''}"));
    save(rig, "a", "1");
    save(rig, "a", "");
    open_file(rig, "b", CREATE);
    write_file(rig, 3, "");
    /* Not open yet when it was asked. */
    rig_expect(rig, "0ms #1 end ENOSPC\n0ms #2 end\n0ms #3 end\n0ms #4 end EBADF\n");
    rig_close(rig);
}

/* ---- Faults -------------------------------------------------------------------------------- */

#define FAULT(members) DISK(SLOW ",'files':{'in/a':'one'},'faults':[{" members "}]")

static void expect_saves(const char *world, const char *expected)
{
    struct rig *rig = rig_open(world);
    char all[200] = "";
    for (int i = 0; i < 5; i++) {
        int64_t before = settle(rig);
        save(rig, i == 2 ? "other" : "out/x", "");
        rig->length = 0;
        assert_int_equal(settle(rig) - before, MS(1));   /* struck or not, it takes its time */
        strcat(all, strstr(rig->log, "EIO") ? "E" : strstr(rig->log, "ENOSPC") ? "S" : strstr(rig->log, "EACCES") ? "A"
                  : strstr(rig->log, "ENOENT") ? "N" : ".");
    }
    assert_string_equal(all, expected);
    rig_close(rig);
}

static void test_faults_strike_the_nth_call(void **state)
{
    (void)state;
    expect_saves(FAULT("'op':'write','path':'out/','nth':3,'error':'EIO','times':1"), "...E.");
    expect_saves(FAULT("'op':'write','path':'out/','nth':3,'error':'EIO'"), "...E.");
    expect_saves(FAULT("'op':'write','path':'out/','nth':2,'error':'EIO','times':2"), ".E.E.");
    expect_saves(FAULT("'op':'write','path':'out/','nth':2,'error':'EIO','times':100"), ".E.EE");
    expect_saves(FAULT("'op':'save','path':'out/','error':'ENOSPC'"), "SS.SS");
    expect_saves(FAULT("'op':'save','path':'out/','error':'EACCES','times':2"), "AA...");
    expect_saves(FAULT("'path':'o','error':'ENOENT'"), "NNNNN");
    expect_saves(FAULT("'error':'ENOENT','nth':5"), "....N");
    expect_saves(FAULT("'error':'EIO','times':0"), ".....");
    expect_saves(FAULT("'op':'open','error':'EIO'"), ".....");
    expect_saves(FAULT("'path':'out/xx','error':'EIO'"), ".....");
    expect_saves(FAULT("'path':'out/','nth':2,'error':'EIO'},{'nth':2,'times':2,'error':'ENOSPC'"), ".ES..");
    expect_saves(FAULT("'error':'EIO','nth':9223372036854775807,'times':9223372036854775807"), ".....");
}

static void test_faults_of_each_call(void **state)
{
    (void)state;
    /* Which of these it strikes: open to read, open to write, read, write, rename, remove, list, load, save. */
    static const struct { const char *op, *struck; } cases[] = {
        {"open", "EE......."}, {"read", "..E....E."}, {"write", "...E....E"}, {"rename", "....E...."},
        {"remove", ".....E..."}, {"list", "......E.."}, {"load", ".......E."}, {"save", "........E"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char json[300], all[20] = "";
        sprintf(json, DISK("'files':{'a':'one','b':'two'},'faults':[{'op':'%s','error':'EIO'}]"), cases[i].op);
        struct rig *rig = rig_open(json);
        for (int call = 0; call < 9; call++) {
            rig->length = 0;
            rig->log[0] = '\0';
            switch (call) {
            case 0: open_file(rig, "a", READ); break;
            case 1: open_file(rig, "w", WRITE); break;
            case 2: read_file(rig, 1, 2); break;
            case 3: write_file(rig, 2, "x"); break;
            case 4: move(rig, "b", "c"); break;
            case 5: delete(rig, "c"); break;
            case 6: list(rig, ""); break;
            case 7: load(rig, "a"); break;
            case 8: save(rig, "s", "x"); break;
            }
            settle(rig);
            strcat(all, strstr(rig->log, "end EIO") ? "E" : ".");
        }
        assert_string_equal(all, cases[i].struck);
        rig_close(rig);
    }
}

/* The path with which a file was opened counts, and either path of a renaming. */
static void test_the_paths_of_faults(void **state)
{
    (void)state;
    struct rig *rig = rig_open(DISK("'files':{'a':'one','b':'two'},'faults':[{'op':'read','path':'a','error':'EIO'},"
                                    "{'op':'rename','path':'c','nth':2,'error':'EACCES'}]"));
    uint64_t a = opened(rig, "a", READ), b = opened(rig, "b", READ);
    move(rig, "a", "c");
    move(rig, "c", "d");
    settle(rig);
    read_file(rig, a, 1);
    read_file(rig, b, 1);
    load(rig, "c");
    move(rig, "c", "d");
    rig_expect(rig, "0ms #5 end EIO\n0ms #6 \"t\" end 1\n0ms #7 \"one\" end\n0ms #8 end\n");
    rig_close(rig);
}

static void test_a_fault_changes_nothing(void **state)
{
    (void)state;
    struct rig *rig =
        rig_open(DISK("'files':{'a':'one'},'faults':[{'op':'open','nth':2,'error':'EIO'},{'op':'write','error':'EIO'},"
                                    "{'op':'remove','error':'EIO'},{'op':'rename','error':'EIO'}]"));
    uint64_t file = opened(rig, "a", APPEND);
    open_file(rig, "a", WRITE);
    write_file(rig, file, "x");
    save(rig, "a", "x");
    delete(rig, "a");
    move(rig, "a", "b");
    settle(rig);
    expect_file(rig, "a", "one");
    finish(rig);
    char *trace = rig_trace(rig);
    assert_null(strstr(trace, "file.left"));
    free(trace);
    rig_close(rig);
}

/* Counted as they are made: who is given up counts, who is refused does not. */
static void test_what_faults_count(void **state)
{
    (void)state;
    struct rig *rig = rig_open(DISK(SLOW ",'faults':[{'nth':3,'error':'EIO'}]"));
    uint64_t id = save(rig, "a", "1");
    rig->world->cancel(rig->world, id);
    save(rig, "/", "1");
    save(rig, "a", "12345");
    save(rig, "a", "");
    rig_expect(rig, "0ms #1 end ECANCELED\n0ms #2 end EINVAL\n1ms #4 end EIO\n6ms #3 end\n");
    rig_close(rig);
}

/* ---- Giving up ----------------------------------------------------------------------------- */

static void test_cancel_while_it_waits_for_the_disk(void **state)
{
    (void)state;
    struct rig *rig = rig_open(DISK(SLOW ",'parallel':1"));
    save(rig, "a", "1");
    uint64_t second = save(rig, "b", "1");
    save(rig, "c", "1");
    rig_run_until(rig, MS(1));
    rig->world->cancel(rig->world, second);
    rig_expect(rig, "1ms #2 end ECANCELED\n2ms #1 end\n4ms #3 end\n");
    list(rig, "");
    rig_expect(rig, "5ms #4 \"a\nc\n\" end 2\n");
    rig_close(rig);
}

static void test_cancel_while_it_is_at_work(void **state)
{
    (void)state;
    struct rig *rig = rig_open(DISK(SLOW ",'parallel':1,'files':{'a':'old'}"));
    uint64_t first = save(rig, "a", "new");
    load(rig, "a");
    rig_run_until(rig, MS(3));
    rig->world->cancel(rig->world, first);   /* its place is free at once */
    rig->world->cancel(rig->world, first);
    rig_expect(rig, "3ms #1 end ECANCELED\n7ms #2 \"old\" end\n");
    rig_expect_trace(rig,
                     "0ms file.start op=1 task=1 call=save path=a bytes=3\n"
                     "0ms file.start op=2 task=1 call=load path=a\n"
                          "3ms file.cancelled op=1\n7ms file.end op=2 rc=0 bytes=3\n");
    rig_close(rig);
}

static void test_cancel_when_it_has_happened(void **state)
{
    (void)state;
    struct rig *rig = rig_open(DISK(SLOW));
    uint64_t first = save(rig, "a", "new"), second = open_file(rig, "b", CREATE);
    rig->world->block(rig->world, MS(10));
    rig->world->cancel(rig->world, first);
    rig->world->cancel(rig->world, second);
    rig_expect(rig, "10ms #2 end\n10ms #1 end\n");
    expect_file(rig, "a", "new");
    rig_close(rig);
}

static void test_cancel_of_each_call_does_nothing(void **state)
{
    (void)state;
    struct rig *rig = rig_open(DISK(SLOW ",'files':{'a':'old','b':'x'}"));
    uint64_t r = opened(rig, "a", READ), w = opened(rig, "b", APPEND);
    uint64_t first = read_file(rig, r, 1);
    write_file(rig, w, "x");
    open_file(rig, "a", WRITE);
    open_file(rig, "new", CREATE);
    move(rig, "a", "c");
    delete(rig, "a");
    list(rig, "");
    load(rig, "a");
    uint64_t last = save(rig, "a", "new");
    uint64_t refused = save(rig, "..", "new");
    for (uint64_t id = first; id <= refused; id++)
        rig->world->cancel(rig->world, id);
    assert_int_equal(last - first, 8);
    rig->length = 0;
    rig_run_until(rig, INT64_MAX);
    assert_int_equal(rig->world->now(rig->world), MS(2));
    rig->log[rig->length] = '\0';
    int n = 0;
    for (char *at = rig->log; (at = strstr(at, "end ECANCELED\n")); at++)
        n++;
    assert_int_equal(n, 10);
    list(rig, "");
    read_file(rig, r, 9);
    load(rig, "b");
    rig_expect(rig, "3ms #13 \"a\nb\n\" end 2\n4ms #15 \"x\" end\n6ms #14 \"old\" end 3\n");
    rig_close(rig);
}

static void test_closing_the_world_at_any_time(void **state)
{
    (void)state;
    for (int ms = 0; ms < 8; ms++) {
        struct rig *rig =
            rig_open(DISK(SLOW ",'parallel':2,'files':{'a':'old'},'faults':[{'path':'zzz','error':'EIO'}]"));
        open_file(rig, "a", READ);
        save(rig, "b", "1234");
        load(rig, "a");
        list(rig, "");
        save(rig, "..", "x");
        struct world_completion out[1];
        rig->world->wait(rig->world, MS(ms), out, 1);
        rig->world->block(rig->world, MS(ms));
        rig_close(rig);
    }
}

/* ---- The trace ----------------------------------------------------------------------------- */

static void test_the_trace(void **state)
{
    (void)state;
    struct rig *rig = rig_open(DISK(SLOW ",'files':{'in/a':'one'}"));
    uint64_t file = opened(rig, "in/a", READ);
    read_file(rig, file, 100);
    settle(rig);
    close_file(rig, file);
    file = opened(rig, "out/b", CREATE);
    write_file(rig, file, "hello");
    settle(rig);
    close_file(rig, file);
    move(rig, "out/b", "out/c");
    delete(rig, "out/b");
    list(rig, "out/");
    read_file(rig, 99, 1);
    open_file(rig, "x", 9);
    settle(rig);
    rig_expect_trace(rig,
        "0ms file.start op=1 task=1 call=open path=in/a mode=read\n1ms file.end op=1 rc=0 bytes=0\n"
        "1ms file.start op=2 task=1 call=read path=in/a file=1\n5ms file.end op=2 rc=3 bytes=3\n"
        "5ms file.closed op=1\n"
        "5ms file.start op=4 task=1 call=open path=out/b mode=create\n6ms file.end op=4 rc=0 bytes=0\n"
        "6ms file.start op=5 task=1 call=write path=out/b file=4 bytes=5\n12ms file.end op=5 rc=0 bytes=5\n"
        "12ms file.closed op=4\n"
        "12ms file.start op=7 task=1 call=rename path=out/b to=out/c\n"
        "12ms file.start op=8 task=1 call=remove path=out/b\n12ms file.start op=9 task=1 call=list path=out/\n"
        "12ms file.start op=10 task=1 call=read path= file=99\n"
        "12ms file.start op=11 task=1 call=open path=x\n"
        "12ms file.end op=10 rc=-9 bytes=0\n12ms file.end op=11 rc=-22 bytes=0\n"
        "13ms file.end op=7 rc=0 bytes=0\n13ms file.end op=8 rc=-2 bytes=0\n13ms file.end op=9 rc=1 bytes=6\n");
    rig_close(rig);
}

static void test_files_that_are_left(void **state)
{
    (void)state;
    struct rig *rig = rig_open(DISK("'files':{'in/a':'one','in/b':'two','in/c':'three','in/d':'','in/e':'e'}"));
    finish(rig);
    rig_expect_trace(rig, "");
    uint64_t file = opened(rig, "out/z", WRITE);
    opened(rig, "out/empty", APPEND);
    opened(rig, "in/e", APPEND);   /* opened, and nothing written */
    opened(rig, "in/c", WRITE);
    write_file(rig, file, "zz");
    save(rig, "out/\xc3\xa4", "\xc3\xa4");
    move(rig, "in/a", "old/a");
    delete(rig, "in/b");
    save(rig, "gone", "x");
    delete(rig, "gone");
    load(rig, "in/d");
    settle(rig);
    finish(rig);
    char *trace = rig_trace(rig), *left = strstr(trace, "0ms file.left");
    assert_non_null(left);
    assert_string_equal(left, "0ms file.left path=in/c bytes=0 text=\n0ms file.left path=old/a bytes=3 text=one\n"
                              "0ms file.left path=out/empty bytes=0 text=\n0ms file.left path=out/z bytes=2 text=zz\n"
                              "0ms file.left path=out/\xc3\xa4 bytes=2 text=\xc3\xa4\n");
    free(trace);
    rig_close(rig);
}

static void expect_left(const char *bytes, size_t size, const char *expected)
{
    struct rig *rig = rig_open(DISK(""));
    ask(rig, (struct world_request){.call = WORLD_FILE_SAVE}, "a", "", bytes, size);
    settle(rig);
    finish(rig);
    trace_flush(rig->trace);
    static char text[100000];
    FILE *file = fopen(rig->trace_path, "r");
    size_t n = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[n] = '\0';
    char *left = strstr(text, "\"ev\":\"file.left\",");
    assert_non_null(left);
    left += strlen("\"ev\":\"file.left\",");
    if (expected) {
        assert_string_equal(left, expected);
    } else {
        size_t wanted = strlen("\"path\":\"a\",\"bytes\":65536,\"text\":\"\"}\n") + 65536;
        assert_int_equal(strlen(left), wanted);
    }
    rig_close(rig);
}

/* The hashes are from Python: FNV-1a, 64 bits. */
static void test_contents_that_are_left(void **state)
{
    (void)state;
    static char large[65538];
    memset(large, 'x', sizeof large);
    expect_left("a\0\"\n", 4, "\"path\":\"a\",\"bytes\":4,\"text\":\"a\\u0000\\\"\\n\"}\n");
    expect_left("\xf0\x9f\x98\x80", 4, "\"path\":\"a\",\"bytes\":4,\"text\":\"\xf0\x9f\x98\x80\"}\n");
    expect_left("\xff", 1, "\"path\":\"a\",\"bytes\":1,\"hash\":\"af64724c8602eb6e\"}\n");
    expect_left("\xed\xa0\x80", 3, "\"path\":\"a\",\"bytes\":3,\"hash\":\"5befa31b8ab04db8\"}\n");
    expect_left("\xc0\x80", 2, "\"path\":\"a\",\"bytes\":2,\"hash\":\"0abf8807b716a82d\"}\n");
    expect_left("abc\xc3", 4, "\"path\":\"a\",\"bytes\":4,\"hash\":\"fc17f883ee07bc18\"}\n");
    expect_left(large, 65536, NULL);
    expect_left(large, 65537, "\"path\":\"a\",\"bytes\":65537,\"hash\":\"f334641b60be1707\"}\n");
}

/* ---- The world file ------------------------------------------------------------------------ */

static void expect_refusal(const char *json, const char *expected)
{
    char path[256], error[400] = "";
    rig_file(path, json);
    struct co_world *world = world_virtual_open(path, 0, NULL, NULL, error, sizeof error);
    unlink(path);
    if (world)
        world->close(world);
    assert_string_equal(error[0] ? error + strlen(path) + 2 : "", expected);
    assert_int_equal(world == NULL, *expected != '\0');
}

static void test_refusals(void **state)
{
    (void)state;
    expect_refusal(WORLD("'disk':[]"), "/disk: expected an object, not []");
    expect_refusal(DISK("'size':1"),
                   "/disk/size: unknown key, expected one of latency, bandwidth, capacity, parallel, files, faults");
    expect_refusal(DISK("'fault':[]"), "/disk/fault: unknown key, did you mean \"faults\"?");
    expect_refusal(DISK("'latency':5"), "/disk/latency: expected a time such as \"300ms\", not 5");
    expect_refusal(DISK("'bandwidth':0"), "/disk/bandwidth: expected a whole number from 1, not 0");
    expect_refusal(DISK("'capacity':-1"), "/disk/capacity: expected a whole number from 0, not -1");
    expect_refusal(DISK("'parallel':0"), "/disk/parallel: expected a whole number from 1, not 0");
    expect_refusal(DISK("'files':[]"), "/disk/files: expected an object such as {\"in/a.txt\":\"text\"}, not []");
    expect_refusal(DISK("'files':{'/a':'x'}"), "/disk/files/~1a: expected a relative path such as \"in/a.txt\"");
    expect_refusal(DISK("'files':{'':'x'}"), "/disk/files/: expected a relative path such as \"in/a.txt\"");
    expect_refusal(DISK("'files':{'a/../b':'x'}"),
                   "/disk/files/a~1..~1b: expected a relative path such as \"in/a.txt\"");
    expect_refusal(DISK("'files':{'a\\nb':'x'}"), "/disk/files/a?b: expected a relative path such as \"in/a.txt\"");
    expect_refusal(DISK("'files':{'a':'x','b':7}"), "/disk/files/b: expected a text, not 7");
    expect_refusal(DISK("'files':{'a':'12345','b':'123456'},'capacity':10"),
                   "/disk/files: expected at most 10 bytes in all, the disk's capacity, not 11");
    expect_refusal(DISK("'files':{'a':'12345','b':'12345'},'capacity':10"), "");
    expect_refusal(DISK("'files':{'a':'\\u0000'}"), "");
    expect_refusal(DISK(""), "");
}

static void test_refusals_of_faults(void **state)
{
    (void)state;
#define NO_OP "expected open, read, write, rename, remove, list, load or save, not "
    expect_refusal(DISK("'faults':{}"), "/disk/faults: expected an array, not {}");
    expect_refusal(DISK("'faults':['EIO']"), "/disk/faults/0: expected an object, not \"EIO\"");
    expect_refusal(DISK("'faults':[{}]"), "/disk/faults/0/error: missing, expected EIO, ENOSPC, EACCES or ENOENT");
    expect_refusal(DISK("'faults':[{'error':'EPERM'}]"),
                   "/disk/faults/0/error: expected EIO, ENOSPC, EACCES or ENOENT, not \"EPERM\"");
    expect_refusal(DISK("'faults':[{'error':-5}]"),
                   "/disk/faults/0/error: expected EIO, ENOSPC, EACCES or ENOENT, not -5");
    expect_refusal(DISK("'faults':[{'error':'EIO'},{'op':'close','error':'EIO'}]"), "/disk/faults/1/op: "
                   NO_OP "\"close\"");
    expect_refusal(DISK("'faults':[{'op':3,'error':'EIO'}]"), "/disk/faults/0/op: " NO_OP "3");
    expect_refusal(DISK("'faults':[{'path':3,'error':'EIO'}]"), "/disk/faults/0/path: expected a text, not 3");
    expect_refusal(DISK("'faults':[{'nth':0,'error':'EIO'}]"),
                   "/disk/faults/0/nth: expected a whole number from 1, not 0");
    expect_refusal(DISK("'faults':[{'times':-1,'error':'EIO'}]"),
                   "/disk/faults/0/times: expected a whole number from 0, not -1");
    expect_refusal(DISK("'faults':[{'kind':'x','error':'EIO'}]"),
                   "/disk/faults/0/kind: unknown key, expected one of op, path, nth, error, times");
}

static void test_the_urls_of_a_world_with_a_disk(void **state)
{
    (void)state;
    char path[256], error[400] = "", **urls;
    rig_file(path,
             WORLD("'disk':{'files':{'a':'x'},'faults':[{'path':'a','error':'EIO'}]},"
                    "'sites':[{'url':'http://a.test',"
                   "'routes':[{'path':'/'}]}]"));
    assert_int_equal(world_file_urls(path, &urls, error, sizeof error), 1);
    assert_string_equal(urls[0], "http://a.test/");
    free(urls);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_latency_and_bytes),
        cmocka_unit_test(test_bytes_are_rounded_up),
        cmocka_unit_test(test_without_a_disk_in_the_file_nothing_takes_time),
        cmocka_unit_test(test_without_a_bandwidth_bytes_take_none),
        cmocka_unit_test(test_a_latency_beyond_all_time),
        cmocka_unit_test(test_calls_overlap),
        cmocka_unit_test(test_so_many_at_a_time_in_order),
        cmocka_unit_test(test_one_after_another),
        cmocka_unit_test(test_open_to_read),
        cmocka_unit_test(test_open_to_write_empties),
        cmocka_unit_test(test_open_to_append),
        cmocka_unit_test(test_open_to_create),
        cmocka_unit_test(test_not_open),
        cmocka_unit_test(test_many_openings),
        cmocka_unit_test(test_nobody_sees_half_a_write),
        cmocka_unit_test(test_an_end_at_the_same_instant_comes_in_the_order_asked_for),
        cmocka_unit_test(test_a_busy_loop_gets_what_was_there_then),
        cmocka_unit_test(test_two_writers),
        cmocka_unit_test(test_a_gap_is_filled_with_zeros),
        cmocka_unit_test(test_large_contents),
        cmocka_unit_test(test_rename_replaces_in_one_step),
        cmocka_unit_test(test_rename),
        cmocka_unit_test(test_removed_and_replaced_files_stay_open),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_what_is_no_path),
        cmocka_unit_test(test_unknown_calls_and_modes),
        cmocka_unit_test(test_a_full_disk),
        cmocka_unit_test(test_a_disk_without_room),
        cmocka_unit_test(test_faults_strike_the_nth_call),
        cmocka_unit_test(test_faults_of_each_call),
        cmocka_unit_test(test_the_paths_of_faults),
        cmocka_unit_test(test_a_fault_changes_nothing),
        cmocka_unit_test(test_what_faults_count),
        cmocka_unit_test(test_cancel_while_it_waits_for_the_disk),
        cmocka_unit_test(test_cancel_while_it_is_at_work),
        cmocka_unit_test(test_cancel_when_it_has_happened),
        cmocka_unit_test(test_cancel_of_each_call_does_nothing),
        cmocka_unit_test(test_closing_the_world_at_any_time),
        cmocka_unit_test(test_the_trace),
        cmocka_unit_test(test_files_that_are_left),
        cmocka_unit_test(test_contents_that_are_left),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_refusals_of_faults),
        cmocka_unit_test(test_the_urls_of_a_world_with_a_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
