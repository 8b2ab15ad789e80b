/* operation.h - what submit asked for, and the lines in which operations wait. */
#ifndef OPERATION_H
#define OPERATION_H

#include "../world.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct world;

/* What exchanges, jobs and accesses have in common; the first member of each. */
struct operation {
    /* What submit returned. */
    uint64_t id;
    /* The caller's mark, handed back with each completion. */
    uint64_t user;
    /* WORLD_HTTP: this is a struct exchange. WORLD_JOB: a struct job. WORLD_FILE: a struct access.
     * WORLD_DATABASE: a struct query. WORLD_SOCKET: a struct socket. */
    enum world_op kind;
    /* Its place in the heap of events, from 1; 0: it waits for no moment of time. */
    uint32_t place;
    /* The number of its newest result; below results.first: that one is handed over already. */
    uint64_t newest;
    /* Its last result is there: it holds nothing any more, and can no longer be cancelled. */
    bool ended;
    /* Its client has given up, and a server works on: it stays, also when its last result was handed over. */
    bool lives_on, handed_over;
    /* The line it stands in, or NULL. */
    struct line *line;
    /* Its neighbours in the line; next also links the free and the retired ones. */
    struct operation *next, *prev;
};

/* Operations that wait for the same thing, first come, first served. Zero-filled: nobody waits. */
struct line {
    /* Who waits, longest first; NULL: nobody. */
    struct operation *first, *last;
    /* How many wait. */
    int64_t length;
};

/* All operations that have not been handed over to the end, by id. */
struct operations {
    /* Open addressing with linear probing, at most half full. */
    struct operation **slots;
    /* Number of slots - 1, a power of two less one. 0: no slots yet. */
    size_t mask;
    /* How many there are, and how many heap, results and slots have room for. */
    size_t count, room;
    /* The newest id. */
    uint64_t last_id;
    /* Handed over by the last wait: their data must live until the next one. */
    struct operation *retired;
    /* Free objects, used again latest first (they are still in the cache). */
    struct operation *free_exchanges, *free_jobs, *free_accesses, *free_queries, *free_sockets;
};

/* A zeroed operation of that kind under a new id, or NULL: no memory. */
struct operation *vw_operation_new(struct world *world, enum world_op kind, const struct world_request *request);
struct operation *vw_operation_find(const struct world *world, uint64_t id);
/* Takes it out of the table: its last completion has just been handed over. */
void vw_operation_retire(struct world *world, struct operation *operation);
/* Takes it back as if it had never been asked for: submit failed. */
void vw_operation_undo(struct world *world, struct operation *operation);
/* Makes the retired ones free again. */
void vw_operations_recycle(struct world *world);
void vw_operations_free(struct world *world);

void vw_line_add(struct line *line, struct operation *operation);
void vw_line_remove(struct operation *operation);
/* Removes and returns who has waited longest, or NULL. */
struct operation *vw_line_take(struct line *line);

#endif
