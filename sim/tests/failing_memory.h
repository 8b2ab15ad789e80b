/* failing_memory.h - an allocator of which the n-th call fails, and that counts what is in use. It stands in the place
 * of the C library's in the one program that includes it (after check.h); not under sanitizers, which have one of their
 * own. */
#ifndef FAILING_MEMORY_H
#define FAILING_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void __libc_free(void *block);

static long left = -1;                  /* allocations until one fails; below 0: none will */
static long blocks;                     /* that are in use */

static bool fails(void)
{
    return left >= 0 && left-- == 0;
}

void *malloc(size_t size)
{
    void *block = fails() ? NULL : __libc_malloc(size);
    blocks += block != NULL;
    return block;
}

void *calloc(size_t n, size_t size)
{
    void *block = fails() ? NULL : __libc_calloc(n, size);
    blocks += block != NULL;
    return block;
}

void *realloc(void *old, size_t size)
{
    void *block = fails() ? NULL : __libc_realloc(old, size);
    blocks += block && !old;
    return block;
}

void free(void *block)
{
    blocks -= block != NULL;
    __libc_free(block);
}

/* The n-th allocation of a run fails, for every n that it reaches, and nothing is left of any run. job(n), its main
 * task, says whether it was reached; so many n are, least to most. */
static void each_allocation_fails(int (*job)(void *), const char *world, int least, int most)
{
    if (UNDER_VALGRIND)
        skip();                         /* it has an allocator of its own, too */
    char path[64];
    write_temp(path, world);
    board_clear();
    int n = 0, reached = 1;
    for (; n <= most && reached == 1; n++) {
        long before = blocks;
        reached = co_run(job, MSEC(n), (&(struct co_options){.world_file = path}));
        if (n > 0)                      /* the first run may keep something for good: buffers, caches */
            assert_int_equal(blocks, before);
    }
    unlink(path);
    assert_int_equal(reached, 0);
    assert_int_equal(board->failures, 0);
    assert_in_range(n, least, most);
}

#endif
