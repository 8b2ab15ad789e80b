/* op.h - the record of an operation of the world that a task waits for. */
#ifndef CO_STATE_OP_H
#define CO_STATE_OP_H

#include "world/world.h"

#include <stdbool.h>
#include <stdint.h>

struct co_task;

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

#endif
