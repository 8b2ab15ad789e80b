/* context.c - the first frame of a flow, laid out as co__switch expects to find it. */
#include "context.h"

#ifndef CO_UCONTEXT

#include <stdint.h>
#include <string.h>

void co__context_start(void);

#if defined(__x86_64__)
/* What co__switch pops, from low to high addresses. */
struct frame { uint64_t r15, r14, r13, r12, rbx, rbp, rip; };
#elif defined(__aarch64__)
/* What co__switch loads, from low to high addresses. */
struct frame { uint64_t x[10], fp, lr; double d[8]; };
#endif

void co__context_init(struct context *context, void *top, void (*entry)(void *), void *arg)
{
    /* On x86-64 the frame is 56 bytes, and `start` must find rsp a multiple of 16: it was popped empty, so top is. */
    struct frame *frame = (struct frame *)top - 1;
    memset(frame, 0, sizeof *frame);
#if defined(__x86_64__)
    frame->r12 = (uintptr_t)arg;
    frame->r13 = (uintptr_t)entry;
    frame->rip = (uintptr_t)co__context_start;
#else
    frame->x[0] = (uintptr_t)arg;
    frame->x[1] = (uintptr_t)entry;
    frame->lr = (uintptr_t)co__context_start;
#endif
    context->sp = frame;
}

#endif
