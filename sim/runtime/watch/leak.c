/* leak.c - what the program has left behind. */
#include "runtime/watch/report.h"

#include <stdio.h>
#include <string.h>

enum { LEAK_LINES = 10 };

void co__leak(struct loop *loop, const char *what, const struct co_task *task, const void *pc)
{
    explore_left(what, pc);
    fflush(stdout);
    const char *verdict = strcmp(what, "task") == 0 ? "ended, and nobody ever awaited it: use co_join or co_await"
                        : strcmp(what, "response") == 0 ? "was never freed: use co_response_free"
                        : strcmp(what, "lock") == 0 ? "was never released"
                        : strcmp(what, "file") == 0 ? "was never closed: use co_file_close or CO_FILE"
                        : strcmp(what, "session") == 0 ? "was never closed: use CO_SESSION or co_session_close"
                        : strcmp(what, "stream") == 0 ? "was never closed: use CO_STREAM or co_stream_close"
                        : strcmp(what, "database") == 0 ? "was never closed: use CO_DB or co_db_close"
                        : strcmp(what, "connection") == 0 ? "was never given back: use CO_CONN or co_conn_give"
                        : strcmp(what, "rows") == 0 ? "were never closed: use CO_ROWS or co_rows_close"
                        : strcmp(what, "transaction") == 0 ? "was neither committed nor rolled back: use CO_TRANSACTION"
                        : strcmp(what, "server") == 0 ? "was never closed: use CO_SERVER or co_server_close"
                        : strcmp(what, "WebSocket") == 0 ? "was never closed: use CO_WS or co_ws_end"
                        : "was never ended";
    if (loop->leaks++ < LEAK_LINES) {
        if (strcmp(what, "task") == 0)
            fprintf(stderr, "%s: leak: task %u %s, spawned at %s, %s\n", loop->program, task->id,
                    co__origin(task)->name, co__place(pc), verdict);
        else
            fprintf(stderr, "%s: leak: the %s of %s %s\n", loop->program, what, co__place(pc), verdict);
    }
    if (!loop->open_trace)
        return;
    if (loop->live)
        co__read_clock(loop);
    trace_begin(loop->open_trace, loop->now, TRACE_RUNTIME, "leak");
    trace_str(loop->open_trace, "what", what, strlen(what));
    trace_src(loop->open_trace, "src", pc);
    if (task) {
        trace_int(loop->open_trace, "task", task->id);
        trace_str(loop->open_trace, "name", co__origin(task)->name, strlen(co__origin(task)->name));
    }
    trace_end(loop->open_trace);
}

void co__leaks_end(const struct loop *loop)
{
    if (loop->leaks > LEAK_LINES)
        fprintf(stderr, "%s: leak: ... and %zu more\n", loop->program, loop->leaks - LEAK_LINES);
}
