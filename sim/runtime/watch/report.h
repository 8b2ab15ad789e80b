/* report.h - what the runtime tells a person, on stderr in words, and in the trace. */
#ifndef CO_WATCH_REPORT_H
#define CO_WATCH_REPORT_H

#include "runtime/state/loop.h"
#include "runtime/state/task.h"

#include <stddef.h>
#include <stdint.h>

/* deadlock.c: nothing can ever happen again. Tells what each task waits for, and the circle. */
void co__report_deadlock(struct loop *loop);

enum { LONGEST_CIRCLE = 32, DEADLOCK_LINES = 20 };

/* The task that `task` needs to go on, where that is one certain task; NULL otherwise. */
const struct co_task *co__needs(const struct co_task *task);
/* The circle that `task` is on, if any: each needs the next, the last needs the first. Returns how many, or 0. */
size_t co__find_circle(const struct co_task *task, const struct co_task *path[LONGEST_CIRCLE]);
/* One line: where the task waits, since when, for what. */
void co__print_wait(const struct co_task *task);
/* The n tasks of path wait for each other, and others live: when it is known, and when that ends the run. */
void co__report_ring(struct loop *loop, const struct co_task *const path[], size_t n);
void co__report_ring_deadlock(struct loop *loop, const struct co_task *const path[], size_t n);

/* endless.c: the clock has moved very often, and nothing came from outside. */
_Noreturn void co__report_endless(struct loop *loop);

/* livelock.c: too many steps without time passing. `pc`: the student's line. */
_Noreturn void co__report_livelock(struct loop *loop, const void *pc);

/* overflow.c: the running task's stack is full; `at`: where. */
_Noreturn void co__report_overflow(struct loop *loop, const void *at);

/* blocked.c: a call other than the runtime's has stopped the loop for ns, or would for ever. */
void co__report_blocked(int64_t ns, const char *on, const void *pc);
/* The same for a time that only this machine knows. */
void co__report_blocked_by_machine(const char *on, const void *pc);
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
