/* ring.h - tasks that wait for each other in a ring, while others live. */
#ifndef CO_TASKS_RING_H
#define CO_TASKS_RING_H

#include "runtime/state/loop.h"
#include "runtime/state/task.h"

#include <stdbool.h>

/* The task waits, or is about to: has a ring closed? */
void co__ring_look(struct co_task *task);

/* loop->ring is set: is it time to end the run? Names the ring if nothing but a cancel can end it. */
bool co__ring_for_ever(struct loop *loop);

/* The task is about to wait: as the ring sees it. */
static inline void co__ring_wait(struct co_task *self, enum wait_kind kind, const void *what)
{
    self->state = TASK_WAITING;
    self->kind = (uint8_t)kind;
    self->waits_for = what;
}

#endif
