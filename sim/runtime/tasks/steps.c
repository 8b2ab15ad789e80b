/* steps.c - a limit on steps without time passing. */
#include "runtime/tasks/enter.h"
#include "runtime/tasks/ring.h"
#include "runtime/tasks/time.h"

/* Many steps without time passing: the trace falls silent, so that an endless loop does not fill the disk; in the
 * end it is a livelock. */
void co__step_limit(struct loop *loop, const void *pc)
{
    if (loop->live) {                   /* there, time never stands still */
        loop->steps_left = LIVE_STEPS;
        co__catch_up(loop);
        return;
    }
    if (loop->silent) {
        co__trace_resume(loop);
        if (loop->ring)
            co__ring_for_ever(loop);        /* names it */
        co__report_livelock(loop, pc);
    }
    if (loop->trace) {
        trace_begin(loop->trace, loop->now, TRACE_RUNTIME, "silence");
        trace_int(loop->trace, "steps", TRACED_STEPS);
        trace_end(loop->trace);
    }
    loop->trace = NULL;
    co__watch(loop);
    loop->silent = true;
    uint64_t left = loop->max_steps - TRACED_STEPS - 1;     /* this one counts */
    loop->steps_left = left < INT64_MAX ? (int64_t)left : INT64_MAX;
}
