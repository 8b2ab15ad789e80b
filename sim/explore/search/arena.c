/* arena.c - malloc and its kin for an explorer's build (arena.h). */
#define _GNU_SOURCE
#include "explore/search/arena.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { REGIONS = 1024, ALIGNMENT = 16, FILL = 0xa5 };
static const size_t REGION = (size_t)64 << 20;

/* In front of each block. */
struct block { size_t size, unused; };

struct arena {
    char *base;
    uint32_t region;
    bool kept;                      /* arena_keep was called                                */
    size_t kept_bytes, most, given, refused;
    uint32_t touched_n;
    uint16_t touched[REGIONS];      /* the regions of which something is used, but the first */
    size_t used[REGIONS];
};

/* It lies at the beginning of what it manages, and is never moved. */
static struct arena *arena;

static bool open_arena(void)
{
    char *base = mmap(NULL, REGIONS * REGION, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                      -1, 0);
    char *record = mmap(NULL, sizeof *arena, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED || record == MAP_FAILED)
        return false;
    arena = (struct arena *)(void *)record;
    arena->base = base;
    return true;
}

uint32_t arena_use(uint32_t process)
{
    uint32_t before = arena->region;
    arena->region = process == 0 ? 0 : 1 + process % (REGIONS - 1);
    return before;
}

void arena_keep(size_t most)
{
    arena->kept = true;
    arena->given = 0;
    arena->kept_bytes = arena->used[0];
    arena->most = most;
}

void arena_reset(void)
{
    arena->used[0] = arena->kept_bytes;
    for (; arena->touched_n > 0; arena->touched_n--)
        arena->used[arena->touched[arena->touched_n - 1]] = 0;
    arena->refused = arena->given = 0;
}

void *arena_kept(size_t *size)
{
    *size = arena->kept_bytes;
    return arena->base;
}

size_t arena_refused(void)
{
    return arena->refused;
}

static void *refuse(size_t size)
{
    if (arena && size > arena->refused)
        arena->refused = size;
    errno = ENOMEM;
    return NULL;
}

/* A block whose address is a multiple of `alignment`, filled with FILL: what nobody wrote is the same in each run. */
static void *take(size_t alignment, size_t size, bool fill)
{
    if (!arena && !open_arena())
        return refuse(size);
    size_t *used = &arena->used[arena->region];
    if (alignment < ALIGNMENT)
        alignment = ALIGNMENT;
    size_t begin = (*used + sizeof(struct block) + alignment - 1) & ~(alignment - 1);
    size_t whole = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (whole < size || begin > REGION || whole > REGION - begin || (arena->kept && arena->given + whole > arena->most))
        return refuse(size);
    if (*used == 0 && arena->region)
        arena->touched[arena->touched_n++] = (uint16_t)arena->region;
    *used = begin + whole;
    arena->given += whole;
    char *at = arena->base + arena->region * REGION + begin;
    ((struct block *)(void *)at - 1)->size = size;
    if (fill && arena->kept)
        memset(at, FILL, size);
    return at;
}

static size_t size_of(const void *block)
{
    return ((const struct block *)block - 1)->size;
}

/* ---- What the C library promises --------------------------------------------------------------- */

void *malloc(size_t size)
{
    return take(ALIGNMENT, size, true);
}

void free(void *block)
{
    (void)block;
}

void *calloc(size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes))
        return refuse(SIZE_MAX);
    void *block = take(ALIGNMENT, bytes, false);
    return block ? memset(block, 0, bytes) : NULL;
}

void *realloc(void *block, size_t size)
{
    if (!block)
        return malloc(size);
    size_t before = size_of(block);
    if (size == 0)
        return NULL;
    void *moved = take(ALIGNMENT, size, true);
    if (moved)
        memcpy(moved, block, before < size ? before : size);
    return moved;
}

void *reallocarray(void *block, size_t n, size_t size)
{
    size_t bytes;
    return __builtin_mul_overflow(n, size, &bytes) ? refuse(SIZE_MAX) : realloc(block, bytes);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return take(alignment, size, true);
}

void *memalign(size_t alignment, size_t size)
{
    return take(alignment, size, true);
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
    void *taken = take(alignment, size, true);
    if (!taken)
        return ENOMEM;
    *block = taken;
    return 0;
}

size_t malloc_usable_size(void *block)
{
    return block ? size_of(block) : 0;
}
