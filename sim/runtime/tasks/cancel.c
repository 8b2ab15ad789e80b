/* cancel.c - cancellation: level-triggered, as in Trio's cancel scopes and libdill's hclose.
 *
 * Whether a task's calls return -ECANCELED follows from its scopes, innermost first: an expired timeout says yes; a
 * shield says no, whatever lies outside it; after the last scope, co_cancel decides. The answer is kept in
 * cancel_now, and worked out anew when one of these changes.
 */
#include "runtime/state/loop.h"
#include "runtime/state/op.h"
#include "runtime/state/task.h"
#include "runtime/tasks/cancel.h"
#include "runtime/tasks/op.h"
#include "runtime/tasks/ready.h"
#include "runtime/tasks/scope.h"
#include "runtime/tasks/time.h"
#include "runtime/watch/tracing.h"

#include <stdlib.h>

static bool must_end(const struct co_task *task)
{
    if (co__loop->broken)
        return true;
    for (const struct co_scope *scope = task->scope; scope; scope = scope->outer) {
        if (scope->is_shield)
            return false;
        if (scope->expired)
            return true;
    }
    return task->cancel_asked;
}

/* Ends the wait of a task. A worker's job is waited for, unless no worker has begun it: the world tells. */
static void interrupt(struct co_task *task)
{
    task->told = true;
    if (task->kind == WAIT_JOB) {
        const struct op *op = task->waits_for;
        co__loop->world->cancel(co__loop->world, op->id);
        return;
    }
    if (task->kind == WAIT_HTTP || task->kind == WAIT_FILE || task->kind == WAIT_DATABASE
        || task->kind == WAIT_SOCKET) {
        co__op_abandon((struct op *)task->waits_for);
        task->waits_for = NULL;         /* no longer its own to free */
    }
    if (task->kind == WAIT_STREAM)      /* the stream itself goes on */
        ((struct op *)task->waits_for)->task = NULL;
    if (task->kind == WAIT_BARRIER)
        ((struct co_barrier *)task->waits_for)->waiting--;     /* its place is free at once */
    co__wake(task, -ECANCELED);
}

CO_HOT void co__cancel_update(struct co_task *task)
{
    bool before = task->cancel_now;
    task->cancel_now = must_end(task);
    task->told &= task->cancel_now;
    if (!task->cancel_now || task->state != TASK_WAITING)
        return;
    /* After a deadlock nothing may keep a task waiting. */
    if ((!before && !task->deaf) || co__loop->broken)
        interrupt(task);
}

/* Notes that the task was asked to end. */
static void ask(struct co_task *task, const char *why, const void *pc)
{
    if (!task->cancel_asked && co__loop->trace)
        co__trace_cancel(task, why, pc);
    task->cancel_asked = true;
}

void co__cancel(struct co_task *task, const char *why, const void *pc)
{
    co__catch_up(co__loop);             /* what has arrived by now is a result, and wins */
    explore_object(TOUCH_WRITE, OBJECT_CANCEL, task->id);
    if (task->state == TASK_DONE)
        return;
    ask(task, why, pc);
    co__cancel_update(task);
}

void co_cancel(co_task *task)
{
    struct loop *loop = co__loop;
    if (!loop || loop->in_world || !task)
        return;
    explore_object(TOUCH_WRITE, OBJECT_CANCEL, task->id);
    /* At which wait a cancel lands is a choice: option 1 lets the one at hand end first. */
    if (loop->tape && task->state == TASK_WAITING && tape_choose(loop->tape, "cancel", 2) == 1) {
        ask(task, "call", CALLER);
        loop->cancels_deferred = true;
        return;
    }
    co__cancel(task, "call", CALLER);
}

bool co__cancel_deferred(struct loop *loop)
{
    if (!loop->cancels_deferred)
        return false;
    loop->cancels_deferred = false;
    struct co_task **tasks = co__tasks_alive(loop);
    for (size_t i = 0; tasks[i]; i++)
        co__cancel_update(tasks[i]);
    free(tasks);
    return true;
}
