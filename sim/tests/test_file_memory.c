/* test_file_memory.c - files and pools when memory runs out: the n-th allocation fails, for every n that a program
 * reaches. Each call says -ENOMEM and has done nothing; nothing is left open, nothing lost, nothing freed twice. */
#include "check.h"

#if UNDER_ASAN || UNDER_TSAN

int main(void)
{
    return 0;                           /* they have an allocator of their own */
}

#else

#include "failing_memory.h"

static const char disk[] =
    "{\"world\":\"looplab/world/v1\",\"disk\":{\"latency\":\"1ms\",\"parallel\":2,\"files\":{\"in/a\":\"hello\"}}}";

static int refused;                     /* calls that failed in this run */

/* Notes whether a call failed, and that it did so for want of memory. */
static bool ok(int rc)
{
    expect(rc >= 0 || rc == -ENOMEM);
    refused += rc < 0;
    return rc >= 0;
}

static int works(void *job)
{
    co_cpu(CO_MS(1));
    return (int)(intptr_t)job;
}

static char large[1000];

static void uses_files(void)
{
    char buffer[16], *content, *paths;
    size_t length;
    CO_FILE(in);
    CO_FILE(out);
    CO_POOL(pool, 2);
    if (ok(co_file_open(&in, "in/a", CO_READ)) && ok(co_file_read(&in, buffer, sizeof buffer)))
        expect(memcmp(buffer, "hello", 5) == 0);
    if (ok(co_file_open(&out, "out/a", CO_CREATE))) {
        size_t size = 0;
        for (int i = 0; i < 3; i++)
            if (ok(co_file_write(&out, large, sizeof large)))
                size += sizeof large;
        if (ok(co_file_load("out/a", &content, &length))) {
            expect_is(length, size);
            free(content);
        }
    }
    bool saved = ok(co_file_save("x", large, sizeof large)), again = saved && ok(co_file_save("x", "y", 1));
    if (saved && ok(co_file_load("x", &content, &length))) {
        expect_is(length, again ? 1 : sizeof large);
        free(content);
    }
    bool moved = saved && ok(co_file_rename("x", "z"));
    if (ok(co_file_list("", &paths))) {
        expect_is(strstr(paths, "z\n") != NULL, moved);
        expect_is(strstr(paths, "x\n") != NULL, saved && !moved);
        free(paths);
    }
    if (saved)
        (void)ok(co_file_remove(moved ? "z" : "x"));
    (void)ok(co_pool_run(&pool, works, MSEC(1)));
}

static int with_a_failure(void *job)
{
    long n = (intptr_t)job;
    refused = 0;
    left = n;
    uses_files();
    bool reached = left < 0;
    left = -1;
    expect_is(refused > 0, reached);    /* a failed allocation is never hidden */
    return reached;
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    each_allocation_fails(with_a_failure, disk, 20, 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("file_memory", tests, NULL, NULL);
}

#endif
