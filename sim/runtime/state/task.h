/* task.h - the record of a task, as the whole runtime reads it. */
#ifndef CO_STATE_TASK_H
#define CO_STATE_TASK_H

#include "co.h"
#include "runtime/switch/context.h"
#include "runtime/switch/fiber.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct stack;
struct watch;

/* What a suspended task waits for. */
enum wait_kind {
    WAIT_NOTHING, WAIT_YIELD, WAIT_SLEEP, WAIT_HTTP, WAIT_JOB, WAIT_LOCK, WAIT_SEM, WAIT_EVENT, WAIT_QUEUE_GET,
    WAIT_QUEUE_PUT, WAIT_QUEUE_JOIN, WAIT_TASK, WAIT_TASKS, WAIT_GROUP, WAIT_GROUP_NEXT, WAIT_COND, WAIT_BARRIER,
    WAIT_GEN_NEXT, WAIT_GEN_YIELD, WAIT_FILE, WAIT_STREAM,
    WAIT_DATABASE, WAIT_CONNECTION,
    WAIT_SOCKET, WAIT_CLIENT, WAIT_PEER, WAIT_ROOM,
};

enum task_state { TASK_FREE, TASK_READY /* or running */, TASK_WAITING, TASK_DONE };

/* In the order of use: the first cache line is all that a sleep or a yield touches, the second is for the rest of a
 * task's life, and what only its first step and reports ask for lies elsewhere. */
struct co_task {
    struct context context;         /* where it stands while it does not run; sp NULL: it never ran   */
    struct co_task *next;           /* in the ready queue, or in `waiters`                            */
    struct co_waiters *waiters;     /* the list it waits in; NULL: none                               */
    const void *waits_at;           /* where it last waited                                           */
    union {
        co_fn fn;                   /* before it has begun: what it will run                          */
        const void *waits_for;      /* a lock, queue, task, operation: what `kind` says           */
    };
    int64_t since;                  /* ns: when it began to wait                                      */
    int rc;                         /* done: what it returned; else what its wait returns             */
    int saved_errno;                /* while it does not run                                          */
    uint32_t timer;                 /* its place among the timers; 0 = none                           */
    uint8_t state, kind;            /* enum task_state, enum wait_kind                                */
    bool cancel_now;                /* every call that waits returns -ECANCELED                       */
    bool cancel_asked:1;            /* somebody called co_cancel on it                                */
    bool seen:1;                    /* somebody took notice of its end                                */
    bool deaf:1;                    /* no cancel ends the wait at hand                                */
    bool told:1;                    /* debug mode: it has had its first -ECANCELED                    */

    struct co_task *prev;           /* in `waiters`, unless it is the first there                     */
    struct co_task *elder, *younger;/* its neighbours in one of the group's two lists; younger: also the next
                                       free one */
    struct co_group *group;         /* who owns it; NULL: the main task                               */
    struct stack *stack;            /* what it runs on; NULL when done                                */
    struct watch *watchers;         /* who waits for it with co_await or co_wait; NULL: nobody        */
    struct co_scope *scope;         /* its innermost timeout or shield; NULL: none                    */
    uint32_t id;                    /* 1 = the main task                                              */
#if defined(CO_ASAN) || defined(CO_TSAN)
    struct fiber fiber;
#endif
} __attribute__((aligned(64)));

/* What is seldom asked for. */
struct co_origin {
    const char *name;               /* of its function, or given                                      */
    void *job;
    const void *spawned_at;         /* in the student's program                                       */
};

/* Records are made a page at a time: first the tasks, then their origins. A task's address says in which page it is,
 * and at which place. */
enum {
    TASK_PAGE = 4096,
    PAGE_TASKS = (TASK_PAGE - sizeof(void *)) / (sizeof(struct co_task) + sizeof(struct co_origin)),
};

struct task_page {
    struct co_task tasks[PAGE_TASKS];
    struct co_origin origins[PAGE_TASKS];
    struct task_page *next;
};
static_assert(sizeof(struct task_page) <= TASK_PAGE, "a page of tasks");

struct task_pool {
    struct co_task *free;           /* linked by `younger`                                            */
    struct task_page *pages;        /* all that have been used                                        */
    struct task_block *blocks;      /* what they lie in, newest first                                 */
    size_t unused;                  /* pages at the end of the newest                                 */
};

static inline struct co_origin *co__origin(const struct co_task *task)
{
    uintptr_t at = (uintptr_t)task;
    struct task_page *page = (struct task_page *)(at & ~(uintptr_t)(TASK_PAGE - 1));
    return &page->origins[at % TASK_PAGE / sizeof(struct co_task)];
}

/* More records, for a pool that has none left. 0 or -ENOMEM. */
int co__task_pool_grow(struct task_pool *pool);

/* A record whose fields mean nothing yet; NULL: no memory. */
static inline struct co_task *co__task_record(struct task_pool *pool)
{
    if (__builtin_expect(!pool->free, 0) && co__task_pool_grow(pool) < 0)
        return NULL;
    struct co_task *task = pool->free;
    pool->free = task->younger;
    return task;
}

/* All tasks that have not ended, by number, NULL at the end; the caller frees it. Never NULL. */
struct co_task **co__tasks_alive(const struct loop *loop);

/* Gives back all records and stacks: the run is over. */
void co__tasks_free(struct loop *loop);

#endif
