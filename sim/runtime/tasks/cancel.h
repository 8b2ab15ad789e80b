/* cancel.h - cancellation. */
#ifndef CO_TASKS_CANCEL_H
#define CO_TASKS_CANCEL_H

#include "runtime/state/task.h"

#include <stdbool.h>

struct loop;

/* Works out anew whether the task's calls return -ECANCELED, after a cancel, an expiry, or the end of a
 * scope; wakes it if it now does and waits. */
void co__cancel_update(struct co_task *task);

/* Asks the task to end. `why` and `pc`: for the trace. */
void co__cancel(struct co_task *task, const char *why, const void *pc);

bool co__cancel_deferred(struct loop *loop);            /* lands the cancels that the tape put off; any? */

#endif
