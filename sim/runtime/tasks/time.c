/* time.c - how virtual time advances: never while a task is ready; then to the earliest timer or completion. All
 * that is due at that instant becomes ready, in the order in which it was asked for. */
#include "runtime/state/loop.h"
#include "runtime/state/op.h"
#include "runtime/state/task.h"
#include "runtime/state/timer.h"
#include "runtime/tasks/cancel.h"
#include "runtime/tasks/op.h"
#include "runtime/tasks/ready.h"
#include "runtime/tasks/scope.h"
#include "runtime/tasks/time.h"
#include "runtime/watch/report.h"
#include "runtime/watch/tracing.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH = 64 };            /* completions fetched with one call */

int64_t co_now(void)
{
    return co__loop ? co__loop->world->now(co__loop->world) : 0;
}

/* While the world lets time pass, jobs of workers run, and are no task: nobody is current meanwhile. */
static struct co_task *enter_world(struct loop *loop)
{
    struct co_task *self = loop->current;
    loop->current = NULL;
    loop->in_world = true;
    return self;
}

static void leave_world(struct loop *loop, struct co_task *self)
{
    loop->in_world = false;
    loop->current = self;
    co__read_clock(loop);
}

static size_t world_wait(struct loop *loop, int64_t until, struct world_completion out[], size_t max)
{
    struct co_task *self = enter_world(loop);
    size_t n = loop->world->wait(loop->world, until, out, max);
    leave_world(loop, self);
    return n;
}

static void interrupt(struct loop *loop)
{
    struct co_task **tasks = co__tasks_alive(loop);
    loop->interrupted = true;
    if (tasks[0] && tasks[0]->id == 1)
        co__cancel(tasks[0], "interrupt", NULL);
    free(tasks);
}

/* Takes in what a completion brings. If it is the last one of its operation, its task is due. */
static void take_in(struct loop *loop, const struct world_completion *completion)
{
    struct op *op = (struct op *)(uintptr_t)completion->user;
    if (!op) {
        if (completion->parts & WORLD_INTERRUPT)
            interrupt(loop);
        return;
    }
    if ((op->task || op->is_stream) && op->deliver)
        op->deliver(op, completion);
    if (completion->parts & WORLD_END) {
        op->rc = completion->rc;
        explore_answered(op);
    } else if (!op->is_stream) {
        return;
    }
    if (op->is_stream && (!op->task || op->is_due))
        return;                         /* nobody waits for it now */
    op->is_due = op->is_stream;
    if (op->task)
        loop->due[loop->due_count++] = (struct due){completion->t, op->seq, op};
    else
        co__op_free(op);
}

/* Lets time pass until `until` at most, and takes in all that completes at the instant reached.
 * Returns how many completions that were. */
CO_HOT static size_t collect(struct loop *loop, int64_t until)
{
    struct world_completion batch[BATCH];
    size_t n, total = 0;
    do {
        n = world_wait(loop, until, batch, BATCH);
        for (size_t i = 0; i < n; i++)
            take_in(loop, &batch[i]);
        total += n;
        until = loop->now;              /* the rest of the same instant */
    } while (n == BATCH);
    return total;
}

static int compare_due(const void *a, const void *b)
{
    const struct due *x = a, *y = b;
    if (x->t != y->t)
        return x->t < y->t ? -1 : 1;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* A timer's owner is a task or, marked in the lowest bit of the pointer, a timeout scope. */
static struct co_scope *as_scope(void *owner)
{
    return (uintptr_t)owner & 1 ? (struct co_scope *)((uintptr_t)owner - 1) : NULL;
}

/* Where the loop stood still for a while: timeouts that were up before t strike before what became due at t. */
static void strike_before(struct loop *loop, int64_t t)
{
    if (loop->due_first)
        co__scopes_expire(loop, t);
}

/* Wakes the tasks whose operations are due before (t, seq). */
CO_HOT static size_t wake_due(struct loop *loop, size_t from, int64_t t, uint64_t seq)
{
    for (; from < loop->due_count; from++) {
        struct due *due = &loop->due[from];
        if (due->t > t || (due->t == t && due->seq > seq))
            break;
        strike_before(loop, due->t);
        struct co_task *task = due->op->task;
        if (due->op->is_stream) {
            due->op->is_due = false;
            due->op->task = NULL;
            if (task)
                co__wake(task, 0);
        } else if (task) {
            co__wake(task, due->op->rc);
        } else {
            co__op_free(due->op);       /* given up since */
        }
    }
    return from;
}

/* With very many tasks asleep, those that wake are in no cache. While one runs, the record and the stack of the
 * next one are fetched: of the earliest timer's owner the stack (its record was fetched before), of the
 * following ones the record. */
static inline __attribute__((always_inline)) void look_ahead(const struct loop *loop)
{
    void *soon[TIMERS_SOON];
    int n = timer_soon(&loop->timers, soon);
    if (n > 0 && !as_scope(soon[0]))
        co__fetch_stack(soon[0]);
    for (int i = 1; i < n; i++)
        for (size_t at = 0; at < sizeof(struct co_task); at += CO_LINE)
            __builtin_prefetch((const char *)soon[i] + at, 1);
}

/* Makes ready all that is due now: operations and timers together, in the order of (t, seq). Timeouts are only
 * noted: they strike when everybody who is ready at this instant has run. So a result that arrives at the very
 * instant its time is up still counts. */
CO_HOT static void wake_all_due(struct loop *loop)
{
    int64_t t;
    uint64_t seq;
    void *owner;
    size_t taken = 0;
    if (loop->due_count > 1)
        qsort(loop->due, loop->due_count, sizeof *loop->due, compare_due);
    while (timer_peek(&loop->timers, &t, &seq) && t <= loop->now) {
        int64_t due_t = t;
        uint64_t due_seq = seq;
        taken = wake_due(loop, taken, t, seq);
        strike_before(loop, t);
        /* A timeout that struck may have disarmed this very timer: then look again. */
        if (!timer_peek(&loop->timers, &t, &seq) || t != due_t || seq != due_seq)
            continue;
        owner = timer_take(&loop->timers, loop->now, &t, &seq);
        struct co_scope *scope = as_scope(owner);
        if (scope) {
            co__scope_due(scope);
        } else {
            struct co_task *task = owner;
            task->timer = 0;
            co__wake(task, 0);
        }
    }
    wake_due(loop, taken, INT64_MAX, UINT64_MAX);
    loop->due_count = 0;
    look_ahead(loop);
}

/* Time has moved very often, for timers only: the trace falls silent; in the end, that never ends. */
static void count_moves(struct loop *loop)
{
    if (loop->live || loop->max_steps > INT64_MAX / MOVES_PER_STEP)
        return;
    if (loop->moves >= (int64_t)loop->max_steps * MOVES_PER_STEP)
        co__report_endless(loop);
    if (loop->trace) {
        trace_begin(loop->trace, loop->now, TRACE_RUNTIME, "silence");
        trace_int(loop->trace, "steps", loop->moves);
        trace_end(loop->trace);
    }
    loop->trace = NULL;
    co__watch(loop);
}

CO_HOT bool co__time_pass(struct loop *loop)
{
    if (explore_time())
        return true;
    if (co__scopes_expire(loop, INT64_MAX))
        return true;
    loop->behind = loop->live;
    int64_t until = loop->due_count ? loop->now : timer_next(&loop->timers);
    size_t n = collect(loop, until);
    if (n == 0 && until == INT64_MAX)
        return co__cancel_deferred(loop);
    if (n > 0)
        loop->moves = 0;
    else if (++loop->moves >= TRACED_MOVES)
        count_moves(loop);
    wake_all_due(loop);
    return true;
}

void co__catch_up(struct loop *loop)
{
    if (!loop->behind)
        return;
    explore_object(TOUCH_WRITE, OBJECT_STEP, 0);
    loop->behind = loop->live;
    collect(loop, loop->now);
    wake_all_due(loop);
}

void co__block(int64_t ns, const char *on, const void *pc)
{
    struct loop *loop = co__loop;
    int64_t left = INT64_MAX - loop->now;       /* of all time */
    ns = ns < 0 ? 0 : ns > left ? left : ns;
    if (loop->in_world) {                       /* a worker's job keeps nobody else waiting */
        loop->world->block(loop->world, ns);
        return;
    }
    explore_object(TOUCH_WRITE, OBJECT_STEP, 0);
    struct co_task *self = enter_world(loop);
    loop->world->block(loop->world, ns);
    leave_world(loop, self);
    if (strcmp(on, "cpu") == 0)
        loop->computed += ns;
    loop->behind = true;
    if (loop->trace)
        co__trace_block(ns, on, pc);
}

int co__block_on(struct op *op, int64_t deadline)
{
    struct loop *loop = co__loop;
    size_t mine;
    explore_object(TOUCH_WRITE, OBJECT_STEP, 0);
    loop->behind = true;
    for (;;) {
        collect(loop, deadline);
        for (mine = 0; mine < loop->due_count && loop->due[mine].op != op; mine++)
            ;
        if (mine < loop->due_count)
            break;
        if (loop->now >= deadline) {
            co__op_abandon(op);
            return -ETIMEDOUT;
        }
    }
    int rc = op->rc;
    memmove(&loop->due[mine], &loop->due[mine + 1], (loop->due_count - mine - 1) * sizeof *loop->due);
    loop->due_count--;
    co__op_free(op);
    return rc;
}
