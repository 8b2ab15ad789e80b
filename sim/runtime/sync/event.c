/* event.c - the event: wakes all who wait for it, in the order in which they came. */
#include "runtime/state/loop.h"
#include "runtime/state/task.h"
#include "runtime/tasks/enter.h"
#include "runtime/tasks/ready.h"

void co_event_set(struct co_event *event)
{
    if (co__in_job())
        return;
    explore_touch(TOUCH_WRITE, event, sizeof *event);
    event->is_set = true;
    while (event->waiters.first)
        co__wake_first(&event->waiters, 0);
}

void co_event_clear(struct co_event *event)
{
    explore_touch(TOUCH_WRITE, event, sizeof *event);
    if (!co__in_job())
        event->is_set = false;
}

static __attribute__((noinline)) int wait_watched(struct co_event *event, const void *pc)
{
    int rc;
    struct co_task *self = co__enter(pc, &rc);
    explore_touch(TOUCH_READ, event, sizeof *event);
    if (!self)
        return rc;
    return event->is_set ? 0 : co__suspend_in(self, WAIT_EVENT, event, &event->waiters);
}

int co_event_wait(struct co_event *event)
{
    struct co_task *self = co__enter_quick(CALLER);
    if (__builtin_expect(!self, 0))
        return wait_watched(event, CALLER);
    return event->is_set ? 0 : co__suspend_quick(self, WAIT_EVENT, event, &event->waiters);
}
