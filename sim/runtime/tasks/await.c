/* await.c - waiting for tasks to end: one (co_await) or several (co_wait). */
#include "runtime/state/loop.h"
#include "runtime/state/task.h"
#include "runtime/tasks/await.h"
#include "runtime/tasks/enter.h"
#include "runtime/tasks/ready.h"
#include "runtime/tasks/ring.h"
#include "runtime/tasks/scope.h"

#include <stdlib.h>

/* One call of co_await or co_wait. */
struct watching {
    struct co_task *waiter;
    enum co_wait_when when;
    size_t pending;             /* watched tasks that are not done   */
    bool over;                  /* what it waits for has come about  */
};

static void watch_begin(struct watch *watch, struct watching *set, struct co_task *task)
{
    *watch = (struct watch){.set = set, .task = task, .next = task->watchers};
    if (task->watchers)
        task->watchers->prev = watch;
    task->watchers = watch;
}

static void watch_end(struct watch *watch)
{
    if (!watch->task)
        return;                 /* notified: it is in no list any more */
    if (watch->prev)
        watch->prev->next = watch->next;
    else
        watch->task->watchers = watch->next;
    if (watch->next)
        watch->next->prev = watch->prev;
}

/* Does the end of `task` end the waiting? */
static bool ends_waiting(struct watching *set, const struct co_task *task)
{
    if (set->pending == 0 || set->when == CO_FIRST_COMPLETED)
        return true;
    return set->when == CO_FIRST_EXCEPTION && task->rc < 0;
}

void co__watchers_notify(struct co_task *task)
{
    /* The list has the newest in front; who waits longest is woken first. */
    struct watch *watch = task->watchers;
    while (watch->next)
        watch = watch->next;
    for (struct watch *before; watch; watch = before) {
        before = watch->prev;
        struct watching *set = watch->set;
        bool all = set->when == CO_ALL_COMPLETED;
        explore_object(all ? TOUCH_ADD : TOUCH_WRITE, OBJECT_WATCHED, (uintptr_t)set);
        watch->task = NULL;
        set->pending--;
        if (!set->over && ends_waiting(set, task)) {
            set->over = true;
            explore_gathered(OBJECT_WATCHED, (uintptr_t)set, set->waiter->id);
            if (set->waiter->state == TASK_WAITING)
                co__wake(set->waiter, 0);
        }
    }
    task->watchers = NULL;
}

int co__await(struct co_task *self, struct co_task *task)
{
    struct watching set = {.waiter = self, .when = CO_ALL_COMPLETED, .pending = 1};
    struct watch watch;
    watch_begin(&watch, &set, task);
    if (co__loop->held && task->state == TASK_WAITING) {
        co__ring_wait(self, WAIT_TASK, task);
        co__ring_look(self);
    }
    int rc = co__suspend(self, WAIT_TASK, task);
    watch_end(&watch);
    return rc;
}

int co_await(co_task *task, int *task_rc)
{
    int rc;
    struct co_task *self = co__enter(CALLER, &rc);
    if (task_rc)
        *task_rc = co_result(task);
    if (!self)
        return rc;
    if (!task)
        return -ENOMEM;
    if (task == self)
        return -EDEADLK;
    rc = task->state != TASK_DONE ? co__await(self, task) : 0;
    if (task_rc)
        *task_rc = co_result(task);
    task->seen |= task->state == TASK_DONE;
    return rc;
}

/* How many of the tasks are done; those are seen now. *failed: has one of them failed? */
static size_t count_done(co_task *const tasks[], size_t n, bool *failed)
{
    size_t done = 0;
    *failed = false;
    for (size_t i = 0; i < n; i++) {
        explore_object(TOUCH_READ, OBJECT_END, tasks[i]->id);
        if (tasks[i]->state == TASK_DONE) {
            done++;
            *failed |= tasks[i]->rc < 0;
        }
    }
    return done;
}

static int finish_wait(co_task *const tasks[], size_t n)
{
    int done = 0;
    for (size_t i = 0; i < n; i++) {
        explore_object(TOUCH_READ, OBJECT_END, tasks[i]->id);
        if (tasks[i]->state == TASK_DONE) {
            tasks[i]->seen = true;
            done++;
        }
    }
    return done;
}

int co_wait(co_task *const tasks[], size_t n, enum co_wait_when when, int64_t timeout)
{
    int rc;
    bool failed;
    struct co_task *self = co__enter(CALLER, &rc);
    if (!self)
        return rc;
    size_t done = count_done(tasks, n, &failed);
    bool over = done == n || (when == CO_FIRST_COMPLETED && done) || (when == CO_FIRST_EXCEPTION && failed);
    if (over || timeout <= 0)
        return finish_wait(tasks, n);
    struct watch *watches = malloc(n * sizeof *watches);
    if (!watches)
        return -ENOMEM;
    struct watching set = {.waiter = self, .when = when, .pending = n - done};
    for (size_t i = 0; i < n; i++) {
        watches[i].task = NULL;
        if (tasks[i]->state != TASK_DONE)
            watch_begin(&watches[i], &set, tasks[i]);
    }
    struct co_timeout limit;
    co__timeout_begin(self, &limit, timeout, CALLER);
    rc = co_timeout_end(&limit, co__suspend(self, WAIT_TASKS, tasks));
    for (size_t i = 0; i < n; i++)
        watch_end(&watches[i]);
    free(watches);
    return rc < 0 && rc != -ETIMEDOUT ? rc : finish_wait(tasks, n);
}
