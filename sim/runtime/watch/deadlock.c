/* deadlock.c - a deadlock: what each task waits for, who holds it, and the circle. */
#include "runtime/state/hold.h"
#include "runtime/watch/report.h"
#include "runtime/watch/tracing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct co_task *co__needs(const struct co_task *task)
{
    if (task->state != TASK_WAITING)
        return NULL;
    if (task->kind == WAIT_LOCK)
        return ((const struct co_lock *)task->waits_for)->hold->task;
    if (task->kind == WAIT_TASK)
        return task->waits_for;
    if (task->kind == WAIT_GROUP || task->kind == WAIT_GROUP_NEXT)
        return ((const struct co_group *)task->waits_for)->first;
    return NULL;
}

void co__print_wait(const struct co_task *task)
{
    fprintf(stderr, "  task %u %s, spawned at %s, waits at %s since %lld ms for ", task->id, co__origin(task)->name,
            co__place(co__origin(task)->spawned_at), co__place(task->waits_at), co__ms(task->since));
    const struct co_task *other = co__needs(task);
    if (task->kind == WAIT_LOCK) {
        const struct co_hold *hold = ((const struct co_lock *)task->waits_for)->hold;
        const struct co_task *holder = hold->task;
        fprintf(stderr, "a lock that task %u %s took at %s%s\n", holder ? holder->id : hold->last_id,
                holder ? co__origin(holder)->name : hold->last_name, co__place(hold->taken_at),
                holder ? "" : " and kept when it ended");
    } else if (task->kind == WAIT_GROUP || task->kind == WAIT_GROUP_NEXT) {
        fprintf(stderr, "the tasks of its group, such as task %u\n", other ? other->id : 0);
    } else if (task->kind == WAIT_TASK) {
        fprintf(stderr, "task %u %s\n", other->id, co__origin(other)->name);
    } else {
        static const char *const what[] = {
            [WAIT_SLEEP] = "its time to come",
            [WAIT_SEM] = "a semaphore that nobody releases", [WAIT_EVENT] = "an event that nobody sets",
            [WAIT_QUEUE_GET] = "an item in a queue into which nobody puts one",
            [WAIT_QUEUE_PUT] = "room in a queue from which nobody gets",
            [WAIT_QUEUE_JOIN] = "task_done of a queue that nobody calls", [WAIT_TASKS] = "other tasks",
            [WAIT_COND] = "a condition of which nobody notifies it", [WAIT_BARRIER] = "a barrier to which too few come",
            [WAIT_GEN_NEXT] = "the next value of a generator", [WAIT_GEN_YIELD] = "somebody who wants its next value",
            [WAIT_HTTP] = "an answer that never comes", [WAIT_JOB] = "a worker",
            [WAIT_FILE] = "the disk",
            [WAIT_DATABASE] = "a database",
            [WAIT_CONNECTION] = "a connection to a database that nobody gives back",
            [WAIT_SOCKET] = "the network", [WAIT_CLIENT] = "a client that never comes",
            [WAIT_PEER] = "what the other side of a connection never sends",
            [WAIT_ROOM] = "room at the other side of a connection, which does not read",
            [WAIT_STREAM] = "more of a stream, which never comes",
        };
        bool known = task->kind < sizeof what / sizeof *what && what[task->kind];
        fprintf(stderr, "%s\n", known ? what[task->kind] : "nothing");
    }
}

/* others: how many tasks are not stuck. */
static void trace_deadlock(struct trace *trace, int64_t now, const struct co_task *task, const struct co_task *holder,
                           size_t others)
{
    const char *kind = co__kind_name(task->kind);
    trace_begin(trace, now, TRACE_RUNTIME, "deadlock");
    trace_int(trace, "task", task->id);
    trace_str(trace, "on", kind, strlen(kind));
    trace_src(trace, "src", task->waits_at);
    trace_int(trace, "since", task->since);
    if (holder)
        trace_int(trace, "holder", holder->id);
    if (others)
        trace_int(trace, "others", (int64_t)others);
    trace_end(trace);
}

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

size_t co__find_circle(const struct co_task *task, const struct co_task *path[LONGEST_CIRCLE])
{
    size_t n = 0;
    path[n++] = task;
    for (const struct co_task *at = co__needs(task); at && n < LONGEST_CIRCLE; at = co__needs(at)) {
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
    for (size_t i = 0; i < n; i++)
        fprintf(stderr, "task %u -> ", path[(lowest + i) % n]->id);
    fprintf(stderr, "task %u\n", path[lowest]->id);
}

void co__report_deadlock(struct loop *loop)
{
    fflush(stdout);                 /* so that what the program said before stands before */
    struct co_task **tasks = co__tasks_alive(loop);
    const struct co_task *path[LONGEST_CIRCLE];
    size_t n = 0;
    explore_faulted(WRONG_DEADLOCK, loop->alive ? tasks[loop->alive - 1]->waits_at : NULL);
    fprintf(stderr, "%s: deadlock at %lld ms: %zu task%s wait%s, and nothing can ever wake %s\n", loop->program,
            co__ms(loop->now), loop->alive, loop->alive == 1 ? "" : "s", loop->alive == 1 ? "s" : "",
            loop->alive == 1 ? "it" : "them");
    for (size_t i = 0; tasks[i]; i++) {
        if (i < DEADLOCK_LINES)
            co__print_wait(tasks[i]);
        if (loop->open_trace)
            trace_deadlock(loop->open_trace, loop->now, tasks[i], co__needs(tasks[i]), 0);
    }
    if (loop->alive > DEADLOCK_LINES)
        fprintf(stderr, "  ... and %zu more\n", loop->alive - DEADLOCK_LINES);
    for (size_t i = 0; n == 0 && tasks[i]; i++)
        n = co__find_circle(tasks[i], path);
    if (n > 0) {
        fprintf(stderr, "  the circle: ");
        print_circle(path, n);
    }
    free(tasks);
}

/* When the last of them began to wait. */
static int64_t closed_at(const struct co_task *const path[], size_t n)
{
    int64_t t = 0;
    for (size_t i = 0; i < n; i++)
        t = path[i]->since > t ? path[i]->since : t;
    return t;
}

void co__report_ring(struct loop *loop, const struct co_task *const path[], size_t n)
{
    fflush(stdout);
    fprintf(stderr, "%s: since %lld ms %zu tasks wait for each other in a ring, and only a cancel can end that: ",
            loop->program, co__ms(closed_at(path, n)), n);
    print_circle(path, n);
    for (size_t i = 0; i < n; i++)
        co__print_wait(path[i]);
}

void co__report_ring_deadlock(struct loop *loop, const struct co_task *const path[], size_t n)
{
    fflush(stdout);
    explore_faulted(WRONG_DEADLOCK, path[0]->waits_at);
    fprintf(stderr, "%s: deadlock at %lld ms: %zu tasks wait for each other in a ring, and until %lld ms nobody has "
            "cancelled one: ", loop->program, co__ms(closed_at(path, n)), n, co__ms(loop->now));
    print_circle(path, n);
    for (size_t i = 0; i < n; i++) {
        co__print_wait(path[i]);
        if (loop->open_trace)
            trace_deadlock(loop->open_trace, loop->now, path[i], path[(i + 1) % n], loop->alive - n);
    }
}
