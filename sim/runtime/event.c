/* event.c - the event: wakes all who wait for it, in the order in which they came. */
#include "runtime.h"

void co_event_set(struct co_event *event)
{
    if (co__in_job())
        return;
    event->is_set = true;
    while (event->waiters.first)
        co__wake(event->waiters.first, 0);
}

void co_event_clear(struct co_event *event)
{
    if (!co__in_job())
        event->is_set = false;
}

int co_event_wait(struct co_event *event)
{
    int rc;
    struct co_task *self = co__enter(CALLER, &rc);
    if (!self)
        return rc;
    return event->is_set ? 0 : co__suspend_in(self, WAIT_EVENT, event, &event->waiters);
}
