/* loop.h - the record of the loop: all that is known of one run. */
#ifndef CO_STATE_LOOP_H
#define CO_STATE_LOOP_H

#include "explore/tape.h"
#include "explore/touch.h"
#include "runtime/state/task.h"
#include "runtime/state/timer.h"
#include "runtime/switch/context.h"
#include "runtime/switch/fiber.h"
#include "runtime/switch/modes.h"
#include "runtime/switch/stack.h"
#include "trace/trace.h"
#include "world/world.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The place in the student's program from which a public function was called.
 * Only meaningful in the public function itself. */
#ifdef __wasm__
#include "runtime/switch/flow.h"
#define CALLER ((const void *)co__pc)
#else
#define CALLER __builtin_extract_return_addr(__builtin_return_address(0))
#endif

/* The exit code of a program that the runtime had to end: livelock, stack overflow, blocked for ever. */
enum { CO_EXIT_FATAL = 70 };

enum {
    TRACED_STEPS = 50000,       /* more of them at one instant are not traced: nobody could read that */
    TRACED_MOVES = 100000,      /* so many moves of the clock for timers only are traced             */
    MOVES_PER_STEP = 10,        /* times max_steps of them are without end                           */
    LIVE_STEPS = 1000,          /* after so many a live world is asked what has happened, whoever is ready */
};

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
    bool caught;                    /* a call that was caught at link time waits, and will say so     */
    bool own_modes;                 /* the program calls <fenv.h>: the long way keeps each task's modes apart */
    struct modes modes;             /* those that every other flow has                                */
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
    struct co_database *databases;  /* databases not yet closed, and such as have connections out     */
    uint32_t prepared;              /* statements prepared so far                                     */
    struct servers *servers;        /* and WebSockets; NULL: there was none                           */
    struct co_cookies *sessions;    /* sessions not yet closed, the newest first                      */
    struct co_flow *flows;          /* streams not yet closed, the newest first                       */
    uint32_t last_session;          /* the number of the newest one                                   */
    const char *program;
    size_t leaks, blocks, slow_steps, late_waits;   /* reported so far                                */
    uint32_t pools;                 /* made so far                                                    */
    int rc;                         /* -EDEADLK after a deadlock                                      */
    bool broken;                    /* after a deadlock: everything is cancelled, shields or not      */
    struct co_task *ring;           /* one of tasks that wait for each other in a ring; NULL: none known */
    uint32_t ring_task;             /* its number, as records are used again                          */
    bool ring_named;                /* only a cancel can end it, and the program has been told        */
    int64_t ring_since, ring_moves; /* since when, and how often time has moved since it was named    */
    int64_t moves;                  /* of the clock, for timers only, since something came from outside */
    bool cancels_deferred;          /* by the tape: some cancels land at their task's next wait       */
};

/* The one global: the loop of this thread, NULL when none runs. (The library is linked into programs only, so
 * the fastest way to reach it will do.) */
extern _Thread_local struct loop *co__loop __attribute__((tls_model("local-exec")));

/* Works out whether anything must be watched. */
void co__watch(struct loop *loop);

/* Writes to the trace again, if it was silent. */
void co__trace_resume(struct loop *loop);

/* Time has moved: steps are counted from here. */
static inline void co__steps_restart(struct loop *loop)
{
    loop->steps_left = loop->live ? LIVE_STEPS : loop->max_steps < TRACED_STEPS ? (int64_t)loop->max_steps
        : TRACED_STEPS;
    loop->silent = loop->max_steps <= TRACED_STEPS;
    if (loop->trace != loop->open_trace && loop->moves < TRACED_MOVES)
        co__trace_resume(loop);
}

/* Looks at the world's clock. (Where it runs by itself, before anything is counted from `now`.) */
static inline void co__read_clock(struct loop *loop)
{
    int64_t now = loop->world->now(loop->world);
    if (now != loop->now)
        co__steps_restart(loop);
    loop->now = now;
}

/* Is this a worker's job? There, nothing of the loop may be touched. */
static inline bool co__in_job(void)
{
    return co__loop && co__loop->in_world;
}

#endif
