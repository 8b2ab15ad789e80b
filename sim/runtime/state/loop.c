/* loop.c - the loop of this thread, and whether anybody watches it. */
#include "runtime/state/loop.h"

_Thread_local struct loop *co__loop;

void co__watch(struct loop *loop)
{
    loop->watched = loop->trace || loop->tape || loop->debug || loop->stacks.canaries || loop->own_modes;
}

void co__trace_resume(struct loop *loop)
{
    loop->trace = loop->open_trace;
    co__watch(loop);
}
