/* scope.h - timeouts and shields. Their records are the loop's: a block may be left carelessly. */
#ifndef CO_TASKS_SCOPE_H
#define CO_TASKS_SCOPE_H

#include "runtime/state/task.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;

/* A timeout or a shield of a task. */
struct co_scope {
    struct co_scope *outer;         /* the task's next one outwards                                   */
    struct co_task *task;
    struct co_scope *next, *prev;   /* its neighbours among those whose time is up; next: also the next free one */
    const void *begun_at;           /* in the student's program                                       */
    int64_t when;                   /* ns: when its time is up                                        */
    uint32_t timer;                 /* 0 = none                                                       */
    bool is_shield;
    bool due;                       /* its time is up, but this instant is not over                   */
    bool expired;                   /* a timeout whose time was up                                    */
};

void co__timeout_begin(struct co_task *self, struct co_timeout *limit, int64_t ns, const void *pc);
void co__scope_due(struct co_scope *scope);             /* its time is up, at the end of this instant */
bool co__scopes_expire(struct loop *loop, int64_t before); /* ends those; false when there is none */
void co__scopes_drop(struct co_task *task);             /* a task ends: those it forgot to end */
void co__scopes_free(struct loop *loop);

/* Where the shield begins that keeps a cancel from a wait in this scope; NULL: there is none. */
const void *co__scope_shield(const struct co_scope *innermost);

#endif
