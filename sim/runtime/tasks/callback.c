/* callback.c - what is called when a task has ended. */
#include "runtime/state/loop.h"
#include "runtime/state/task.h"
#include "runtime/switch/stack.h"
#include "runtime/tasks/callback.h"
#include "runtime/tasks/task.h"

#include <stdlib.h>

struct callback {
    struct callback *next;          /* added after it */
    void (*fn)(co_task *task, void *arg);
    void *arg;
};

/* Nobody is current meanwhile: a callback that tries to wait gets -EPERM. */
static void call(void (*fn)(co_task *task, void *arg), co_task *task, void *arg)
{
    struct loop *loop = co__loop;
    struct co_task *self = loop ? loop->current : NULL;
    if (loop)
        loop->current = NULL;
    fn(task, arg);
    if (loop)
        loop->current = self;
}

int co_on_done(co_task *task, void (*fn)(co_task *task, void *arg), void *arg)
{
    if (co__in_job())
        return -EPERM;
    if (task->state == TASK_DONE) {
        call(fn, task, arg);
        return 0;
    }
    struct callback *callback = malloc(sizeof *callback);
    if (!callback)
        return -ENOMEM;
    *callback = (struct callback){.fn = fn, .arg = arg};
    struct callback **end = &co__task_stack(task)->callbacks;
    while (*end)
        end = &(*end)->next;
    *end = callback;
    return 0;
}

void co__callbacks_run(struct co_task *task)
{
    for (struct callback *callback = task->stack->callbacks, *next; callback; callback = next) {
        next = callback->next;
        call(callback->fn, task, callback->arg);
        free(callback);
    }
    task->stack->callbacks = NULL;
}
