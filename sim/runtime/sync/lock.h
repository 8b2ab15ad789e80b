/* lock.h - a lock as a condition needs it. */
#ifndef CO_SYNC_LOCK_H
#define CO_SYNC_LOCK_H

#include "runtime/state/task.h"

#include <stdbool.h>

struct co_lock;

bool co__lock_is_mine(const struct co_lock *lock);
void co__lock_take_again(struct co_lock *lock, struct co_task *self);   /* waits for it, cancelled or not */

#endif
