/* search.h - one worker's search: what it is to do, the run at hand, and what was found. All of it is memory that the
 * worker shares with the process that started it, so that it outlives a worker that a student's program has ended.
 *
 *     search.c    the process that starts the workers, and what it says in the end
 *     worker.c    one run after the other
 *     run.c       the run at hand: what the runtime tells (touch.h)
 *     plan.c      which order comes next
 *     memory.c    the compiler's thread-sanitizer calls, and the functions of <string.h>
 *     lost.c      lost updates; overlap.c, beside.c: requests that are never under way together
 *     guard.c     what ends a program, or never ends
 */
#ifndef SEARCH_H
#define SEARCH_H

#include "explore/search/lost.h"
#include "explore/search/overlap.h"
#include "explore/search/path.h"
#include "runtime/state/loop.h"
#include "runtime/switch/context.h"

enum {
    FINDINGS_MOST = 32, DEVIATIONS_MOST = 4096, TAPE_TEXT = 512, IDS_MOST = 1 << 16, CLASSES_MOST = 1 << 20,
    REPORT_TEXT = 160, SLOTS_MOST = 1 << 14,
};

/* At that question of the tape another option than 0 was taken. */
struct taken { uint64_t question; uint32_t option; };

/* How a run came to its order. */
enum kind { KIND_PLAIN, KIND_ONE, KIND_TWO, KIND_RANDOM, KIND_PCT, KIND_PATH, KIND_MEMORY, KIND_CANCEL, KINDS };

/* What went wrong in some order: once for each kind and place. */
struct finding {
    enum explore_wrong fault;
    int64_t number;                     /* FAILED: the rc; CRASH: the signal; EXIT: the code                 */
    const void *at;                     /* a place in the program                                            */
    struct lost_update lost;            /* LOST                                                              */
    char text[REPORT_TEXT];             /* LEAK: of what; DIFFERS: the report                                */
    uint64_t orders;                    /* in how many                                                       */
    uint64_t first, last;               /* the numbers of the first and the newest, from 1                   */
    uint32_t deviations;                /* on its tape                                                       */
    enum kind kind;                     /* of the order that the tape is of                                  */
    uint64_t trial;                     /* and its trial                                                     */
    char tape[TAPE_TEXT];
};

/* How the next run is steered. */
struct plan {
    uint64_t most;                      /* orders at most                                                    */
    bool sampled;                       /* not the path's: plain, one deviation, two, at random, PCT         */
    enum kind kind;
    uint64_t random;                    /* the state of the generator                                        */
    struct taken deviations[2];
    uint32_t deviations_n, deviation_at;
    uint32_t plain_n;                   /* the questions of the plain run                                    */
    uint32_t plain_options[DEVIATIONS_MOST];
    uint32_t places[DEVIATIONS_MOST];   /* PCT: steps at which the running process falls behind               */
    uint32_t places_n;
    uint32_t rank[PROCESSES_MOST];      /* PCT: the highest goes first                                       */
    uint32_t ranks_n;
    uint64_t by_kind[KINDS];
    bool trials;                        /* first, in the plain order: each allocation fails, each wait is cancelled */
    uint64_t trial;                     /* the allocation that fails, the step after which the cancel comes; from 1 */
    uint64_t trials_n[KINDS];           /* so many there are to be tried                                     */
};

struct search {
    struct plan plan;
    bool running, over, complete;       /* a run is under way; nothing is left to do; all orders were seen   */
    bool ends_in_order;                 /* it matters in which order the tasks of a group end                 */
    bool again;                         /* that was found out in this run: all begins anew                   */
    bool unsound;                       /* a table was too small: some orders may be missing                 */
    int crash;                          /* the signal that ended the worker                                  */
    bool overflowed;                    /* ... as a task's stack was full                                    */
    bool endless;                       /* ... as it went on and on                                           */
    const void *crashed_at;
    uint64_t ticks, ticked_in;          /* quarters of a second of the processor's in one run, and in which  */
    const void *volatile looks_at;      /* whose memory is looked at in the program's stead                  */
    uint64_t orders, whole, deaths;     /* runs; those that no other one makes superfluous                   */
    uint64_t classes_n;
    uint64_t progress;                  /* changes while something goes on                                   */
    struct finding findings[FINDINGS_MOST];
    uint32_t findings_n;

    /* The run at hand. */
    bool active, in_step, same;         /* within a run; within a step; no time since the step before        */
    bool blocked, faulted, cancelled;
    uint32_t current;                   /* the process whose step it is                                      */
    const struct co_task *task;
    const void *task_waited_at;         /* before this step                                                  */
    int choice;                         /* of the place that the tape will be asked about                    */
    uint64_t allocations;               /* that the program's own files have asked for in this run           */
    uint64_t hash, instants, questions; /* of its class; how often time has moved; of the tape                */
    uint64_t budget;                    /* basic blocks and touches that are left                            */
    struct taken taken[DEVIATIONS_MOST];
    uint32_t taken_n;
    uint32_t ready[READY_MOST * 2], ready_n;
    uint32_t process_of[IDS_MOST];      /* by the task's number                                              */
    uint32_t children[PROCESSES_MOST];  /* spawned in this run, by process                                   */
    struct { const void *top; uint32_t process; } stacks[SLOTS_MOST];
    struct reason reasons[PROCESSES_MOST];      /* what each process waited for before its step */
    size_t stack_each;                  /* bytes of a stack with its guard                                   */
    int rc;
    uint64_t report_hash;               /* of the reports that must be the same in all orders                */
    uint64_t plain_report_hash;
    bool has_plain;
    char report[REPORT_TEXT];

    /* Processes are named once and for all: by who spawned them, and which of its children they are. */
    struct { uint32_t parent, child; } names[PROCESSES_MOST];
    uint32_t names_n;

    struct context explorer, program;
    struct snapshot *snapshot;          /* the worker's own                                                  */
    struct loop *loop;
    struct co_task *main_task;
    uint64_t classes[CLASSES_MOST];
    struct footprint footprint;
    struct instant instant;
    struct path path;
    struct lost lost;
    struct overlap overlap;
};

/* The worker's; NULL: nobody explores. */
extern struct search *search;

/* search.c */
bool search_same(const char *report);       /* must it be the same in all orders? */

/* worker.c: the worker's flow, which never returns. */
void worker_main(void *search);

/* run.c: a run begins; the step at hand is over; the run is, and goes back to the worker for good. */
void run_begin(void);
void run_end_step(void);
_Noreturn void run_over(void);
void run_find(enum explore_wrong fault, int64_t number, const void *at, const char *text);
struct finding *run_finding(enum explore_wrong fault, int64_t number, const void *at, const char *text);
const void *run_place(const void *pc);
uint64_t run_canonical(const void *at);     /* an address, the same in every order */

/* plan.c */
bool plan_next(void);                       /* what the next run is; false: there is none */
int plan_choose(uint32_t step);             /* which of the ready has its turn, or PATH_BLOCKED */
uint32_t plan_answer(uint32_t options);     /* another question of the tape */

/* guard.c */
void guard_begin(void);                     /* signals come to us */
_Noreturn void guard_exit(int code);

#endif
