/* report.h - what the runtime tells a person, on stderr in words, and in the trace. */
#ifndef CO_WATCH_REPORT_H
#define CO_WATCH_REPORT_H

#include "runtime/state/loop.h"
#include "runtime/state/task.h"

#include <stdint.h>

/* deadlock.c: nothing can ever happen again. Tells what each task waits for, and the circle. */
void co__report_deadlock(struct loop *loop);

/* livelock.c: too many steps without time passing. `pc`: the student's line. */
_Noreturn void co__report_livelock(struct loop *loop, const void *pc);

/* overflow.c: the running task's stack is full; `at`: where. */
_Noreturn void co__report_overflow(struct loop *loop, const void *at);

/* blocked.c: a call other than the runtime's has stopped the loop for ns, or would for ever. */
void co__report_blocked(int64_t ns, const char *on, const void *pc);
_Noreturn void co__report_blocked_for_ever(const char *on, const void *pc);

/* leak.c: something was left behind: `what` is task, response, lock, file ...; task NULL: none in particular. */
void co__leak(struct loop *loop, const char *what, const struct co_task *task, const void *pc);
/* Says how many more there were than lines about them. */
void co__leaks_end(const struct loop *loop);

/* debug.c: CO_DEBUG=1. A task has held the loop for long. */
void co__report_slow_step(int64_t ns, const struct co_task *task);
/* A cancelled task wants to wait: -ECANCELED, and in debug mode a word about it. */
int co__refuse(struct co_task *self, const void *pc);

/* words.c: for the files of this folder. */

/* "file.c:12", or "?" without debug information. Four texts may be in use at a time. */
const char *co__place(const void *pc);

/* ns in whole ms. */
static inline long long co__ms(int64_t ns)
{
    return (long long)(ns / 1000000);
}

/* Ends a program that cannot go on: what was traced and covered so far is kept. */
_Noreturn void co__end_program(struct loop *loop);

#endif
