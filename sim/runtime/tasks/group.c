/* group.c - groups: tasks that end before the block that owns them does.
 *
 * A group keeps two lists: the tasks that are alive, in the order of their birth, and those that are done, in
 * the order of their end. A task moves from one to the other and is freed with the group. Of those that are done, all
 * before `next_done` have been taken notice of.
 */
#include "runtime/state/loop.h"
#include "runtime/state/task.h"
#include "runtime/tasks/cancel.h"
#include "runtime/tasks/enter.h"
#include "runtime/tasks/group.h"
#include "runtime/tasks/ready.h"
#include "runtime/tasks/ring.h"
#include "runtime/tasks/task.h"
#include "runtime/watch/report.h"

#include <stdlib.h>

struct co_group co_group_begin(void)
{
    return (struct co_group){.owner = co__loop ? co__loop->current : NULL};
}

static void list_append(struct co_task **first, struct co_task **last, struct co_task *task)
{
    task->younger = NULL;
    task->elder = *last;
    if (*last)
        (*last)->younger = task;
    else
        *first = task;
    *last = task;
}

static void list_remove(struct co_task **first, struct co_task **last, struct co_task *task)
{
    if (task->elder)
        task->elder->younger = task->younger;
    else
        *first = task->younger;
    if (task->younger)
        task->younger->elder = task->elder;
    else
        *last = task->elder;
}

struct co_task *co__group_spawn(struct co_group *group, co_fn fn, void *job, const char *name, const void *pc)
{
    struct co_task *task = co__task_new(group, fn, job, name, pc);
    if (!task) {
        group->no_memory = true;
        return NULL;
    }
    explore_object(TOUCH_WRITE, OBJECT_GROUP, (uintptr_t)group);
    list_append(&group->first, &group->last, task);
    if (group->canceled || co__loop->broken)
        co__cancel(task, "group", NULL);
    return task;
}

co_task *co_spawn_named(struct co_group *group, co_fn fn, void *job, const char *name)
{
    return co__loop && co__loop->current ? co__group_spawn(group, fn, job, name, CALLER) : NULL;
}

/* Tells all living tasks of the group to end. */
static void group_cancel(struct co_group *group, const void *pc)
{
    explore_object(TOUCH_WRITE, OBJECT_GROUP, (uintptr_t)group);
    group->canceled = true;
    for (struct co_task *task = group->first; task; task = task->younger)
        co__cancel(task, "group", pc);
}

void co_group_cancel(struct co_group *group)
{
    if (co__loop && !co__in_job())
        group_cancel(group, CALLER);
}

/* A task that fails because it was told to end is no failure of the group. */
static bool failed(const struct co_task *task)
{
    return task->rc < 0 && !(task->rc == -ECANCELED && task->cancel_asked);
}

void co__group_done(struct co_group *group, struct co_task *task)
{
    explore_object(task->rc < 0 ? TOUCH_WRITE : TOUCH_ADD, OBJECT_GROUP, (uintptr_t)group);
    list_remove(&group->first, &group->last, task);
    list_append(&group->done_first, &group->done_last, task);
    if (!group->next_done)
        group->next_done = task;
    if (__builtin_expect(task->rc < 0, 0) && failed(task)) {
        group->failures++;
        if (group->joining && !group->canceled)
            group_cancel(group, NULL);
    }
    struct co_task *waiter = group->waiter;
    if (waiter && waiter->state == TASK_WAITING && (waiter->kind == WAIT_GROUP_NEXT || !group->first)) {
        explore_gathered(OBJECT_GROUP, (uintptr_t)group, waiter->id);
        co__wake(waiter, 0);
    }
}

/* Who waits for its tasks holds a lock, perhaps, for which one of them waits. */
static void look_for_rings(struct co_task *self, struct co_group *group)
{
    co__ring_wait(self, WAIT_GROUP, group);
    for (struct co_task *task = group->first; task; task = task->younger)
        if (task->state == TASK_WAITING && task->kind == WAIT_LOCK)
            co__ring_look(task);
}

/* Waits until no task of the group is alive, whatever happens to the waiter. When it is cancelled, so are they, and
 * this returns false. */
static bool wait_for_all(struct co_task *self, struct co_group *group)
{
    explore_object(TOUCH_READ, OBJECT_GROUP, (uintptr_t)group);
    bool undisturbed = !self->cancel_now;
    if (!undisturbed && group->first && !group->canceled)
        group_cancel(group, NULL);
    while (group->first) {
        group->waiter = self;
        if (co__loop->held)
            look_for_rings(self, group);
        if (co__suspend(self, WAIT_GROUP, group) == -ECANCELED) {
            undisturbed = false;
            if (!group->canceled)
                group_cancel(group, NULL);
        }
    }
    group->waiter = NULL;
    return undisturbed;
}

/* Notice is taken of all that are done: a second join reports nothing twice. */
static void all_seen(struct co_group *group)
{
    group->next_done = NULL;
    group->failures = 0;
}

/* What the first failing task returned, among those not handed out; 0 when none failed. */
static int first_failure(const struct co_group *group)
{
    if (!group->failures)
        return 0;
    const struct co_task *task = group->next_done;
    while (!failed(task))
        task = task->younger;
    return task->rc;
}

static int join(struct co_task *self, struct co_group *group)
{
    if (first_failure(group) < 0 && !group->canceled)
        group_cancel(group, NULL);
    group->joining = true;
    bool undisturbed = wait_for_all(self, group);
    group->joining = false;
    int rc = first_failure(group);
    all_seen(group);
    bool no_memory = group->no_memory;
    group->no_memory = group->canceled = false;
    if (!undisturbed)
        return -ECANCELED;
    return rc < 0 ? rc : no_memory ? -ENOMEM : 0;
}

int co_join(struct co_group *group)
{
    struct co_task *self = co__enter_always(CALLER);
    if (!self || self != group->owner)
        return self && self->cancel_now ? -ECANCELED : -EPERM;
    return join(self, group);
}

int co_next_done(struct co_group *group, co_task **done)
{
    int rc;
    struct co_task *self = co__enter(CALLER, &rc);
    if (!self)
        return rc;
    if (self != group->owner)
        return -EPERM;
    explore_ends_in_order();
    explore_object(TOUCH_READ, OBJECT_GROUP, (uintptr_t)group);
    while (!group->next_done) {
        if (!group->first)
            return 0;
        group->waiter = self;
        rc = co__suspend(self, WAIT_GROUP_NEXT, group);
        group->waiter = NULL;
        if (rc < 0)
            return rc;
    }
    *done = group->next_done;
    (*done)->seen = true;
    group->failures -= failed(*done);
    group->next_done = (*done)->younger;
    return 1;
}

/* Frees the records of the tasks, after a word about those whose end nobody took notice of. */
static void free_tasks(struct loop *loop, struct co_group *group)
{
    for (struct co_task *task = group->next_done; task; task = task->younger)
        /* A task that was cancelled has no result to miss; an owner that was cancelled is excused. */
        if (!task->seen && !task->cancel_asked && !group->owner->cancel_now)
            co__leak(loop, "task", task, co__origin(task)->spawned_at);
    if (group->done_first) {
        group->done_last->younger = loop->tasks.free;
        loop->tasks.free = group->done_first;
    }
    *group = (struct co_group){.owner = group->owner};
}

void co__group_reap(struct co_group *group)
{
    struct loop *loop = co__loop;
    if (!group->done_first)
        return;
    group->done_last->younger = loop->tasks.free;
    loop->tasks.free = group->done_first;
    group->done_first = group->done_last = group->next_done = NULL;
    group->failures = 0;
}

void co_group_end(struct co_group *group)
{
    struct co_task *self = co__loop ? co__loop->current : NULL;
    if (!self || self != group->owner)
        return;
    wait_for_all(self, group);
    free_tasks(co__loop, group);
}

int co_gather_named(co_fn fn, void *jobs, size_t n, size_t size, int rcs[], const char *name)
{
    int rc;
    struct co_task *self = co__enter(CALLER, &rc);
    for (size_t i = 0; !self && rcs && i < n; i++)
        rcs[i] = rc;                                /* complete, though nobody began */
    if (!self)
        return rc;
    CO_GROUP(group);
    uint32_t first_id = co__loop->next_id + 1;      /* nobody else spawns in between */
    for (size_t i = 0; i < n && !group.no_memory; i++)
        co__group_spawn(&group, fn, (char *)jobs + i * size, name, CALLER);
    if (!rcs || group.no_memory)
        return join(self, &group);
    bool undisturbed = wait_for_all(self, &group);
    for (struct co_task *task = group.done_first; task; task = task->younger)
        rcs[task->id - first_id] = task->rc;
    all_seen(&group);
    return undisturbed ? 0 : -ECANCELED;
}
