/* switch_ucontext.c - the switch of last resort: POSIX.1-2001's ucontext. Slow (it makes a system call to
 * keep the signal mask), but every Unix has it. The ucontext_t of a flow lies in the frame that left it. */
#include "runtime/switch/context.h"

#ifdef CO_UCONTEXT

#include <stdint.h>
#include <stdlib.h>
#include <ucontext.h>

/* What the next flow to go on is given. */
static _Thread_local int passed;

/* makecontext passes ints only: a pointer travels as two halves. */
static void start(unsigned entry_high, unsigned entry_low, unsigned arg_high, unsigned arg_low)
{
    void (*entry)(void *) = (void (*)(void *))(uintptr_t)((uint64_t)entry_high << 32 | entry_low);
    entry((void *)(uintptr_t)((uint64_t)arg_high << 32 | arg_low));
    abort();                            /* entry never returns */
}

int co__switch_new(struct context *from, void *top, void (*entry)(void *), void *arg)
{
    /* The new stack's size is unknown here and does not matter: makecontext writes its own small frame below `top`
     * and nothing else. */
    enum { ROOM = 4096 };
    ucontext_t here, new;
    if (getcontext(&new) != 0)
        abort();
    new.uc_stack.ss_sp = (char *)top - ROOM;
    new.uc_stack.ss_size = ROOM;
    new.uc_link = NULL;
    uint64_t e = (uintptr_t)entry, a = (uintptr_t)arg;
    makecontext(&new, (void (*)(void))start, 4, (unsigned)(e >> 32), (unsigned)e, (unsigned)(a >> 32), (unsigned)a);
    from->sp = &here;                   /* the flow that is left keeps its place in its own frame */
    if (swapcontext(&here, &new) != 0)
        abort();
    return passed;
}

int co__switch(struct context *from, struct context *to, int value)
{
    ucontext_t here;
    from->sp = &here;
    passed = value;
    if (swapcontext(&here, to->sp) != 0)
        abort();
    return passed;
}

int co__jump(struct context *to, int value)
{
    passed = value;
    setcontext(to->sp);
    abort();
}

#else

/* A unit without a function names, with sanitizers and -g1, the folder that it was compiled in. */
__attribute__((used)) static void nothing(void)
{
}

#endif
