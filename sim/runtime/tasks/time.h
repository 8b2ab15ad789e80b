/* time.h - how time passes. */
#ifndef CO_TASKS_TIME_H
#define CO_TASKS_TIME_H

#include "runtime/state/loop.h"
#include "runtime/state/op.h"
#include "runtime/state/task.h"
#include "runtime/state/timer.h"

#include <stdbool.h>
#include <stdint.h>

/* What the wall clock says at a simulated loop's time 0: 2026-01-01 00:00:00 UTC, in seconds since 1970. */
enum { EPOCH = 1767225600 };

/* No task is ready: timeouts strike, else time passes. Returns false when nothing can ever happen again. */
bool co__time_pass(struct loop *loop);

/* Arms the timer of a task that is about to wait; false without memory. */
static inline bool co__arm(struct co_task *self, int64_t ns)
{
    struct loop *loop = co__loop;
    if (loop->live)
        co__read_clock(loop);
    int64_t t = ns > INT64_MAX - loop->now ? INT64_MAX : loop->now + ns;
    self->timer = timer_arm(&loop->timers, t, ++loop->seq, self);
    return self->timer != 0;
}

/* Makes ready what became due while the loop stood still. */
void co__catch_up(struct loop *loop);

/* The loop is busy for ns: `on` and `pc` say with what and where. */
void co__block(int64_t ns, const char *on, const void *pc);

/* Waits, with the loop standing still, until `op` has ended, at most until `deadline` (ns); then gives it up. */
int co__block_on(struct op *op, int64_t deadline);

#endif
