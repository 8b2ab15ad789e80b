/* ring.c - tasks that wait for each other in a ring: found when it closes, whoever else lives.
 *
 * A lock is released by its holder only. So when its holder waits for who waits for the lock, that will never end by
 * itself: only a timeout or a cancel can break the ring. One that a timeout may break is left alone until the timeout
 * is over. The others are named at once; and if within RING_TIME (or RING_MOVES moves of the clock) nobody has
 * cancelled one of the tasks, the run ends as after any deadlock.
 */
#include "runtime/tasks/ring.h"

#include "runtime/state/loop.h"
#include "runtime/state/task.h"
#include "runtime/tasks/scope.h"
#include "runtime/watch/report.h"

enum { RING_MOVES = 100000 };
#define RING_TIME CO_SEC(60)

/* May a timeout still end the wait of a task: one of its own, or one that ends the group it is in? */
static bool may_time_out(const struct co_task *task)
{
    if (task->deaf)
        return false;
    for (; task; task = task->group ? task->group->owner : NULL)
        for (const struct co_scope *scope = task->scope; scope; scope = scope->outer) {
            if (scope->is_shield)
                return false;
            if (scope->expired ? task->state == TASK_READY : scope->when != CO_FOREVER)
                return true;            /* (up, and its task is about to hear of it) */
        }
    return false;
}

/* A ring of which every wait is for one certain task, or for all of a group. */
static size_t find_ring(const struct co_task *task, const struct co_task *path[LONGEST_CIRCLE])
{
    size_t n = co__find_circle(task, path);
    for (size_t i = 0; i < n; i++)
        if (path[i]->kind == WAIT_GROUP_NEXT)
            return 0;
    return n;
}

void co__ring_look(struct co_task *task)
{
    struct loop *loop = co__loop;
    const struct co_task *path[LONGEST_CIRCLE];
    if (loop->broken || loop->ring_named || find_ring(task, path) == 0)
        return;
    loop->ring = task;
    loop->ring_task = task->id;
    loop->ring_since = loop->now;
}

bool co__ring_for_ever(struct loop *loop)
{
    const struct co_task *path[LONGEST_CIRCLE];
    size_t n = loop->ring->id == loop->ring_task ? find_ring(loop->ring, path) : 0;
    if (n == 0) {
        loop->ring = NULL;
        loop->ring_named = false;
        return false;
    }
    for (size_t i = 0; i < n; i++)
        if (may_time_out(path[i])) {
            loop->ring_since = loop->now;
            return false;
        }
    if (!loop->ring_named) {
        loop->ring_named = true;
        loop->ring_moves = 0;
        co__report_ring(loop, path, n);
    }
    if (loop->now - loop->ring_since < RING_TIME && ++loop->ring_moves < RING_MOVES)
        return false;
    co__report_ring_deadlock(loop, path, n);
    loop->ring = NULL;
    return true;
}
