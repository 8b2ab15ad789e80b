/* endless.c - a program that would sleep and wake for ever. */
#include "runtime/watch/report.h"

#include <stdio.h>
#include <stdlib.h>

void co__report_endless(struct loop *loop)
{
    fflush(stdout);
    struct co_task **tasks = co__tasks_alive(loop);
    explore_faulted(WRONG_ENDLESS, loop->alive ? tasks[0]->waits_at : NULL);
    co__trace_resume(loop);
    fprintf(stderr, "%s: endless at %lld ms: the clock has moved %lld times, for timers only: nothing has come from "
            "outside since, and these tasks never end\n", loop->program, co__ms(loop->now), (long long)loop->moves);
    for (size_t i = 0; tasks[i] && i < DEADLOCK_LINES; i++)
        co__print_wait(tasks[i]);
    const struct co_task *sleeper = tasks[0];
    for (size_t i = 0; tasks[i]; i++)
        if (tasks[i]->kind == WAIT_SLEEP) {
            sleeper = tasks[i];
            break;
        }
    if (loop->open_trace) {
        trace_begin(loop->open_trace, loop->now, TRACE_RUNTIME, "endless");
        trace_int(loop->open_trace, "task", sleeper->id);
        trace_src(loop->open_trace, "src", sleeper->waits_at);
        trace_int(loop->open_trace, "moves", loop->moves);
        trace_end(loop->open_trace);
    }
    free(tasks);
    co__end_program(loop);
}
