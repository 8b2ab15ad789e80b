/* blocked.c - a call of the C library's has stopped the loop. */
#include "runtime/watch/report.h"
#include "runtime/watch/tracing.h"

#include <stdio.h>

enum { BLOCK_LINES = 10 };

void co__report_blocked(int64_t ns, const char *on, const void *pc)
{
    fflush(stdout);
    struct loop *loop = co__loop;
    if (loop->blocks++ < BLOCK_LINES)
        fprintf(stderr, "%s: %s blocked the loop for %lld ms at %s: no other task could run meanwhile (co_sleep waits "
                "without blocking)\n", loop->program, on, co__ms(ns), co__place(pc));
}

void co__report_blocked_by_machine(const char *on, const void *pc)
{
    fflush(stdout);
    struct loop *loop = co__loop;
    if (loop->in_world)                 /* a worker's job keeps nobody else waiting */
        return;
    if (loop->blocks++ < BLOCK_LINES)
        fprintf(stderr, "%s: %s at %s blocked the loop until something outside of it was over: no other task could run "
                "meanwhile, and the loop's clock knows nothing of that time\n", loop->program, on, co__place(pc));
    if (loop->trace)
        co__trace_block(0, on, pc);
}

void co__report_blocked_for_ever(const char *on, const void *pc)
{
    fflush(stdout);
    struct loop *loop = co__loop;
    fprintf(stderr, "%s: %s at %s would stop the loop for ever: nothing outside this thread can end it\n",
            loop->program, on, co__place(pc));
    co__trace_resume(loop);
    if (loop->trace)
        co__trace_block(INT64_MAX - loop->now, on, pc);
    co__end_program(loop);
}
