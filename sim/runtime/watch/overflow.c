/* overflow.c - a stack overflow: whose stack is full, and where. */
#include "runtime/watch/report.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

void co__report_overflow(struct loop *loop, const void *at)
{
    const struct co_task *task = loop->current;
    explore_faulted(WRONG_OVERFLOW, at);
    char text[512];
    int length = snprintf(text, sizeof text,
                          "%s: stack overflow at %s in task %u %s, spawned at %s: its stack of %zu KiB is full "
                          "(endless recursion, or a large array on the stack?)\n",
                          loop->program, co__place(at), task->id, co__origin(task)->name,
                          co__place(co__origin(task)->spawned_at), loop->stacks.size / 1024);
    if (write(STDERR_FILENO, text, (size_t)length) < 0)
        _exit(CO_EXIT_FATAL);
    if (loop->open_trace) {
        trace_begin(loop->open_trace, loop->now, TRACE_RUNTIME, "overflow");
        trace_int(loop->open_trace, "task", task->id);
        trace_str(loop->open_trace, "name", co__origin(task)->name, strlen(co__origin(task)->name));
        trace_src(loop->open_trace, "src", co__origin(task)->spawned_at);
        trace_src(loop->open_trace, "at", at);
        trace_int(loop->open_trace, "size", (int64_t)loop->stacks.size);
        trace_end(loop->open_trace);
    }
    co__end_program(loop);
}
