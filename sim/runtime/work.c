/* work.c - work that does not wait: here (co_cpu), or on a worker (co_to_thread). */
#include "runtime.h"

void co_cpu(int64_t ns)
{
    if (co__loop)
        co__block(ns, "cpu", CALLER);
}

int co_to_thread_named(co_fn fn, void *job, const char *name)
{
    int rc;
    struct co_task *self = co__enter(CALLER, &rc);
    if (!self)
        return rc;
    (void)name;
    struct world_request request = {.op = WORLD_JOB, .fn = (uintptr_t)fn, .job = (uintptr_t)job};
    struct op *op = co__op_submit(self, &request, NULL, NULL);
    if (!op)
        return -ENOMEM;
    /* Not ended by a cancel, unless the world says that no worker had begun: fn uses the caller's job. */
    rc = co__suspend(self, WAIT_JOB, op);
    co__op_free(op);
    return rc;
}
