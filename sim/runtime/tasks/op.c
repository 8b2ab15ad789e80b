/* op.c - operations of the world: submitted by a task, ended by a completion. */
#include "runtime/state/loop.h"
#include "runtime/state/op.h"
#include "runtime/state/task.h"
#include "runtime/tasks/op.h"
#include "runtime/tasks/ready.h"

#include <stdlib.h>

/* Room in `due` for one more operation: taking in a completion can then never fail. */
static bool reserve_due(struct loop *loop)
{
    if (loop->ops < loop->due_capacity)
        return true;
    size_t capacity = loop->due_capacity ? 2 * loop->due_capacity : 64;
    struct due *due = realloc(loop->due, capacity * sizeof *due);
    if (!due)
        return false;
    loop->due = due;
    loop->due_capacity = capacity;
    return true;
}

CO_HOT struct op *co__op_submit(struct co_task *task, struct world_request *request,
                         void (*deliver)(struct op *, const struct world_completion *), void *arg)
{
    struct loop *loop = co__loop;
    struct op *op = loop->free_ops;
    if (!reserve_due(loop))
        return NULL;
    if (op) {
        loop->free_ops = op->next_free;
    } else {
        if (!(op = malloc(sizeof *op)))
            return NULL;
        op->next_made = loop->made_ops;
        loop->made_ops = op;
    }
    *op = (struct op){.task = task, .deliver = deliver, .arg = arg, .seq = ++loop->seq, .rc = -EINPROGRESS,
                      .next_made = op->next_made};
    request->task = task->id;
    request->user = (uintptr_t)op;
    explore_asks(request, op);
    loop->ops++;
    op->id = loop->world->submit(loop->world, request);
    if (op->id == 0) {
        co__op_free(op);
        return NULL;
    }
    return op;
}

void co__op_abandon(struct op *op)
{
    op->task = NULL;
    op->is_stream = false;
    explore_object(TOUCH_WRITE, OBJECT_WORLD, 0);
    co__loop->world->cancel(co__loop->world, op->id);
}

CO_HOT int co__op_await(struct co_task *self, struct op *op, enum wait_kind kind)
{
    int rc = co__suspend(self, kind, op);
    if (self->waits_for)                /* else it was given up, and its completion frees it, or has done so */
        co__op_free(op);
    return rc;
}

void co__op_free(struct op *op)
{
    struct loop *loop = co__loop;
    op->next_free = loop->free_ops;
    loop->free_ops = op;
    loop->ops--;
}

void co__op_free_all(struct loop *loop)
{
    for (struct op *op = loop->made_ops, *next; op; op = next) {
        next = op->next_made;
        free(op);
    }
}
