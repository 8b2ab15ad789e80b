/* scope.c - timeouts and shields: stretches of a task in which cancellation follows rules of its own. */
#include "runtime/state/loop.h"
#include "runtime/state/task.h"
#include "runtime/state/timer.h"
#include "runtime/tasks/cancel.h"
#include "runtime/tasks/enter.h"
#include "runtime/tasks/scope.h"
#include "runtime/watch/report.h"
#include "runtime/watch/tracing.h"

#include <stdlib.h>

static struct co_scope *scope_new(struct co_task *task, bool is_shield, const void *pc)
{
    struct loop *loop = co__loop;
    struct co_scope *scope = loop->free_scopes;
    if (scope)
        loop->free_scopes = scope->next;
    else if (!(scope = malloc(sizeof *scope)))
        return NULL;
    *scope = (struct co_scope){.outer = task->scope, .task = task, .begun_at = pc, .is_shield = is_shield};
    task->scope = scope;
    return scope;
}

static void due_remove(struct loop *loop, struct co_scope *scope)
{
    if (scope->prev)
        scope->prev->next = scope->next;
    else
        loop->due_first = scope->next;
    if (scope->next)
        scope->next->prev = scope->prev;
    else
        loop->due_last = scope->prev;
    scope->due = false;
}

/* Its time will not be up any more. */
static void stop(struct co_scope *scope)
{
    struct loop *loop = co__loop;
    if (scope->timer)
        timer_disarm(&loop->timers, scope->timer);
    scope->timer = 0;
    if (scope->due)
        due_remove(loop, scope);
}

static void scope_free(struct co_scope *scope)
{
    struct loop *loop = co__loop;
    stop(scope);
    scope->next = loop->free_scopes;
    loop->free_scopes = scope;
}

void co__scopes_free(struct loop *loop)
{
    for (struct co_scope *scope = loop->free_scopes, *next; scope; scope = next) {
        next = scope->next;
        free(scope);
    }
}

void co__scopes_drop(struct co_task *task)
{
    for (struct co_scope *scope = task->scope, *outer; scope; scope = outer) {
        outer = scope->outer;
        co__leak(co__loop, scope->is_shield ? "shield" : "timeout", task, scope->begun_at);
        scope_free(scope);
    }
    task->scope = NULL;
}

/* Ends `scope` and those inside it that were forgotten. False if it is none of the running task's. */
CO_HOT static bool scope_end(struct co_task *self, struct co_scope *scope)
{
    struct co_scope *found = self->scope;
    while (found && found != scope)
        found = found->outer;
    if (!found)
        return false;
    while (self->scope != scope) {
        struct co_scope *inner = self->scope;
        co__leak(co__loop, inner->is_shield ? "shield" : "timeout", self, inner->begun_at);
        self->scope = inner->outer;
        scope_free(inner);
    }
    self->scope = scope->outer;
    scope_free(scope);
    co__cancel_update(self);
    return true;
}

/* A timeout's time is up. */
static void expire(struct co_scope *scope)
{
    scope->expired = true;
    if (co__loop->trace)
        co__trace_cancel(scope->task, "timeout", scope->begun_at);
    co__cancel_update(scope->task);
}

void co__scope_due(struct co_scope *scope)
{
    struct loop *loop = co__loop;
    scope->timer = 0;
    scope->due = true;
    scope->next = NULL;
    scope->prev = loop->due_last;
    if (loop->due_last)
        loop->due_last->next = scope;
    else
        loop->due_first = scope;
    loop->due_last = scope;
}

CO_HOT bool co__scopes_expire(struct loop *loop, int64_t before)
{
    bool any = false;
    for (struct co_scope *scope; (scope = loop->due_first) && scope->when < before; any = true) {
        due_remove(loop, scope);
        expire(scope);
    }
    return any;
}

/* From now on the scope's time is up in ns. */
CO_HOT static void set_end(struct co_scope *scope, int64_t ns)
{
    struct loop *loop = co__loop;
    if (loop->live)
        co__read_clock(loop);
    bool has_end = ns <= INT64_MAX - loop->now;                 /* beyond the clock's end: never */
    scope->when = !has_end ? CO_FOREVER : ns > 0 ? loop->now + ns : loop->now;
    if (ns > 0 && has_end) {
        uintptr_t owner = (uintptr_t)scope | 1;                 /* marked: not a task */
        scope->timer = timer_arm(&loop->timers, scope->when, ++loop->seq, (void *)owner);
    }
    /* Without memory for a timer, no limit can be kept: better none of the block than all of it. */
    if (has_end && !scope->timer)
        expire(scope);
}

void co__timeout_begin(struct co_task *self, struct co_timeout *limit, int64_t ns, const void *pc)
{
    limit->scope = scope_new(self, false, pc);
    if (limit->scope)
        set_end(limit->scope, ns);
}

CO_HOT void co_timeout_begin(struct co_timeout *limit, int64_t ns)
{
    *limit = (struct co_timeout){0};
    if (co__loop && co__loop->current)
        co__timeout_begin(co__loop->current, limit, ns, CALLER);
}

CO_HOT int co_timeout_end(struct co_timeout *limit, int rc)
{
    struct co_task *self = co__loop ? co__loop->current : NULL;
    if (!self || !limit->scope)
        return limit->scope ? -EPERM : rc;
    bool expired = limit->scope->expired;
    if (!scope_end(self, limit->scope))
        return -EINVAL;
    limit->scope = NULL;
    limit->expired = expired;
    /* Still to be cancelled: then it is for something further out, which wants to see -ECANCELED. */
    return expired && rc == -ECANCELED && !self->cancel_now ? -ETIMEDOUT : rc;
}

int co_timeout_reschedule(struct co_timeout *limit, int64_t ns)
{
    struct co_scope *scope = limit->scope;
    if (!scope || scope->expired)
        return -EINVAL;
    stop(scope);
    set_end(scope, ns);
    return 0;
}

int64_t co_timeout_when(const struct co_timeout *limit)
{
    return limit->scope ? limit->scope->when : CO_FOREVER;
}

bool co_timeout_expired(const struct co_timeout *limit)
{
    return limit->scope ? limit->scope->expired : limit->expired;
}

int co_wait_for(co_fn fn, void *job, int64_t timeout)
{
    int rc;
    struct co_timeout limit;
    struct co_task *self = co__enter(CALLER, &rc);
    if (!self)
        return rc;
    co__timeout_begin(self, &limit, timeout, CALLER);
    return co_timeout_end(&limit, fn(job));
}

const void *co__scope_shield(const struct co_scope *scope)
{
    while (scope && !scope->is_shield)
        scope = scope->outer;
    return scope ? scope->begun_at : NULL;
}

void co_shield_begin(struct co_shield *shield)
{
    struct co_task *self = co__loop ? co__loop->current : NULL;
    shield->scope = self ? scope_new(self, true, CALLER) : NULL;
    if (shield->scope)
        co__cancel_update(self);
}

void co_shield_end(struct co_shield *shield)
{
    struct co_task *self = co__loop ? co__loop->current : NULL;
    if (self && shield->scope)
        scope_end(self, shield->scope);
    shield->scope = NULL;
}
