/* group.h - groups of tasks. */
#ifndef CO_TASKS_GROUP_H
#define CO_TASKS_GROUP_H

#include "runtime/state/task.h"

struct co_task *co__group_spawn(struct co_group *group, co_fn fn, void *job, const char *name, const void *pc);

/* Forgets those that are done: nobody will ask for them. */
void co__group_reap(struct co_group *group);

/* A task of the group has just ended. */
void co__group_done(struct co_group *group, struct co_task *task);

#endif
