/* await.h - who waits for a task to end. */
#ifndef CO_TASKS_AWAIT_H
#define CO_TASKS_AWAIT_H

#include "runtime/state/task.h"

/* Somebody waits for a task to end: a link in that task's list. */
struct watch {
    struct watch *next, *prev;
    struct watching *set;
    struct co_task *task;
};
/* Waits until the task has ended: 0, and its record may be gone. Or -ECANCELED. */
int co__await(struct co_task *self, struct co_task *task);

void co__watchers_notify(struct co_task *task);         /* a task has just ended */

#endif
