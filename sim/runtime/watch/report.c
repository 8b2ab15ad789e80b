/* report.c - what the runtime tells a person: deadlock, livelock, stack overflow, leaks. On stderr in words, and in
 * the trace. */
#include "runtime/runtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void __gcov_dump(void) __attribute__((weak));

/* "file.c:12", or "?" without debug information. Two texts may be in use at a time. */
static const char *place(const void *pc)
{
    static char texts[4][128];
    static int next;
    char *text = texts[next++ % 4];
    const char *found = pc ? source_line(pc, text, sizeof texts[0]) : NULL;
    return found ? found : "?";
}

static long long ms(int64_t ns)
{
    return (long long)(ns / 1000000);
}

/* Ends a program that cannot go on: what was traced and covered so far is kept. */
static _Noreturn void end_program(struct loop *loop)
{
    if (loop->open_trace)
        trace_flush(loop->open_trace);
    if (__gcov_dump)
        __gcov_dump();
    _exit(CO_EXIT_FATAL);
}

/* ---- Deadlock -------------------------------------------------------------------------------- */

/* The task that `task` needs to go on, where that is one certain task; NULL otherwise. */
static const struct co_task *needs(const struct co_task *task)
{
    if (task->kind == WAIT_LOCK)
        return ((const struct co_lock *)task->waits_for)->hold->task;
    if (task->kind == WAIT_TASK)
        return task->waits_for;
    if (task->kind == WAIT_GROUP || task->kind == WAIT_GROUP_NEXT)
        return ((const struct co_group *)task->waits_for)->first;
    return NULL;
}

static void print_wait(const struct co_task *task)
{
    fprintf(stderr, "  task %u %s, spawned at %s, waits at %s since %lld ms for ", task->id, co__origin(task)->name,
            place(co__origin(task)->spawned_at), place(task->waits_at), ms(task->since));
    const struct co_task *other = needs(task);
    if (task->kind == WAIT_LOCK) {
        const struct co_hold *hold = ((const struct co_lock *)task->waits_for)->hold;
        const struct co_task *holder = hold->task;
        fprintf(stderr, "a lock that task %u %s took at %s%s\n", holder ? holder->id : hold->last_id,
                holder ? co__origin(holder)->name : hold->last_name, place(hold->taken_at),
                holder ? "" : " and kept when it ended");
    } else if (task->kind == WAIT_GROUP || task->kind == WAIT_GROUP_NEXT) {
        fprintf(stderr, "the tasks of its group, such as task %u\n", other ? other->id : 0);
    } else if (task->kind == WAIT_TASK) {
        fprintf(stderr, "task %u %s\n", other->id, co__origin(other)->name);
    } else {
        static const char *const what[] = {
            [WAIT_SEM] = "a semaphore that nobody releases", [WAIT_EVENT] = "an event that nobody sets",
            [WAIT_QUEUE_GET] = "an item in a queue into which nobody puts one",
            [WAIT_QUEUE_PUT] = "room in a queue from which nobody gets",
            [WAIT_QUEUE_JOIN] = "task_done of a queue that nobody calls", [WAIT_TASKS] = "other tasks",
            [WAIT_COND] = "a condition of which nobody notifies it", [WAIT_BARRIER] = "a barrier to which too few come",
            [WAIT_GEN_NEXT] = "the next value of a generator", [WAIT_GEN_YIELD] = "somebody who wants its next value",
            [WAIT_HTTP] = "an answer that never comes", [WAIT_JOB] = "a worker",
            [WAIT_FILE] = "the disk",
            [WAIT_STREAM] = "more of a stream, which never comes",
        };
        bool known = task->kind < sizeof what / sizeof *what && what[task->kind];
        fprintf(stderr, "%s\n", known ? what[task->kind] : "nothing");
    }
}

static void trace_deadlock(struct trace *trace, int64_t now, const struct co_task *task)
{
    const char *kind = co__kind_name(task->kind);
    trace_begin(trace, now, TRACE_RUNTIME, "deadlock");
    trace_int(trace, "task", task->id);
    trace_str(trace, "on", kind, strlen(kind));
    trace_src(trace, "src", task->waits_at);
    trace_int(trace, "since", task->since);
    if (needs(task))
        trace_int(trace, "holder", needs(task)->id);
    trace_end(trace);
}

enum { LONGEST_CIRCLE = 32 };

/* Notes `top` and the tasks below it down to `task`, each the owner of the next one's group and waiting for it.
 * Returns how many they are without `task`; 0 if `task` is not below `top`, or the way is too long. */
static size_t note_descent(const struct co_task *top, const struct co_task *task, const struct co_task *path[],
                           size_t room)
{
    size_t n = 0;
    for (const struct co_task *at = task; at != top; n++) {
        at = at->group ? at->group->owner : NULL;
        if (!at || n == room)
            return 0;
        path[n] = at;
    }
    for (size_t i = 0; i < n / 2; i++) {            /* noted from the bottom up: turn it round */
        const struct co_task *swap = path[i];
        path[i] = path[n - 1 - i];
        path[n - 1 - i] = swap;
    }
    return n;
}

/* The circle that `task` is on, if any: each needs the next, the last needs the first. Returns how many, or 0. */
static size_t find_circle(const struct co_task *task, const struct co_task *path[LONGEST_CIRCLE])
{
    size_t n = 0;
    path[n++] = task;
    for (const struct co_task *at = needs(task); at && n < LONGEST_CIRCLE; at = needs(at)) {
        if (at == task)
            return n;
        bool waits_for_group = at->kind == WAIT_GROUP || at->kind == WAIT_GROUP_NEXT;
        size_t below = waits_for_group ? note_descent(at, task, path + n, LONGEST_CIRCLE - n) : 0;
        if (below)
            return n + below;
        path[n++] = at;
    }
    return 0;
}

/* Prints a circle, the lowest number first. */
static void print_circle(const struct co_task *const path[], size_t n)
{
    size_t lowest = 0;
    for (size_t i = 1; i < n; i++)
        if (path[i]->id < path[lowest]->id)
            lowest = i;
    fprintf(stderr, "  the circle: ");
    for (size_t i = 0; i < n; i++)
        fprintf(stderr, "task %u -> ", path[(lowest + i) % n]->id);
    fprintf(stderr, "task %u\n", path[lowest]->id);
}

enum { DEADLOCK_LINES = 20 };

void co__report_deadlock(struct loop *loop)
{
    fflush(stdout);                 /* so that what the program said before stands before */
    struct co_task **tasks = co__tasks_alive(loop);
    const struct co_task *path[LONGEST_CIRCLE];
    size_t n = 0;
    fprintf(stderr, "%s: deadlock at %lld ms: %zu task%s wait%s, and nothing can ever wake %s\n", loop->program,
            ms(loop->now), loop->alive, loop->alive == 1 ? "" : "s", loop->alive == 1 ? "s" : "",
            loop->alive == 1 ? "it" : "them");
    for (size_t i = 0; tasks[i]; i++) {
        if (i < DEADLOCK_LINES)
            print_wait(tasks[i]);
        if (loop->open_trace)
            trace_deadlock(loop->open_trace, loop->now, tasks[i]);
    }
    if (loop->alive > DEADLOCK_LINES)
        fprintf(stderr, "  ... and %zu more\n", loop->alive - DEADLOCK_LINES);
    for (size_t i = 0; n == 0 && tasks[i]; i++)
        n = find_circle(tasks[i], path);
    if (n > 0)
        print_circle(path, n);
    free(tasks);
}

/* ---- Ends of the program --------------------------------------------------------------------- */

void co__report_livelock(struct loop *loop, const void *pc)
{
    fflush(stdout);
    const struct co_task *task = loop->current;
    fprintf(stderr, "%s: livelock at %lld ms: %llu steps without time passing; task %u %s, spawned at %s, is at %s\n",
            loop->program, ms(loop->now), (unsigned long long)loop->max_steps, task->id, co__origin(task)->name,
            place(co__origin(task)->spawned_at), place(pc));
    if (task->cancel_now)
        fprintf(stderr,
                "  this task was cancelled: each call that waits returns -ECANCELED at once; return from the task\n");
    if (loop->open_trace) {
        trace_begin(loop->open_trace, loop->now, TRACE_RUNTIME, "livelock");
        trace_int(loop->open_trace, "task", task->id);
        trace_src(loop->open_trace, "src", pc);
        trace_int(loop->open_trace, "steps", (int64_t)loop->max_steps);
        trace_end(loop->open_trace);
    }
    end_program(loop);
}

void co__report_overflow(struct loop *loop, const void *at)
{
    const struct co_task *task = loop->current;
    char text[512];
    int length = snprintf(text, sizeof text,
                          "%s: stack overflow at %s in task %u %s, spawned at %s: its stack of %zu KiB is full "
                          "(endless recursion, or a large array on the stack?)\n",
                          loop->program, place(at), task->id, co__origin(task)->name,
                          place(co__origin(task)->spawned_at), loop->stacks.size / 1024);
    if (write(STDERR_FILENO, text, (size_t)length) < 0)
        _exit(CO_EXIT_FATAL);
    if (loop->open_trace) {
        trace_begin(loop->open_trace, loop->now, TRACE_RUNTIME, "overflow");
        trace_int(loop->open_trace, "task", task->id);
        trace_str(loop->open_trace, "name", co__origin(task)->name, strlen(co__origin(task)->name));
        trace_src(loop->open_trace, "src", co__origin(task)->spawned_at);
        trace_src(loop->open_trace, "at", at);
        trace_int(loop->open_trace, "size", (int64_t)loop->stacks.size);
        trace_end(loop->open_trace);
    }
    end_program(loop);
}

enum { BLOCK_LINES = 10 };

void co__report_slow_step(int64_t ns, const struct co_task *task)
{
    fflush(stdout);
    if (co__loop->slow_steps++ < BLOCK_LINES)
        fprintf(stderr, "%s: debug: task %u %s held the loop for %lld ms before it %s %s\n", co__loop->program,
                task->id,
                co__origin(task)->name, ms(ns), task->state == TASK_DONE ? "ended; it last waited at" : "waited at",
                place(task->waits_at));
}

int co__refuse(struct co_task *self, const void *pc)
{
    struct loop *loop = co__loop;
    if (loop->debug && self->told)
        fflush(stdout);
    if (loop->debug && self->told && loop->late_waits++ < BLOCK_LINES)
        fprintf(stderr, "%s: debug: task %u %s was cancelled, and still wants to wait at %s: clean up and return\n",
                loop->program, self->id, co__origin(self)->name, place(pc));
    self->told = true;
    return -ECANCELED;
}

void co__report_blocked(int64_t ns, const char *on, const void *pc)
{
    fflush(stdout);
    struct loop *loop = co__loop;
    if (loop->blocks++ < BLOCK_LINES)
        fprintf(stderr, "%s: %s blocked the loop for %lld ms at %s: no other task could run meanwhile (co_sleep waits "
                "without blocking)\n", loop->program, on, ms(ns), place(pc));
}

void co__report_blocked_for_ever(const char *on, const void *pc)
{
    fflush(stdout);
    struct loop *loop = co__loop;
    fprintf(stderr, "%s: %s at %s would stop the loop for ever: nothing outside this thread can end it\n",
            loop->program, on, place(pc));
    co__trace_resume(loop);
    if (loop->trace)
        co__trace_block(INT64_MAX - loop->now, on, pc);
    end_program(loop);
}

/* ---- Leaks ----------------------------------------------------------------------------------- */

enum { LEAK_LINES = 10 };

void co__leak(struct loop *loop, const char *what, const struct co_task *task, const void *pc)
{
    fflush(stdout);
    const char *verdict = strcmp(what, "task") == 0 ? "ended, and nobody ever awaited it: use co_join or co_await"
                        : strcmp(what, "response") == 0 ? "was never freed: use co_response_free"
                        : strcmp(what, "lock") == 0 ? "was never released"
                        : strcmp(what, "file") == 0 ? "was never closed: use co_file_close or CO_FILE"
                        : strcmp(what, "session") == 0 ? "was never closed: use CO_SESSION or co_session_close"
                        : strcmp(what, "stream") == 0 ? "was never closed: use CO_STREAM or co_stream_close"
                        : "was never ended";
    if (loop->leaks++ < LEAK_LINES) {
        if (strcmp(what, "task") == 0)
            fprintf(stderr, "%s: leak: task %u %s, spawned at %s, %s\n", loop->program, task->id,
                    co__origin(task)->name, place(pc), verdict);
        else
            fprintf(stderr, "%s: leak: the %s of %s %s\n", loop->program, what, place(pc), verdict);
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

void co__report_leaks(struct loop *loop)
{
    for (const struct co_answer *answer = loop->answers; answer; answer = answer->next)
        co__leak(loop, "response", NULL, answer->received_at);
    co__flows_report(loop);
    co__sessions_report(loop);
    for (const struct co_hold *hold = loop->held; hold; hold = hold->next)
        co__leak(loop, "lock", NULL, hold->taken_at);
    for (const struct co_open_file *file = loop->files; file; file = file->next)
        co__leak(loop, "file", NULL, file->opened_at);
    if (loop->leaks > LEAK_LINES)
        fprintf(stderr, "%s: leak: ... and %zu more\n", loop->program, loop->leaks - LEAK_LINES);
}
