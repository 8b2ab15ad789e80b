/* memory.c - what the compiler's thread-sanitizer calls tell, and the functions of the C library that read and write
 * memory in the program's stead. libtsan is never linked: these are its names, and ours is all there is behind them.
 */
#define _GNU_SOURCE
#include "explore/search/search.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HERE CALLER

static void tell_lost(uint64_t granule, const void *pc, uint64_t value)
{
    struct lost_update update;
    uint32_t step = search->instant.steps_n - 1, read_step;
    if (!lost_write(&search->lost, granule, search->current, step, pc, value, &update, &read_step))
        return;
    update.waited_at = search->instant.steps[read_step].waits_at;
    struct finding *finding = run_finding(WRONG_LOST, 0, update.wrote_at, "");
    if (finding && finding->orders == 0)
        finding->lost = update;
    run_find(WRONG_LOST, 0, update.wrote_at, "");
}

static void note(const void *at, size_t size, bool writes, const void *pc)
{
    if (!search || !search->in_step)
        return;
    explore_touch(writes ? TOUCH_WRITE : TOUCH_READ, at, size);
    if (size < 2 || size > 8)
        return;                         /* a flag is set, not counted up */
    uint64_t value = 0, granule = run_canonical(at);
    search->looks_at = pc;              /* should it be no address at all, that is the program's fault, there */
    memcpy(&value, at, size);
    search->looks_at = NULL;
    if (writes)
        tell_lost(granule, pc, value);
    else
        lost_read(&search->lost, granule, search->current, search->instant.steps_n - 1, pc, value);
}

static void note_range(const void *at, size_t size, bool writes)
{
    if (size > 0)
        explore_touch(writes ? TOUCH_WRITE : TOUCH_READ, at, size);
}

/* ---- What the compilers call ----------------------------------------------------------------------- */

#define SIZED(size) \
    void __tsan_read##size(void *at); \
    void __tsan_write##size(void *at); \
    void __tsan_unaligned_read##size(void *at); \
    void __tsan_unaligned_write##size(void *at); \
    void __tsan_read_write##size(void *at); \
    void __tsan_volatile_read##size(void *at); \
    void __tsan_volatile_write##size(void *at); \
    void __tsan_unaligned_volatile_read##size(void *at); \
    void __tsan_unaligned_volatile_write##size(void *at); \
    void __tsan_read##size(void *at) { note(at, size, false, HERE); } \
    void __tsan_write##size(void *at) { note(at, size, true, HERE); } \
    void __tsan_unaligned_read##size(void *at) { note(at, size, false, HERE); } \
    void __tsan_unaligned_write##size(void *at) { note(at, size, true, HERE); } \
    void __tsan_read_write##size(void *at) { note(at, size, false, HERE), note(at, size, true, HERE); } \
    void __tsan_volatile_read##size(void *at) { note(at, size, false, HERE); } \
    void __tsan_volatile_write##size(void *at) { note(at, size, true, HERE); } \
    void __tsan_unaligned_volatile_read##size(void *at) { note(at, size, false, HERE); } \
    void __tsan_unaligned_volatile_write##size(void *at) { note(at, size, true, HERE); }
SIZED(1)
SIZED(2)
SIZED(4)
SIZED(8)
SIZED(16)

void __tsan_init(void);
void __tsan_func_entry(void *from);
void __tsan_func_exit(void);
void __tsan_read_range(void *at, unsigned long size);
void __tsan_write_range(void *at, unsigned long size);
void __tsan_vptr_update(void **at, void *value);

void __tsan_init(void) {}
void __tsan_func_entry(void *from) { (void)from; }
void __tsan_func_exit(void) {}
void __tsan_read_range(void *at, unsigned long size) { note_range(at, size, false); }
void __tsan_write_range(void *at, unsigned long size) { note_range(at, size, true); }
void __tsan_vptr_update(void **at, void *value) { (void)value, note(at, sizeof *at, true, HERE); }

/* Atomics are plain here: one task runs at a time. */
#define ATOMIC(bits, type) \
    type __tsan_atomic##bits##_load(const volatile type *at, int order); \
    void __tsan_atomic##bits##_store(volatile type *at, type value, int order); \
    type __tsan_atomic##bits##_exchange(volatile type *at, type value, int order); \
    type __tsan_atomic##bits##_fetch_add(volatile type *at, type value, int order); \
    type __tsan_atomic##bits##_fetch_sub(volatile type *at, type value, int order); \
    type __tsan_atomic##bits##_fetch_and(volatile type *at, type value, int order); \
    type __tsan_atomic##bits##_fetch_or(volatile type *at, type value, int order); \
    type __tsan_atomic##bits##_fetch_xor(volatile type *at, type value, int order); \
    int __tsan_atomic##bits##_compare_exchange_strong(volatile type *at, type *old, type new, int order, int or_else); \
    int __tsan_atomic##bits##_compare_exchange_weak(volatile type *at, type *old, type new, int order, int or_else); \
    type __tsan_atomic##bits##_load(const volatile type *at, int order) \
    { \
        (void)order; \
        note((const void *)at, sizeof *at, false, HERE); \
        return *at; \
    } \
    void __tsan_atomic##bits##_store(volatile type *at, type value, int order) \
    { \
        (void)order; \
        note((const void *)at, sizeof *at, true, HERE); \
        *at = value; \
    } \
    static type swap##bits(volatile type *at, type value, const void *pc) \
    { \
        type before = *at; \
        note((const void *)at, sizeof *at, false, pc); \
        note((const void *)at, sizeof *at, true, pc); \
        *at = value; \
        return before; \
    } \
    type __tsan_atomic##bits##_exchange(volatile type *at, type value, int order) \
    { \
        return (void)order, swap##bits(at, value, HERE); \
    } \
    type __tsan_atomic##bits##_fetch_add(volatile type *at, type value, int order) \
    { \
        return (void)order, swap##bits(at, (type)(*at + value), HERE); \
    } \
    type __tsan_atomic##bits##_fetch_sub(volatile type *at, type value, int order) \
    { \
        return (void)order, swap##bits(at, (type)(*at - value), HERE); \
    } \
    type __tsan_atomic##bits##_fetch_and(volatile type *at, type value, int order) \
    { \
        return (void)order, swap##bits(at, (type)(*at & value), HERE); \
    } \
    type __tsan_atomic##bits##_fetch_or(volatile type *at, type value, int order) \
    { \
        return (void)order, swap##bits(at, (type)(*at | value), HERE); \
    } \
    type __tsan_atomic##bits##_fetch_xor(volatile type *at, type value, int order) \
    { \
        return (void)order, swap##bits(at, (type)(*at ^ value), HERE); \
    } \
    int __tsan_atomic##bits##_compare_exchange_strong(volatile type *at, type *old, type new, int order, int or_else) \
    { \
        (void)order, (void)or_else; \
        bool same = *at == *old; \
        *old = same ? swap##bits(at, new, HERE) : swap##bits(at, *at, HERE); \
        return same; \
    } \
    int __tsan_atomic##bits##_compare_exchange_weak(volatile type *at, type *old, type new, int order, int or_else) \
    { \
        return __tsan_atomic##bits##_compare_exchange_strong(at, old, new, order, or_else); \
    }
ATOMIC(8, uint8_t)
ATOMIC(16, uint16_t)
ATOMIC(32, uint32_t)
ATOMIC(64, uint64_t)

void __tsan_atomic_thread_fence(int order);
void __tsan_atomic_signal_fence(int order);
void __tsan_atomic_thread_fence(int order) { (void)order; }
void __tsan_atomic_signal_fence(int order) { (void)order; }
