/* fiber.h - telling the sanitizers that the stack changes. In an ordinary build all of it is empty.
 *
 * ASan: sanitizer/common_interface_defs.h (start/finish_switch_fiber); TSan: sanitizer/tsan_interface.h. valgrind
 * is told of each stack once, in stack.c.
 */
#ifndef FIBER_H
#define FIBER_H

#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CO_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define CO_TSAN 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define CO_ASAN 1
#endif
#ifdef __SANITIZE_THREAD__
#define CO_TSAN 1
#endif

#ifdef CO_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef CO_TSAN
#include <sanitizer/tsan_interface.h>
#endif

/* What a sanitizer knows of one flow. */
struct fiber {
#ifdef CO_ASAN
    void *fake_stack;           /* ASan's own, while the flow does not run */
    const void *bottom;         /* the lowest address of its stack         */
    size_t size;
#endif
#ifdef CO_TSAN
    void *tsan;                 /* TSan's name for it                      */
#endif
    char unused;                /* an empty struct is no C                 */
};

/* A flow's stack begins a new life (`low`..`low + size`). */
static inline void fiber_begin(struct fiber *f, void *low, size_t size)
{
    (void)f, (void)low, (void)size;
#ifdef CO_ASAN
    f->fake_stack = NULL;
    f->bottom = low;
    f->size = size;
    __asan_unpoison_memory_region(low, size);   /* what the last user's frames left behind */
#endif
#ifdef CO_TSAN
    f->tsan = __tsan_create_fiber(0);
#endif
}

/* Just before a switch away from `from`; `ends`: it will never run again. */
static inline void fiber_leave(struct fiber *from, struct fiber *to, int ends)
{
    (void)from, (void)to, (void)ends;
#ifdef CO_ASAN
    __sanitizer_start_switch_fiber(ends ? NULL : &from->fake_stack, to->bottom, to->size);
#endif
#ifdef CO_TSAN
    __tsan_switch_to_fiber(to->tsan, 0);
#endif
}

/* Just after `self` was switched to. `thread`: the flow of the thread itself, whose stack only ASan knows;
 * from_thread: it is the one that was left. */
static inline void fiber_arrive(struct fiber *self, struct fiber *thread, int from_thread)
{
    (void)self, (void)thread, (void)from_thread;
#ifdef CO_ASAN
    const void *bottom;
    size_t size;
    __sanitizer_finish_switch_fiber(self->fake_stack, &bottom, &size);
    if (from_thread) {
        thread->bottom = bottom;
        thread->size = size;
    }
#endif
}

/* The flow has ended and was left for good. */
static inline void fiber_end(struct fiber *f)
{
    (void)f;
#ifdef CO_TSAN
    __tsan_destroy_fiber(f->tsan);
    f->tsan = NULL;
#endif
}

/* The thread's own flow, when a loop starts on it. */
static inline void fiber_thread(struct fiber *f)
{
    (void)f;
#ifdef CO_TSAN
    f->tsan = __tsan_get_current_fiber();
#endif
}

#endif
