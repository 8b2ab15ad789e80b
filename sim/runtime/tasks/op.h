/* op.h - operations of the world: submitted by a task, ended by a completion. */
#ifndef CO_TASKS_OP_H
#define CO_TASKS_OP_H

#include "runtime/state/op.h"
#include "runtime/state/task.h"

struct loop;

/* Submits a request for the running task. NULL: no memory. deliver may be NULL. */
struct op *co__op_submit(struct co_task *task, struct world_request *request,
                         void (*deliver)(struct op *, const struct world_completion *), void *arg);
/* The task no longer waits for it; the world gives it up. Its completion frees it. */
void co__op_abandon(struct op *op);
/* Waits until it has ended, and frees it; if a cancel ends the wait, it is abandoned. Returns its rc or -ECANCELED. */
int co__op_await(struct co_task *self, struct op *op, enum wait_kind kind);
void co__op_free(struct op *op);
void co__op_free_all(struct loop *loop);

#endif
