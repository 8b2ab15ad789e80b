/* debug.c - what only CO_DEBUG=1 tells: tasks that hold the loop for long, and cancelled ones that want to wait. */
#include "runtime/watch/report.h"

#include <stdio.h>

enum { DEBUG_LINES = 10 };

void co__report_slow_step(int64_t ns, const struct co_task *task)
{
    fflush(stdout);
    if (co__loop->slow_steps++ < DEBUG_LINES)
        fprintf(stderr, "%s: debug: task %u %s held the loop for %lld ms before it %s %s\n", co__loop->program,
                task->id, co__origin(task)->name, co__ms(ns),
                task->state == TASK_DONE ? "ended; it last waited at" : "waited at", co__place(task->waits_at));
}

int co__refuse(struct co_task *self, const void *pc)
{
    struct loop *loop = co__loop;
    if (loop->debug && self->told)
        fflush(stdout);
    if (loop->debug && self->told && loop->late_waits++ < DEBUG_LINES)
        fprintf(stderr, "%s: debug: task %u %s was cancelled, and still wants to wait at %s: clean up and return\n",
                loop->program, self->id, co__origin(self)->name, co__place(pc));
    self->told = true;
    return -ECANCELED;
}
