/* hold.c - locks whose holder has ended, and the end of all. */
#include "runtime/state/hold.h"

void co__holds_orphan(const struct co_task *task)
{
    for (struct co_hold *hold = co__loop->held; hold; hold = hold->next)
        if (hold->task == task) {
            hold->task = NULL;
            hold->last_id = task->id;
            hold->last_name = co__origin(task)->name;
        }
}

void co__holds_free(struct loop *loop)
{
    while (loop->held)
        co__hold_end(loop, loop->held);
}
