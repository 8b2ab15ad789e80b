/* callback.h - what is called when a task ends. */
#ifndef CO_TASKS_CALLBACK_H
#define CO_TASKS_CALLBACK_H

#include "runtime/state/task.h"

void co__callbacks_run(struct co_task *task);           /* a task ends */

#endif
