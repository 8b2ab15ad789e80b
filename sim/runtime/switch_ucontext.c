/* switch_ucontext.c - the switch of last resort: POSIX.1-2001's ucontext. Slow (it makes a system call to
 * keep the signal mask), but every Unix has it. The ucontext_t of a flow lies on its own stack. */
#include "context.h"

#ifdef CO_UCONTEXT

#include <stdint.h>
#include <stdlib.h>
#include <ucontext.h>

/* makecontext passes ints only: a pointer travels as two halves. */
static void start(unsigned entry_high, unsigned entry_low, unsigned arg_high, unsigned arg_low)
{
    void (*entry)(void *) = (void (*)(void *))(uintptr_t)((uint64_t)entry_high << 32 | entry_low);
    entry((void *)(uintptr_t)((uint64_t)arg_high << 32 | arg_low));
    abort();                            /* entry never returns */
}

void co__context_init(struct context *context, void *top, void (*entry)(void *), void *arg)
{
    /* The stack's size is unknown here and does not matter: 8 KiB below the ucontext_t is room enough for
     * makecontext's own frame, and it writes nowhere else. */
    ucontext_t *u = (ucontext_t *)(((uintptr_t)top - sizeof *u) & ~(uintptr_t)63);
    if (getcontext(u) != 0)
        abort();
    u->uc_stack.ss_sp = (char *)u - 8192;
    u->uc_stack.ss_size = 8192;
    u->uc_link = NULL;
    uint64_t e = (uintptr_t)entry, a = (uintptr_t)arg;
    makecontext(u, (void (*)(void))start, 4, (unsigned)(e >> 32), (unsigned)e, (unsigned)(a >> 32), (unsigned)a);
    context->sp = u;
}

void co__switch(struct context *from, struct context *to)
{
    /* The flow that is left may be a thread's own, which has no place yet: its frame here is as good as any. */
    ucontext_t here;
    from->sp = &here;
    if (swapcontext(&here, to->sp) != 0)
        abort();
}

#endif
