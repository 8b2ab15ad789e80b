/* stack.c - the stacks that tasks run on.
 *
 * Stacks are mapped in slabs, many at a time. Only pages that a task touches take memory, so the size is
 * an upper limit and not a cost. Three things make them cheap:
 *  - The pool is a LIFO: the stack used last is still in the cache.
 *  - A stack and its guard page together are an odd number of pages, and the tops are staggered by cache
 *    lines: tops at equal distances would all fall into the same few sets of the TLB and the caches.
 *  - The guard is made with MADV_GUARD_INSTALL where the kernel has it (Linux 6.13). With mprotect every guard
 *    splits a mapping in two, and a process may have 65,530 mappings: near 32,000 tasks there are no more. The
 *    stacks beyond that limit have a canary instead of a guard, looked at when the task is left.
 */
#define _GNU_SOURCE
#include "runtime/switch/stack.h"

#include "runtime/switch/fiber.h"
#include "runtime/switch/valgrind.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef CO_ASAN
#define UNPOISON(base, bytes) __asan_unpoison_memory_region((base), (bytes))
#else
#define UNPOISON(base, bytes) ((void)(base), (void)(bytes))
#endif

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

#if defined __linux__ && !defined MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

enum {
    FIRST_SLAB = 8,             /* stacks in the first slab; each slab is twice the last...   */
    LARGEST_SLAB = 1024,        /* ...up to this many                                         */
    COLOURS = 16,               /* different tops, a cache line apart                         */
    CACHE_LINE = 64,
    MPROTECT_GUARDS = 30000,    /* how many guards mprotect may make before mappings run out  */
};

static const uint64_t CANARY = 0x5afe57ac5afe57acULL;

/* One mapping. */
struct slab {
    struct slab *next;
    char *base;
    size_t bytes;
    size_t count;
};

/* Does MADV_GUARD_INSTALL really guard? qemu's user mode, for one, says yes and does nothing: so a system
 * call is asked to read the page. rt_sigprocmask does, answers EFAULT for a guard, and does nothing else
 * with a page of zeros: it blocks no signal. Valgrind reads what a system call reads, and would itself be hit. */
static bool light_guards_work(size_t page)
{
#ifdef __linux__
    if (on_valgrind())
        return false;
    void *probe = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (probe == MAP_FAILED)
        return false;
    bool works = madvise(probe, page, MADV_GUARD_INSTALL) == 0
              && syscall(SYS_rt_sigprocmask, SIG_BLOCK, probe, NULL, sizeof(uint64_t)) != 0;
    munmap(probe, page);
    return works;
#else
    (void)page;
    return false;
#endif
}

void stack_pool_init(struct stack_pool *pool, size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t pages = (size + page - 1) / page;
    pages += pages % 2;         /* even, so that with the guard it is odd */
    if (pages < 4)
        pages = 4;
    *pool = (struct stack_pool){.size = pages * page, .page = page, .next_slab = FIRST_SLAB,
                                .light_guards = light_guards_work(page)};
}

static void make_guard(struct stack_pool *pool, struct stack *stack, char *guard)
{
    stack->guarded = (pool->light_guards && madvise(guard, pool->page, MADV_GUARD_INSTALL) == 0)
                  || (pool->made < MPROTECT_GUARDS && mprotect(guard, pool->page, PROT_NONE) == 0);
    if (!stack->guarded) {
        *(uint64_t *)(void *)stack->low = CANARY;
        pool->canaries = true;
    }
}

/* The page at the top is written to at once: asked for, it costs a fifth of what finding it missing does on a virtual
 * machine, and as much on others. Kernels before 5.14 know nothing of this, and find it missing. */
static void have_top(const struct stack_pool *pool, char *top)
{
#ifdef MADV_POPULATE_WRITE
    madvise(top - pool->page, pool->page, MADV_POPULATE_WRITE);
#else
    (void)pool, (void)top;
#endif
}

/* Makes the stack number `i` of a slab, and puts it into the pool. */
static void make_stack(struct stack_pool *pool, struct slab *slab, size_t i)
{
    char *guard = slab->base + i * (pool->size + pool->page);
    char *low = guard + pool->page;
    have_top(pool, low + pool->size);
    size_t colour = pool->made % COLOURS;
    struct stack *stack = (struct stack *)(void *)(low + pool->size - colour * CACHE_LINE) - 1;
    stack = (struct stack *)((uintptr_t)stack & ~(uintptr_t)15);
    stack->low = low;
    stack->size = (size_t)((char *)stack - low);
    stack->used = false;
    stack->valgrind = valgrind_stack(low, (char *)(stack + 1));
    make_guard(pool, stack, guard);
    pool->made++;
    stack_return(pool, stack);
}

int stack_pool_grow(struct stack_pool *pool)
{
    struct slab *slab = malloc(sizeof *slab);
    if (!slab)
        return -ENOMEM;
    slab->count = pool->next_slab;
    slab->bytes = slab->count * (pool->size + pool->page);
    slab->base = mmap(NULL, slab->bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (slab->base == MAP_FAILED) {
        free(slab);
        return -ENOMEM;
    }
#ifdef MADV_NOHUGEPAGE
    madvise(slab->base, slab->bytes, MADV_NOHUGEPAGE);  /* a huge page under each top would cost 2 MiB a task */
#endif
    slab->next = pool->slabs;
    pool->slabs = slab;
    for (size_t i = slab->count; i-- > 0;)              /* so that the lowest is handed out first */
        make_stack(pool, slab, i);
    if (pool->next_slab < LARGEST_SLAB)
        pool->next_slab *= 2;
    return 0;
}

void stack_pool_free(struct stack_pool *pool)
{
    for (struct stack *stack = pool->free; stack; stack = stack->next) {
        valgrind_no_stack(stack->valgrind);
        if (stack->used)                        /* who gets this memory next knows nothing of stacks */
            UNPOISON(stack->low, stack->size);
    }
    for (struct slab *slab = pool->slabs, *next; slab; slab = next) {
        next = slab->next;
        munmap(slab->base, slab->bytes);
        free(slab);
    }
    pool->free = NULL;
    pool->slabs = NULL;
}

bool stack_overflowed(const struct stack_pool *pool, const struct stack *stack, const void *addr)
{
    const char *at = addr;
    return stack->guarded && at < stack->low && at >= stack->low - pool->page;
}

bool stack_canary_dead(const struct stack *stack)
{
    return !stack->guarded && *(const uint64_t *)(const void *)stack->low != CANARY;
}
