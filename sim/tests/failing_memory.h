/* failing_memory.h - an allocator of which the n-th call fails, and that counts what is in use. It stands in the place
 * of the C library's in the one program that includes it; not under sanitizers, which have one of their own. */
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

#endif
