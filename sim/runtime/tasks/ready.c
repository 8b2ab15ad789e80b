/* ready.c - the ready queue: who runs next, strictly first in, first out, and the switch to it.
 *
 * A task that waits switches straight to the next ready one. Only when none is ready does the loop's own flow run: it
 * lets time pass (time.c).
 */
#include "runtime/state/loop.h"
#include "runtime/state/task.h"
#include "runtime/state/timer.h"
#include "runtime/state/waiters.h"
#include "runtime/switch/context.h"
#include "runtime/switch/fiber.h"
#include "runtime/switch/modes.h"
#include "runtime/switch/stack.h"
#include "runtime/tasks/cancel.h"
#include "runtime/tasks/enter.h"
#include "runtime/tasks/ready.h"
#include "runtime/tasks/ring.h"
#include "runtime/tasks/scope.h"
#include "runtime/tasks/task.h"
#include "runtime/tasks/time.h"
#include "runtime/watch/report.h"
#include "runtime/watch/tracing.h"

#include <assert.h>
#include <errno.h>

enum { SLOW_STEP = 100000000 };     /* ns that a task may hold the loop, in debug mode */

/* ---- The ready queue: strictly first in, first out ------------------------------------------- */

void co__note_ready(struct loop *loop, struct co_task *task)
{
    loop->ready_count++;
    if (loop->trace)
        co__trace_ready(task);
    if (loop->cancels_deferred)
        co__cancel_update(task);                /* what it waited for has come: now it lands */
}

/* The next task to run, which is current from now on; NULL: none is ready. */
static struct co_task *next_ready(struct loop *loop)
{
    if (!loop->ready_first)
        return NULL;
    struct co_task **link = &loop->ready_first, *before = NULL;
    explore_next(loop);
    if (loop->tape)
        for (uint32_t i = tape_choose(loop->tape, "ready", (uint32_t)loop->ready_count); i > 0; i--) {
            before = *link;
            link = &before->next;
        }
    loop->ready_count--;
    if (loop->live)
        co__read_clock(loop);
    loop->step_begin = loop->now;
    struct co_task *task = loop->current = *link;
    if (!(*link = task->next))
        loop->ready_last = before;
    if (loop->trace)
        co__trace_run(task);
    return task;
}

/* ---- Switching ------------------------------------------------------------------------------- */

#if defined(CO_ASAN) || defined(CO_TSAN)
#define FIBER(task) (&(task)->fiber)
#else
#define FIBER(task) NULL
#endif

/* The first thing after every switch to a task or to the loop. */
static inline void arrive(struct loop *loop, struct fiber *self)
{
    (void)loop, (void)self;
#if defined(CO_ASAN) || defined(CO_TSAN)
    fiber_arrive(self, &loop->fiber, loop->left_thread);
    loop->left_thread = false;
    if (loop->left) {
        fiber_end(FIBER(loop->left));
        loop->left = NULL;
    }
#endif
}

/* Begins a task. Returns when somebody switches back to `from`, which gives the rc. (Seldom, so it is kept out of the
 * usual way. But TSan counts calls and returns: none may lie between telling it of a switch and the switch.) */
#if defined(CO_ASAN) || defined(CO_TSAN)
static inline __attribute__((always_inline))
#else
static __attribute__((noinline))
#endif
int switch_to_new(struct context *from, struct co_task *to)
{
    return co__switch_new(from, co__task_stack(to), co__task_start, to);
}

/* Leaves `from` (NULL: the loop) for `to` (NULL: the loop). Returns the rc that `from` is woken with. */
static inline __attribute__((always_inline)) int switch_to(struct loop *loop, struct co_task *from, struct co_task *to)
{
    struct context *here = from ? &from->context : &loop->context;
    struct fiber *self = from ? FIBER(from) : &loop->fiber;
    int rc;
    (void)self;
#if defined(CO_ASAN) || defined(CO_TSAN)
    if (to)
        co__task_stack(to);             /* the sanitizers ask where it lies */
    loop->left_thread = !from;
    fiber_leave(self, to ? FIBER(to) : &loop->fiber, 0);
#endif
    if (!to)
        rc = co__switch(here, &loop->context, 0);
    else if (__builtin_expect(!to->context.sp, 0))
        rc = switch_to_new(here, to);
    else
        rc = co__switch(here, &to->context, to->rc);
    arrive(loop, self);
    return rc;
}

static _Noreturn void overflowed(struct loop *loop, struct co_task *task)
{
    loop->current = task;
    co__report_overflow(loop, task->waits_at);
}

/* Goes on with the next ready task, until this one runs again; returns what it is woken with. (Nothing remains to be
 * done then, and no register must be kept: compiled for speed, the switch is a jump, and returns to who called us.) */
static inline __attribute__((always_inline)) int run_others(struct loop *loop, struct co_task *self)
{
    struct co_task *next = loop->ready_first;
    if (!next) {
        self->saved_errno = *loop->errno_at;
        return switch_to(loop, self, NULL);
    }
    co__swap_errno(loop, self, next);
    struct co_task *second = loop->ready_first = next->next;
    if (second)
        co__fetch_stack(second);
    loop->current = next;
    return switch_to(loop, self, next);
}

/* The same while something is watched. */
static inline __attribute__((always_inline)) int go_on_watched(struct loop *loop, struct co_task *self)
{
    if (loop->stacks.canaries && stack_canary_dead(self->stack))
        overflowed(loop, self);
    self->saved_errno = *loop->errno_at;
    struct co_task *next = next_ready(loop);
    if (next)
        *loop->errno_at = next->saved_errno;
    return next == self ? self->rc : switch_to(loop, self, next);
}

static __attribute__((noinline)) int run_others_watched(struct loop *loop, struct co_task *self)
{
    struct modes mine;
    if (!loop->own_modes)
        return go_on_watched(loop, self);
    modes_read(&mine);                  /* the others are entered with the common ones */
    modes_write(&loop->modes);
    int rc = go_on_watched(loop, self);
    modes_write(&mine);
    return rc;
}

/* With a trace or in debug mode. */
static void note_wait(struct loop *loop, struct co_task *self)
{
    if (loop->trace)
        co__trace_await(self, co__scope_shield(self->scope));
    if (loop->debug && loop->now - loop->step_begin > SLOW_STEP)
        co__report_slow_step(loop->now - loop->step_begin, self);
}

void co__note_end(struct loop *loop, struct co_task *task)
{
    if (loop->trace)
        co__trace_done(task);
    if (loop->debug && loop->now - loop->step_begin > SLOW_STEP)
        co__report_slow_step(loop->now - loop->step_begin, task);
}

static __attribute__((noinline)) int suspend_watched(struct co_task *self)
{
    struct loop *loop = co__loop;
    note_wait(loop, self);
    return run_others_watched(loop, self);
}

static inline __attribute__((always_inline)) int suspend(struct co_task *self, enum wait_kind kind, const void *what)
{
    struct loop *loop = co__loop;
    self->state = TASK_WAITING;
    self->kind = (uint8_t)kind;
    self->waits_for = what;
    self->since = loop->now;
    if (__builtin_expect(loop->watched, 0))
        return suspend_watched(self);
    return run_others(loop, self);
}

CO_HOT int co__suspend(struct co_task *self, enum wait_kind kind, const void *what)
{
    return suspend(self, kind, what);
}

int co__suspend_in(struct co_task *self, enum wait_kind kind, const void *what, struct co_waiters *list)
{
    waiters_append(list, self);
    return suspend(self, kind, what);
}

static __attribute__((noinline)) int yield_watched(const void *pc)
{
    int rc;
    struct co_task *self = co__enter(pc, &rc);
    if (!self)
        return rc;
    struct loop *loop = co__loop;
    self->kind = WAIT_YIELD;
    note_wait(loop, self);
    co__catch_up(loop);                 /* what became due while this task computed has its turn now */
    self->rc = 0;
    co__make_ready(self);
    return run_others_watched(loop, self);
}

/* Lets the other ready tasks run. */
static inline __attribute__((always_inline)) int yield(const void *pc)
{
    struct loop *loop = co__loop;
    if (__builtin_expect(!loop || loop->behind, 0))
        return yield_watched(pc);
    struct co_task *self = co__enter_quick(pc);
    if (__builtin_expect(!self, 0))
        return yield_watched(pc);
    if (!loop->ready_first)
        return 0;
    self->rc = 0;
    co__ready_append(loop, self);
    return run_others(loop, self);
}

CO_HOT void co__wake(struct co_task *task, int rc)
{
    task->rc = rc;
    if (task->waiters) {
        explore_touch(TOUCH_WRITE, task->waiters, sizeof *task->waiters);
        waiters_remove(task);
    }
    if (task->timer) {
        timer_disarm(&co__loop->timers, task->timer);
        task->timer = 0;
    }
    co__make_ready(task);
}

int co__leave(struct co_task *self)
{
    struct loop *loop = co__loop;
    struct co_task *next = loop->ready_first;
    if (__builtin_expect(loop->watched, 0)) {
        if (loop->own_modes)
            modes_write(&loop->modes);
        loop->current = NULL;           /* unless another one is ready */
        next = next_ready(loop);
    } else if (next) {
        struct co_task *second = loop->ready_first = next->next;
        if (second)
            co__fetch_stack(second);
    }
    loop->current = next;
    if (next)
        *loop->errno_at = next->saved_errno;
#if defined(CO_ASAN) || defined(CO_TSAN)
    if (next)
        co__task_stack(next);
    loop->left = self;
    fiber_leave(&self->fiber, next ? &next->fiber : &loop->fiber, 1);
#endif
    if (!next)
        return co__jump(&loop->context, 0);
    if (next->context.sp)
        return co__jump(&next->context, next->rc);
    if (!next->stack) {
        co__task_stack(next);           /* the stack that was returned last: this one */
        return co__task_run(next);
    }
    return switch_to_new(&self->context, next);     /* it does not, as nobody comes back */
}

void co__task_arrived(struct co_task *self)
{
    (void)self;
    arrive(co__loop, FIBER(self));
}

CO_HOT bool co__run_until(struct loop *loop, const struct co_task *last)
{
    while (last ? last->state != TASK_DONE : loop->alive > 0) {
        struct co_task *task = next_ready(loop);
        if (task) {
            *loop->errno_at = task->saved_errno;
            switch_to(loop, NULL, task);
            loop->current = NULL;
        } else if (!co__time_pass(loop)) {
            assert(!loop->broken);      /* then every wait was ended, and nothing can wait again */
            co__report_deadlock(loop);
            return false;
        } else if (__builtin_expect(loop->ring != NULL, 0) && co__ring_for_ever(loop)) {
            return false;
        }
    }
    return true;
}

int co_sleep(int64_t ns)
{
    int rc;
    if (ns <= 0)
        return yield(CALLER);
    struct co_task *self = co__enter(CALLER, &rc);
    if (!self)
        return rc;
    if (!co__arm(self, ns))
        return -ENOMEM;
    return co__suspend(self, WAIT_SLEEP, NULL);
}

int co_yield(void)
{
    return yield(CALLER);
}
