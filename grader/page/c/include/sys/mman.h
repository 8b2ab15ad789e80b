/* mman.h - memory, as the runtime asks for it. Nothing guards a page: instrument.js looks at each step of the stack
 * pointer. */
#ifndef PAGE_MMAN_H
#define PAGE_MMAN_H

#include <stdlib.h>

#define PROT_NONE 0
#define PROT_READ 1
#define PROT_WRITE 2
#define MAP_PRIVATE 2
#define MAP_ANONYMOUS 32
#define MAP_NORESERVE 16384
#define MAP_STACK 131072
#define MAP_FAILED ((void *)-1)

static inline void *mmap(void *at, size_t size, int protection, int flags, int fd, long offset)
{
    enum { PAGE = 4096 };
    (void)at, (void)protection, (void)flags, (void)fd, (void)offset;
    void *memory = aligned_alloc(PAGE, (size + PAGE - 1) / PAGE * PAGE);
    return memory ? memory : MAP_FAILED;
}

static inline int munmap(void *at, size_t size)
{
    (void)size;
    free(at);
    return 0;
}

static inline int mprotect(void *at, size_t size, int protection)
{
    (void)at, (void)size, (void)protection;
    return 0;
}

static inline int madvise(void *at, size_t size, int advice)
{
    (void)at, (void)size, (void)advice;
    return -1;
}

#endif
