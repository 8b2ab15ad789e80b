/* tracing.h - the runtime's lines of the trace. Called only while the loop has a trace. */
#ifndef CO_WATCH_TRACING_H
#define CO_WATCH_TRACING_H

#include "runtime/state/task.h"

#include <stdint.h>

const char *co__kind_name(enum wait_kind kind);
void co__trace_ready(const struct co_task *task);
void co__trace_run(const struct co_task *task);
void co__trace_done(const struct co_task *task);
void co__trace_spawn(const struct co_task *task);
void co__trace_await(const struct co_task *task, const void *shield);   /* where the shield begins round it */
void co__trace_cancel(const struct co_task *task, const char *why, const void *pc);
void co__trace_block(int64_t ns, const char *on, const void *pc);

#endif
