/* runtime.h - what the files of the runtime share. Students' programs see co.h only. */
#ifndef RUNTIME_H
#define RUNTIME_H

#include "co.h"
#include "runtime/switch/context.h"
#include "runtime/switch/fiber.h"
#include "runtime/switch/stack.h"
#include "runtime/tasks/timer.h"

#include "explore/tape.h"
#include "trace/trace.h"
#include "world/world.h"

#include <assert.h>

/* The place in the student's program from which a public function was called.
 * Only meaningful in the public function itself. */
#define CALLER __builtin_extract_return_addr(__builtin_return_address(0))

/* The exit code of a program that the runtime had to end: livelock, stack overflow, blocked for ever. */
enum { CO_EXIT_FATAL = 70 };

/* ---- Task ------------------------------------------------------------------------------------ */

/* What a suspended task waits for. */
enum wait_kind {
    WAIT_NOTHING, WAIT_YIELD, WAIT_SLEEP, WAIT_HTTP, WAIT_JOB, WAIT_LOCK, WAIT_SEM, WAIT_EVENT, WAIT_QUEUE_GET,
    WAIT_QUEUE_PUT, WAIT_QUEUE_JOIN, WAIT_TASK, WAIT_TASKS, WAIT_GROUP, WAIT_GROUP_NEXT, WAIT_COND, WAIT_BARRIER,
    WAIT_GEN_NEXT, WAIT_GEN_YIELD, WAIT_FILE, WAIT_STREAM,
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

/* ---- What outlives a careless block: kept by the loop, never in the student's memory ------------ */

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

/* A lock that is held. */
struct co_hold {
    struct co_hold *next, *prev;    /* all locks held                                                 */
    struct co_task *task;           /* who holds it; NULL: that task has ended, and was ...           */
    uint32_t last_id;               /* ... this one                                                   */
    const char *last_name;
    const void *taken_at;
};

/* The memory of an answer. */
struct co_answer {
    struct co_answer *next;         /* all answers not yet freed,                                     */
    struct co_answer **link;        /* and what points to this one                                    */
    const void *received_at;
    char *body;                     /* `length` bytes and a '\0'; grows while the answer comes in     */
    size_t length, capacity;        /* capacity 0: the body lies in this block, behind the headers    */
    char *headers;                  /* in this block                                                  */
};

/* A file that is open, or being opened. */
struct co_open_file {
    struct co_open_file *next, *prev; /* all of them                                                  */
    uint64_t number;                /* the world's; 0: not open yet                                   */
    const void *opened_at;
};

/* ---- Loop ------------------------------------------------------------------------------------ */

/* An operation of the world that a task waits for. */
struct op {
    struct co_task *task;           /* who waits; NULL: given up, its completion goes nowhere         */
    void (*deliver)(struct op *, const struct world_completion *); /* takes in what a completion brings */
    void *arg;                      /* for deliver; lives on the waiting task's stack                 */
    struct op *next_free;
    struct op *next_made;           /* all of them, in use or not                                     */
    uint64_t id;                    /* the world's                                                    */
    uint64_t seq;                   /* when it was asked for                                          */
    int rc;                         /* the last completion's                                          */
    bool is_stream;                 /* each completion wakes who waits (`task`; NULL: nobody), and its owner frees it */
    bool is_due;                    /* a stream: somebody is to be woken                              */
};

/* An operation that has ended and whose task is not ready yet. */
struct due { int64_t t; uint64_t seq; struct op *op; };

struct loop {
    struct co_task *current;        /* who runs; NULL: the loop itself, or a worker's job             */
    struct co_task *ready_first;    /* the ready queue, linked by `next`                              */
    struct co_task *ready_last;     /* means nothing while there is none                              */
    int64_t steps_left;             /* without time moving, until something must be done              */
    int64_t now;                    /* ns: the world's clock when it was last looked at               */
    bool watched;                   /* trace, tape, debug mode or canaries: the hot paths take the long way */
    bool silent;                    /* the next limit of steps is a livelock                          */
    bool behind;                    /* time passed while the loop stood still: due things may wait to be seen */
    bool debug;                     /* CO_DEBUG=1                                                     */
    bool live;                      /* the world's clock runs by itself                               */
    bool interrupted;               /* a person has asked the program to end                          */
    bool in_world;                  /* the world is at work: what runs now may be a worker's job      */
    int64_t step_begin;             /* watched: when the current task began to run                    */
    int *errno_at;                  /* the thread's errno: looked up once                             */
    struct trace *trace;            /* NULL: off, or silent for now                                   */
    struct trace *open_trace;       /* the same, silent or not                                        */
    struct tape *tape;              /* NULL: the plain run                                            */
    struct co_world *world;
    int64_t computed;               /* ns of co_cpu and of handling answers so far                    */
    uint64_t seq;                   /* the one sequence of everything that is asked for               */
    uint64_t max_steps;             /* how many without time passing are a livelock                   */
    size_t ready_count;             /* counted only while there is a tape                             */
    struct timers timers;
    struct context context;         /* of the loop itself: the thread's own stack                     */
    struct fiber fiber;
    struct co_scope *due_first, *due_last;  /* timeouts whose time is up: they come last in their instant     */
#if defined(CO_ASAN) || defined(CO_TSAN)
    struct co_task *left;           /* the task that ended and was left just now                      */
    bool left_thread;               /* the switch just made left the thread's own stack               */
#endif
    struct stack_pool stacks;
    struct task_pool tasks;
    struct due *due;                /* sorted by (t, seq) when they are made ready                    */
    size_t due_count, due_capacity;
    size_t ops;                     /* operations submitted and not freed; due has room for all       */
    struct op *free_ops, *made_ops;
    struct co_scope *free_scopes;
    uint32_t next_id;
    size_t alive;                   /* tasks not done                                                 */
    struct co_hold *held;           /* locks that somebody holds, the newest first                    */
    struct co_answer *answers;      /* answers not yet freed, the newest first                        */
    struct co_open_file *files;     /* files not yet closed, the newest first                         */
    struct co_cookies *sessions;    /* sessions not yet closed, the newest first                      */
    struct co_flow *flows;          /* streams not yet closed, the newest first                       */
    uint32_t last_session;          /* the number of the newest one                                   */
    const char *program;
    size_t leaks, blocks, slow_steps, late_waits;   /* reported so far                                */
    uint32_t pools;                 /* made so far                                                    */
    int rc;                         /* -EDEADLK after a deadlock                                      */
    bool broken;                    /* after a deadlock: everything is cancelled, shields or not      */
    bool cancels_deferred;          /* by the tape: some cancels land at their task's next wait       */
};

/* The one global: the loop of this thread, NULL when none runs. (The library is linked into programs only, so
 * the fastest way to reach it will do.) */
extern _Thread_local struct loop *co__loop __attribute__((tls_model("local-exec")));

/* ---- loop.c ---- */

/* A cancelled task wants to wait: -ECANCELED, and in debug mode a word about it. */
int co__refuse(struct co_task *self, const void *pc);

/* The slow part of co__enter: too many steps, or deferred cancels. */
void co__step_limit(struct loop *loop, const void *pc);

/* What can wait begins here: the calling task, or NULL outside one. `pc`: the student's line. Counts a step. */
static inline struct co_task *co__enter_always(const void *pc)
{
    struct loop *loop = co__loop;
    struct co_task *self = loop ? loop->current : NULL;
    if (__builtin_expect(!self, 0))
        return NULL;
    self->waits_at = pc;
    if (__builtin_expect(--loop->steps_left < 0, 0))
        co__step_limit(loop, pc);
    return self;
}

/* The same for what a cancelled task may not do: NULL with the error in *rc (-EPERM, -ECANCELED). */
static inline struct co_task *co__enter(const void *pc, int *rc)
{
    struct co_task *self = co__enter_always(pc);
    if (__builtin_expect(!self || self->cancel_now, 0)) {
        *rc = self ? co__refuse(self, pc) : -EPERM;
        return NULL;
    }
    return self;
}

/* The same in the usual case: a task that may wait, nobody who watches. Else NULL, and nothing has been
 * done: the caller then goes the long way, in a function of its own, so that the short way needs no frame
 * and keeps no register. */
static inline struct co_task *co__enter_quick(const void *pc)
{
    struct loop *loop = co__loop;
    struct co_task *self = loop ? loop->current : NULL;
    if (__builtin_expect(!self || loop->watched || self->cancel_now || loop->steps_left <= 0, 0))
        return NULL;
    loop->steps_left--;
    self->waits_at = pc;
    return self;
}

/* Is this a worker's job? There, nothing of the loop may be touched. */
static inline bool co__in_job(void)
{
    return co__loop && co__loop->in_world;
}

/* Writes to the trace again, if it was silent. */
void co__trace_resume(struct loop *loop);

/* Where the clock runs by itself, it is read before it is counted from. */
void co__read_clock(struct loop *loop);

/* Arms the timer of a task that is about to wait; false without memory. */
bool co__arm(struct co_task *self, int64_t ns);

/* The first thing on a new task's stack. */
void co__task_arrived(struct co_task *self);

/* Suspends the running task until somebody calls co__wake on it; returns the rc given there. */
int co__suspend(struct co_task *self, enum wait_kind kind, const void *what);

/* As co__suspend, in a list of waiters (at its end), out of which co__wake takes it. */
int co__suspend_in(struct co_task *self, enum wait_kind kind, const void *what, struct co_waiters *list);

/* The same for a wait that no cancel ends. */
void co__suspend_always(struct co_task *self, enum wait_kind kind, const void *what, struct co_waiters *list);

/* Makes a suspended task ready: its wait returns rc. Its timer is disarmed. */
void co__wake(struct co_task *task, int rc);

static inline void co__ready_append(struct loop *loop, struct co_task *task)
{
    task->next = NULL;
    if (loop->ready_first)
        loop->ready_last->next = task;
    else
        loop->ready_first = task;
    loop->ready_last = task;
}

/* Puts a task at the end of the ready queue. */
void co__note_ready(struct loop *loop, struct co_task *task);     /* for the trace and the tape */
void co__note_end(struct loop *loop, struct co_task *task);       /* for the trace and debug mode */
static inline void co__make_ready(struct co_task *task)
{
    struct loop *loop = co__loop;
    task->state = TASK_READY;
    co__ready_append(loop, task);
    if (__builtin_expect(loop->watched, 0))
        co__note_ready(loop, task);
}

/* Leaves a task that has ended for the next one. If that has not begun, it may run on this very stack: then this
 * returns what it returned. */
int co__leave(struct co_task *self);

/* Works out whether anything must be watched. */
void co__watch(struct loop *loop);

/* Makes ready what became due while the loop stood still. */
void co__catch_up(struct loop *loop);

/* The loop is busy for ns: `on` and `pc` say with what and where. */
void co__block(int64_t ns, const char *on, const void *pc);

/* Waits, with the loop standing still, until `op` has ended, at most until `deadline` (ns); then gives it up. */
int co__block_on(struct op *op, int64_t deadline);

/* ---- op.c ---- */

/* Submits a request for the running task. NULL: no memory. deliver may be NULL. */
struct op *co__op_submit(struct co_task *task, struct world_request *request,
                         void (*deliver)(struct op *, const struct world_completion *), void *arg);
/* The task no longer waits for it; the world gives it up. Its completion frees it. */
void co__op_abandon(struct op *op);
/* Waits until it has ended, and frees it; if a cancel ends the wait, it is abandoned. Returns its rc or -ECANCELED. */
int co__op_await(struct co_task *self, struct op *op, enum wait_kind kind);
void co__op_free(struct op *op);
void co__op_free_all(struct loop *loop);

/* ---- task.c ---- */

struct stack *co__task_stack(struct co_task *task);     /* its stack, which it is given now at the latest */
void co__task_start(void *task);                        /* the first thing on a task's stack */

/* Runs the task's function, from its beginning to its end. */
static inline int co__task_run(struct co_task *task)
{
    co_fn fn = task->fn;
    task->waits_for = NULL;             /* they share their place */
    return fn(co__origin(task)->job);
}

struct co_task *co__task_new(struct co_group *group, co_fn fn, void *job, const char *name, const void *pc);
void co__tasks_free(struct loop *loop);                 /* all records and stacks */
/* By number, NULL at the end; the caller frees it. Never NULL. */
struct co_task **co__tasks_alive(const struct loop *loop);

/* ---- cancel.c ---- */

/* Works out anew whether the task's calls return -ECANCELED, after a cancel, an expiry, or the end of a
 * scope; wakes it if it now does and waits. */
void co__cancel_update(struct co_task *task);

/* Asks the task to end. `why` and `pc`: for the trace. */
void co__cancel(struct co_task *task, const char *why, const void *pc);

bool co__cancel_deferred(struct loop *loop);            /* lands the cancels that the tape put off; any? */

/* ---- scope.c ---- */

void co__timeout_begin(struct co_task *self, struct co_timeout *limit, int64_t ns, const void *pc);
void co__scope_due(struct co_scope *scope);             /* its time is up, at the end of this instant */
bool co__scopes_expire(struct loop *loop, int64_t before); /* ends those; false when there is none */
void co__scopes_drop(struct co_task *task);             /* a task ends: those it forgot to end */
void co__scopes_free(struct loop *loop);

/* ---- lock.c, answer.c, session.c, stream.c, file.c ---- */

bool co__lock_is_mine(const struct co_lock *lock);
void co__lock_take_again(struct co_lock *lock, struct co_task *self);   /* waits for it, cancelled or not */
void co__holds_orphan(const struct co_task *task);      /* a task ends: the locks it still holds */
void co__holds_free(struct loop *loop);
void co__answers_leave(struct loop *loop);             /* the run ends */
void co__files_free(struct loop *loop);
void co__sessions_report(struct loop *loop);            /* as leaks */
void co__sessions_free(struct loop *loop);
void co__flows_report(struct loop *loop);
void co__flows_free(struct loop *loop);

/* ---- group.c ---- */

struct co_task *co__group_spawn(struct co_group *group, co_fn fn, void *job, const char *name, const void *pc);

/* A task of the group has just ended. */
void co__group_done(struct co_group *group, struct co_task *task);

/* ---- await.c ---- */

/* Somebody waits for a task to end: a link in that task's list. */
struct watch {
    struct watch *next, *prev;
    struct watching *set;
    struct co_task *task;
};
void co__watchers_notify(struct co_task *task);         /* a task has just ended */

/* ---- callback.c, local.c ---- */

void co__callbacks_run(struct co_task *task);           /* a task ends */
struct binding *co__bindings_share(struct binding *);   /* one more task has them; NULL is fine */
void co__bindings_drop(struct binding *);               /* one fewer */

/* ---- lists of waiters ---- */

/* While a list is empty, its `last` means nothing, nor does ever the first one's
 * `prev`: what is not stored costs nothing. */

static inline void waiters_append(struct co_waiters *list, struct co_task *task)
{
    task->waiters = list;
    task->next = NULL;
    if (list->first) {
        task->prev = list->last;
        list->last->next = task;
    } else {
        list->first = task;
    }
    list->last = task;
}

static inline void waiters_remove(struct co_task *task)
{
    struct co_waiters *list = task->waiters;
    if (task == list->first)
        list->first = task->next;
    else
        task->prev->next = task->next;
    if (task->next)
        task->next->prev = task->prev;
    else
        list->last = task->prev;
    task->waiters = NULL;
}

/* ---- waiting, in the usual case ---- */

enum { CO_LINE = 64 };          /* bytes of a cache line */

/* The frames that a suspended task goes on with are on their way while another one runs. (always_inline: gcc takes a
 * function that only prefetches for one that does nothing, and leaves out the call.) */
static inline __attribute__((always_inline)) void co__fetch_stack(const struct co_task *task)
{
    const char *sp = task->context.sp;
    if (!sp)
        return;
    __builtin_prefetch(sp, 1);
    __builtin_prefetch(sp + CO_LINE, 1);
    __builtin_prefetch(sp + 2 * CO_LINE, 1);
    __builtin_prefetch(sp + 3 * CO_LINE, 1);
}

/* Each task has an errno of its own. (Mostly all are the same, and a load costs less than a store.) */
static inline void co__swap_errno(struct loop *loop, struct co_task *self, const struct co_task *next)
{
    int mine = *loop->errno_at;
    if (__builtin_expect(self->saved_errno != mine, 0))
        self->saved_errno = mine;
    if (__builtin_expect(next->saved_errno != mine, 0))
        *loop->errno_at = next->saved_errno;
}

/* As co__suspend_in for a task that co__enter_quick let in, and in line: what is called last is the switch itself. */
static inline __attribute__((always_inline)) int co__suspend_quick(struct co_task *self, enum wait_kind kind,
                                                                   const void *what, struct co_waiters *list)
{
#if defined(CO_ASAN) || defined(CO_TSAN)
    return co__suspend_in(self, kind, what, list);
#else
    struct loop *loop = co__loop;
    struct co_task *next = loop->ready_first;
    if (__builtin_expect(!next || !next->context.sp, 0))
        return co__suspend_in(self, kind, what, list);
    waiters_append(list, self);
    self->state = TASK_WAITING;
    self->kind = (uint8_t)kind;
    self->waits_for = what;
    self->since = loop->now;
    co__swap_errno(loop, self, next);
    struct co_task *second = loop->ready_first = next->next;
    if (second)
        co__fetch_stack(second);
    loop->current = next;
    return co__switch(&self->context, &next->context, next->rc);
#endif
}

/* Wakes the first of a list, which is not empty. Nobody in a list has a timer. */
static inline void co__wake_first(struct co_waiters *list, int rc)
{
    struct co_task *task = list->first, *second = task->next;
    list->first = second;
    task->waiters = NULL;
    task->rc = rc;
    co__make_ready(task);
}

/* ---- report.c ---- */

void co__report_deadlock(struct loop *loop);
_Noreturn void co__report_livelock(struct loop *loop, const void *pc);
_Noreturn void co__report_overflow(struct loop *loop, const void *at);
void co__report_slow_step(int64_t ns, const struct co_task *task);
void co__report_blocked(int64_t ns, const char *on, const void *pc);
_Noreturn void co__report_blocked_for_ever(const char *on, const void *pc);
void co__leak(struct loop *loop, const char *what, const struct co_task *task, const void *pc);
void co__report_leaks(struct loop *loop);               /* at the end of the run */

/* ---- fault.c ---- */

void co__fault_install(void);                           /* a stack overflow gets a report */
void co__fault_remove(void);

/* ---- trace lines of the runtime (tracing.c); called only while loop->trace is set ---- */

const char *co__kind_name(enum wait_kind kind);
void co__trace_ready(const struct co_task *task);
void co__trace_run(const struct co_task *task);
void co__trace_done(const struct co_task *task);
void co__trace_spawn(const struct co_task *task);
void co__trace_await(const struct co_task *task);
void co__trace_cancel(const struct co_task *task, const char *why, const void *pc);
void co__trace_block(int64_t ns, const char *on, const void *pc);

/* ---- for kit.c ---- */

/* Puts a named JSON value into the world's trace. Does not wait. Outside a loop: nothing. */
void co_report_bytes(const char *name, const char *json, size_t length);

#endif
