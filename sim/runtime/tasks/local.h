/* local.h - values that a task and those it spawns have in common. */
#ifndef CO_TASKS_LOCAL_H
#define CO_TASKS_LOCAL_H

struct binding;

struct binding *co__bindings_share(struct binding *);   /* one more task has them; NULL is fine */
void co__bindings_drop(struct binding *);               /* one fewer */

#endif
