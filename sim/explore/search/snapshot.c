/* snapshot.c - what a run may change is copied, and copied back (snapshot.h). */
#define _GNU_SOURCE
#include "explore/search/snapshot.h"

#include "explore/search/arena.h"
#include "runtime/switch/stack.h"

#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PARTS = 256, PAGE = 4096, LARGE = 8 * PAGE, PAGES_MOST = 1 << 16 };
static const size_t STACKS = (size_t)16 << 30;

/* A piece of memory, and what was in it. */
struct part { char *at; size_t size; char *copy; bool watched; };

struct snapshot {
    size_t n, bytes, stacks_used;
    struct part parts[PARTS];
    uint32_t pages_n;                   /* of watched parts, those that were written to */
    struct part pages[PAGES_MOST];
};

/* ---- Tasks' stacks: mmap for them takes from one piece -------------------------------------------- */

static struct { char *base; size_t used; } stacks;

void *__real_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);

void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    if (!(flags & MAP_STACK))
        return __real_mmap(at, size, protection, flags, fd, offset);
    if (!stacks.base) {
        char *base = __real_mmap(NULL, STACKS, protection, flags, -1, 0);
        if (base == MAP_FAILED)
            return MAP_FAILED;
        stacks.base = base;
    }
    if (size > STACKS - stacks.used)
        return MAP_FAILED;
    char *taken = stacks.base + stacks.used;
    stacks.used += size;
    return taken;
}

int __real_munmap(void *at, size_t size);
int __wrap_munmap(void *at, size_t size);

int __wrap_munmap(void *at, size_t size)
{
    return snapshot_is_stack(at) ? 0 : __real_munmap(at, size);
}

bool snapshot_is_stack(const void *at)
{
    return stacks.base && (size_t)((const char *)at - stacks.base) < STACKS;
}

size_t snapshot_stack(const void *at, size_t each)
{
    return (size_t)((const char *)at - stacks.base) / each;
}

/* ---- Taking it -------------------------------------------------------------------------------- */

static void add(struct snapshot *snapshot, char *at, size_t size)
{
    if (size == 0 || snapshot->n == PARTS)
        return;
    snapshot->parts[snapshot->n++] = (struct part){at, size, NULL, false};
    snapshot->bytes += (size + 15) & ~(size_t)15;
}

/* The data of a program or library: what it may write to but for the part that was made read-only when it was linked.
 * The dynamic linker's own stays as it is. */
static int add_object(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    uintptr_t fixed_low = 0, fixed_high = 0;
    if (strstr(info->dlpi_name, "/ld-") || strstr(info->dlpi_name, "linux-vdso"))
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_GNU_RELRO) {
            fixed_low = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            fixed_high = (fixed_low + info->dlpi_phdr[i].p_memsz) & ~(uintptr_t)(sysconf(_SC_PAGESIZE) - 1);
        }
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        uintptr_t low = info->dlpi_addr + part->p_vaddr, high = low + part->p_memsz;
        if (part->p_type == PT_TLS && info->dlpi_tls_data)
            add(arg, info->dlpi_tls_data, part->p_memsz);
        if (part->p_type != PT_LOAD || !(part->p_flags & PF_W))
            continue;
        if (fixed_low >= low && fixed_low < high) {
            add(arg, (char *)low, fixed_low - low);
            low = fixed_high < high ? fixed_high : high;
        }
        add(arg, (char *)low, high - low);
    }
    return 0;
}

extern void *__libc_stack_end;

struct snapshot *snapshot_take(const struct loop *loop, const void *stack)
{
    struct snapshot *snapshot = __real_mmap(NULL, sizeof *snapshot, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                                            -1, 0);
    if (snapshot == MAP_FAILED)
        return NULL;
    size_t size;
    char *kept = arena_kept(&size);
    add(snapshot, kept, size);
    add(snapshot, (char *)stack, (size_t)((char *)__libc_stack_end - (const char *)stack));
    for (struct stack *record = loop->stacks.free; record; record = record->next)
        add(snapshot, (char *)record, sizeof *record);
    dl_iterate_phdr(add_object, snapshot);
    snapshot->stacks_used = stacks.used;
    char *copy = __real_mmap(NULL, snapshot->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (copy == MAP_FAILED || snapshot->n == PARTS)
        return NULL;
    for (size_t i = 0; i < snapshot->n; i++) {
        struct part *part = &snapshot->parts[i];
        part->copy = copy;
        copy += (part->size + 15) & ~(size_t)15;
        memcpy(part->copy, part->at, part->size);
    }
    return snapshot;
}

/* ---- Watching ----------------------------------------------------------------------------------- */

/* The whole pages of a part. */
static size_t whole_pages(const struct part *part, char **begin)
{
    uintptr_t low = ((uintptr_t)part->at + PAGE - 1) & ~(uintptr_t)(PAGE - 1);
    uintptr_t high = ((uintptr_t)part->at + part->size) & ~(uintptr_t)(PAGE - 1);
    *begin = (char *)low;
    return high > low ? high - low : 0;
}

/* A piece of a part is copied back from now on. */
static bool add_page(struct snapshot *snapshot, const struct part *part, char *at, size_t size)
{
    if (size == 0)
        return true;
    if (snapshot->pages_n == PAGES_MOST)
        return false;
    snapshot->pages[snapshot->pages_n++] = (struct part){at, size, part->copy + (at - part->at), false};
    return true;
}

void snapshot_watch(struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->n; i++) {
        struct part *part = &snapshot->parts[i];
        char *begin, *end = part->at + part->size;
        size_t size = whole_pages(part, &begin);
        bool is_stack = (const char *)__libc_stack_end >= part->at && (const char *)__libc_stack_end <= end;
        if (part->size < LARGE || is_stack || sysconf(_SC_PAGESIZE) != PAGE || mprotect(begin, size, PROT_READ) != 0)
            continue;
        part->watched = true;
        add_page(snapshot, part, part->at, (size_t)(begin - part->at));
        add_page(snapshot, part, begin + size, (size_t)(end - begin) - size);
    }
}

bool snapshot_written(struct snapshot *snapshot, const void *at)
{
    char *page = (char *)((uintptr_t)at & ~(uintptr_t)(PAGE - 1));
    for (size_t i = 0; i < snapshot->n; i++) {
        const struct part *part = &snapshot->parts[i];
        char *begin;
        size_t size = whole_pages(part, &begin);
        if (part->watched && page >= begin && page < begin + size)
            return mprotect(page, PAGE, PROT_READ | PROT_WRITE) == 0 && add_page(snapshot, part, page, PAGE);
    }
    return false;
}

void snapshot_restore(const struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->n; i++)
        if (!snapshot->parts[i].watched)
            memcpy(snapshot->parts[i].at, snapshot->parts[i].copy, snapshot->parts[i].size);
    for (uint32_t i = 0; i < snapshot->pages_n; i++)
        memcpy(snapshot->pages[i].at, snapshot->pages[i].copy, snapshot->pages[i].size);
    stacks.used = snapshot->stacks_used;
    arena_reset();
}
