/* livelock.c - a livelock: the program goes round and round, and time stands still. */
#include "runtime/watch/report.h"

#include <stdio.h>

void co__report_livelock(struct loop *loop, const void *pc)
{
    explore_faulted(WRONG_ENDLESS, pc);
    fflush(stdout);
    const struct co_task *task = loop->current;
    fprintf(stderr, "%s: livelock at %lld ms: %llu steps without time passing; task %u %s, spawned at %s, is at %s\n",
            loop->program, co__ms(loop->now), (unsigned long long)loop->max_steps, task->id, co__origin(task)->name,
            co__place(co__origin(task)->spawned_at), co__place(pc));
    if (task->cancel_now)
        fprintf(stderr,
                "  this task was cancelled: each call that waits returns -ECANCELED at once; return from the task\n");
    if (loop->open_trace) {
        trace_begin(loop->open_trace, loop->now, TRACE_RUNTIME, "livelock");
        trace_int(loop->open_trace, "task", task->id);
        trace_src(loop->open_trace, "src", pc);
        trace_int(loop->open_trace, "steps", (int64_t)loop->max_steps);
        trace_end(loop->open_trace);
    }
    co__end_program(loop);
}
