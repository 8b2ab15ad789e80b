/* hold.h - which task holds which lock: known to the loop, so that it can be told of a deadlock and of a leak. */
#ifndef CO_STATE_HOLD_H
#define CO_STATE_HOLD_H

#include "runtime/state/loop.h"
#include "runtime/state/task.h"

#include <stdint.h>
#include <stdlib.h>

/* A lock that is held. */
struct co_hold {
    struct co_hold *next, *prev;    /* all locks held                                                 */
    struct co_task *task;           /* who holds it; NULL: that task has ended, and was ...           */
    uint32_t last_id;               /* ... this one                                                   */
    const char *last_name;
    const void *taken_at;
};

/* The task holds one more. NULL: no memory. */
static inline struct co_hold *co__hold_begin(struct loop *loop, struct co_task *task)
{
    struct co_hold *hold = malloc(sizeof *hold);
    if (!hold)
        return NULL;
    *hold = (struct co_hold){.next = loop->held, .task = task, .taken_at = task->waits_at};
    if (loop->held)
        loop->held->prev = hold;
    loop->held = hold;
    return hold;
}

/* It is released, and nobody waits for it. */
static inline void co__hold_end(struct loop *loop, struct co_hold *hold)
{
    if (hold->prev)
        hold->prev->next = hold->next;
    else
        loop->held = hold->next;
    if (hold->next)
        hold->next->prev = hold->prev;
    free(hold);
}

/* The lock passes to a task that waited for it: the record stays, its content changes. */
static inline void co__hold_pass(struct co_hold *hold, struct co_task *task)
{
    hold->task = task;
    hold->taken_at = task->waits_at;
}

/* A task ends: the locks that it still holds are nobody's. */
void co__holds_orphan(const struct co_task *task);

/* The run is over: frees the records. */
void co__holds_free(struct loop *loop);

#endif
