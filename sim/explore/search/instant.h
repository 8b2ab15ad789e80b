/* instant.h - the steps since time last moved, and which of them happened before which.
 *
 * Time moves only when nobody is ready, so steps of two instants never change places: all that is kept is kept for
 * one instant. Each step has a vector clock (C. Fidge 1988, F. Mattern 1989): how many steps of each process happened
 * before it. Two steps are a race (P. Abdulla, S. Aronis, B. Jonsson, K. Sagonas, "Source sets: a foundation for
 * optimal dynamic partial order reduction", J. ACM 64:4, 2017) if they conflict, nothing stands between them, and the
 * second one could have come first.
 */
#ifndef INSTANT_H
#define INSTANT_H

#include "explore/search/footprint.h"

enum { STEPS_MOST = 20000, CLOCKS_MOST = 1 << 22, TOUCHES_MOST = 1 << 20, WAKES_MOST = 1 << 16, PROCESSES_MOST = 4096 };

/* One step. */
struct step {
    uint32_t process;           /* whose, the same in every order                          */
    uint32_t local;             /* its place among the processes of this instant           */
    uint32_t own;               /* which of its steps in this instant it is, from 1         */
    uint32_t clock, clock_n;    /* its clock: clock_n numbers from there on                 */
    const void *waits_at;       /* where it ended                                           */
};

/* A step that touched a key. */
struct toucher { uint32_t step, next; struct mark mark; };

struct instant {
    uint32_t first;                             /* the number of its first step               */
    uint32_t locals;                            /* processes with a step in it                */
    uint32_t generation;
    uint32_t clocks_n, touchers_n, wakes_n;
    uint64_t process_slots[PROCESSES_MOST];     /* generation << 32 | place + 1               */
    uint32_t processes[PROCESSES_MOST], last_step[PROCESSES_MOST];      /* by place           */
    uint32_t last_everything;                   /* the newest step + 1 that touched everything; 0: none */
    uint64_t wake_slots[PROCESSES_MOST];        /* by process: generation << 32 | first wake + 1 */
    struct { uint32_t step, next; } wakes[WAKES_MOST];
    uint16_t clocks[CLOCKS_MOST];
    struct toucher touchers[TOUCHES_MOST];      /* from 1                                     */
    uint64_t slots[1 << 16];                    /* generation << 32 | newest toucher: by key  */
    uint64_t keys[1 << 16];
    uint64_t noted[STEPS_MOST];                 /* by step: the candidates' mark              */
    uint64_t note;
    uint32_t candidates[STEPS_MOST], races[STEPS_MOST];
    uint32_t races_n;                           /* of the step that was ended last            */
    struct step steps[STEPS_MOST];              /* of the whole run                           */
    uint32_t steps_n;
};

/* A run begins; an instant does. */
void instant_reset(struct instant *instant);
void instant_next(struct instant *instant);

/* The step `by` (of this instant) makes a process ready; with `all`, so do all steps that touched the key. */
void instant_wake(struct instant *instant, uint32_t by, uint32_t process);
void instant_wake_all(struct instant *instant, uint64_t key, uint32_t process);

/* A step of that process begins. Its number, or STEPS_MOST: there is no room. */
uint32_t instant_step(struct instant *instant, uint32_t process);

/* The newest step has ended with that footprint: works out its clock and its races (races[], newest first). False:
 * there is no room for what would have to be kept. */
bool instant_end_step(struct instant *instant, const struct footprint *footprint);

/* Did step a of this instant happen before step b? */
static inline bool instant_before(const struct instant *instant, uint32_t a, uint32_t b)
{
    const struct step *x = &instant->steps[a], *y = &instant->steps[b];
    return a < b && x->local < y->clock_n && instant->clocks[y->clock + x->local] >= x->own;
}

/* A number for the newest step that is the same in every order in which it is the same step: its process, which of that
 * one's it is, and what happened before. */
uint64_t instant_hash(const struct instant *instant);

#endif
