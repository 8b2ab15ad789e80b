/* tracing.c - the runtime's lines of the trace. */
#include "runtime/state/loop.h"
#include "runtime/state/op.h"
#include "runtime/state/task.h"
#include "runtime/watch/tracing.h"

#include <stddef.h>
#include <string.h>

const char *co__kind_name(enum wait_kind kind)
{
    static const char *const names[] = {
        [WAIT_NOTHING] = "nothing", [WAIT_YIELD] = "yield", [WAIT_SLEEP] = "sleep", [WAIT_HTTP] = "http",
        [WAIT_FILE] = "file", [WAIT_JOB] = "job", [WAIT_LOCK] = "lock", [WAIT_SEM] = "sem", [WAIT_EVENT] = "event",
        [WAIT_QUEUE_GET] = "queue.get", [WAIT_QUEUE_PUT] = "queue.put", [WAIT_QUEUE_JOIN] = "queue.join",
        [WAIT_COND] = "cond", [WAIT_BARRIER] = "barrier", [WAIT_GEN_NEXT] = "gen.next", [WAIT_GEN_YIELD] = "gen.yield",
        [WAIT_STREAM] = "stream",
        [WAIT_DATABASE] = "database", [WAIT_CONNECTION] = "connection",
        [WAIT_SOCKET] = "socket", [WAIT_CLIENT] = "client", [WAIT_PEER] = "peer", [WAIT_ROOM] = "room",
        [WAIT_TASK] = "task", [WAIT_TASKS] = "wait", [WAIT_GROUP] = "group", [WAIT_GROUP_NEXT] = "group",
    };
    return names[kind];
}

static struct trace *begin(const char *ev, const struct co_task *task)
{
    struct trace *trace = co__loop->trace;
    if (co__loop->live)
        co__read_clock(co__loop);           /* the world's own lines may have gone ahead */
    trace_begin(trace, co__loop->now, TRACE_RUNTIME, ev);
    if (task)
        trace_int(trace, "task", task->id);
    return trace;
}

/* Who runs: the loop is 0. */
static uint32_t by(void)
{
    return co__loop->current ? co__loop->current->id : 0;
}

void co__trace_ready(const struct co_task *task)
{
    struct trace *trace = begin("ready", task);
    trace_int(trace, "by", by());
    trace_end(trace);
}

void co__trace_run(const struct co_task *task)
{
    trace_end(begin("run", task));
}

void co__trace_done(const struct co_task *task)
{
    struct trace *trace = begin("done", task);
    trace_int(trace, "rc", task->rc);
    trace_end(trace);
}

/* The task that was spawned just before this one, if it has the same job and has not begun: then one thing was given to
 * both. Later nothing could be told from an address, as a task that has begun may have freed its
 * job. 0: there is none. */
static uint32_t shares_job_with(const struct co_task *task)
{
    if (!co__origin(task)->job || !co__loop->ready_first)
        return 0;
    const struct co_task *last = co__loop->ready_last;
    return co__origin(last)->job == co__origin(task)->job && !last->context.sp ? last->id : 0;
}

void co__trace_spawn(const struct co_task *task)
{
    struct trace *trace = begin("spawn", task);
    trace_str(trace, "name", co__origin(task)->name, strlen(co__origin(task)->name));
    trace_src(trace, "src", co__origin(task)->spawned_at);
    trace_int(trace, "by", by());
    uint32_t twin = shares_job_with(task);
    if (twin)
        trace_int(trace, "job_of", twin);
    trace_end(trace);
}

void co__trace_await(const struct co_task *task, const void *shield)
{
    const char *kind = co__kind_name(task->kind);
    struct trace *trace = begin("await", task);
    trace_str(trace, "on", kind, strlen(kind));
    trace_src(trace, "src", task->waits_at);
    if (task->kind == WAIT_HTTP || task->kind == WAIT_JOB || task->kind == WAIT_FILE || task->kind == WAIT_STREAM
        || task->kind == WAIT_DATABASE || task->kind == WAIT_SOCKET)
        trace_int(trace, "op", (int64_t)((const struct op *)task->waits_for)->id);
    if (task->kind == WAIT_TASK)
        trace_int(trace, "target", ((const struct co_task *)task->waits_for)->id);
    trace_src(trace, "shield", shield);
    trace_end(trace);
}

void co__trace_cancel(const struct co_task *task, const char *why, const void *pc)
{
    struct trace *trace = begin("cancel", task);
    trace_int(trace, "by", by());
    trace_str(trace, "why", why, strlen(why));
    if (pc)
        trace_src(trace, "src", pc);
    trace_end(trace);
}

void co__trace_block(int64_t ns, const char *on, const void *pc)
{
    struct trace *trace = begin("block", co__loop->current);
    trace_int(trace, "ns", ns);
    trace_str(trace, "on", on, strlen(on));
    trace_src(trace, "src", pc);
    trace_end(trace);
}
