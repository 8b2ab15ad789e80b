/* waiters.h - lists of tasks that wait for one thing, longest first. */
#ifndef CO_STATE_WAITERS_H
#define CO_STATE_WAITERS_H

#include "runtime/state/task.h"

/* While a list is empty, its `last` means nothing, nor does ever the first one's
 * `prev`: what is not stored costs nothing. */

static inline void waiters_append(struct co_waiters *list, struct co_task *task)
{
    task->waiters = list;
    task->next = NULL;
    if (list->first) {
        task->prev = list->last;
        list->last->next = task;
    } else {
        list->first = task;
    }
    list->last = task;
}

static inline void waiters_remove(struct co_task *task)
{
    struct co_waiters *list = task->waiters;
    if (task == list->first)
        list->first = task->next;
    else
        task->prev->next = task->next;
    if (task->next)
        task->next->prev = task->prev;
    else
        list->last = task->prev;
    task->waiters = NULL;
}

#endif
