/* path.h - the branches of the search: where the next order leaves the last one.
 *
 * Depth first, one branch for each step of a run. At each the ready processes are known, which of them were tried,
 * which must be (`wanted`), and which need not be, as every order that goes on with them was seen elsewhere
 * (`asleep`: sleep sets, P. Godefroid, "Partial-order methods for the verification of concurrent systems", LNCS 1032,
 * 1996). What must be tried follows from races: source sets, as in "Source sets" (instant.h), its algorithm 1. So
 * each class of orders that differ in nothing but steps that commute is run to its end once, and no more than once.
 */
#ifndef PATH_H
#define PATH_H

#include "explore/search/footprint.h"
#include "explore/search/instant.h"

enum { READY_MOST = 64, ANSWERS_MOST = 6, MARKS_MOST = 1 << 24 };

/* Another question of the tape, asked in a step: at which wait a cancel lands. */
struct answer { uint8_t option, options; };

struct branch {
    uint8_t n, chosen, answers_n, known_n;      /* ready processes; known_n: those whose next step is known       */
    bool begun;                                 /* its first step has come to its end                             */
    uint64_t wanted, done, asleep;              /* bits by place among the ready                                  */
    struct answer answers[ANSWERS_MOST];
    uint32_t marks_n;                           /* how many marks there are when its step has ended               */
    uint32_t process[READY_MOST];
    uint32_t marks[READY_MOST], length[READY_MOST];     /* of those whose next step is known                      */
};

struct path {
    uint32_t n;                 /* branches                                                              */
    uint32_t at;                /* the next one of the run at hand                                       */
    uint32_t fresh;             /* from here on the run is not the last one again                        */
    bool every;                 /* every order, one by one, as if no two steps ever commuted              */
    bool cut;                   /* some possibility was left out for want of room                        */
    bool strayed;               /* the program did not do again what it did                              */
    uint8_t answer_at;          /* questions so far in the step at hand                                   */
    uint32_t marks_n;
    struct branch branches[STEPS_MOST];
    struct mark marks[MARKS_MOST];
};

enum { PATH_BLOCKED = -1 };

/* Before the first run. */
void path_reset(struct path *path);

/* The ready processes, first come first: which place has its turn; PATH_BLOCKED: whatever goes on from here was seen.
 * same: time has not moved since the step before. */
int path_choose(struct path *path, const struct footprint *last, const uint32_t ready[], uint32_t n, bool same);

/* Another question of the step at hand. */
uint32_t path_answer(struct path *path, uint32_t options);

/* The step at hand has ended with that footprint; its races in `instant` say what else must be tried. */
void path_end_step(struct path *path, const struct footprint *footprint, const struct instant *instant);

/* Makes the path the next one. False: there is none. */
bool path_next(struct path *path);

#endif
