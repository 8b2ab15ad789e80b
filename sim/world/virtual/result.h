/* result.h - what has reached the program, until wait hands it over. */
#ifndef RESULT_H
#define RESULT_H

#include "../world.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct exchange;
struct operation;
struct world;

struct result {
    struct operation *operation;
    /* Which parts are still to be handed over, of enum world_part. */
    uint32_t parts;
    /* With WORLD_END: how it ended. */
    int32_t rc;
    /* When its newest part happened, in ns; if later results follow it, at most when the first of those did. */
    int64_t t;
    /* With WORLD_BODY: the body's bytes from..to are here. */
    int64_t from, to;
};

/* A ring in the order in which results arose. An operation has two in it at most: one that takes up all that
 * arrives, and its end. So a slow reader costs no memory, however long the program lets it lie. */
struct results {
    /* Result number n lies at ring[n & mask]; NULL before the first operation. */
    struct result *ring;
    size_t mask;
    /* The numbers of the oldest one still here and of the next new one. From 1. */
    uint64_t first, next;
};

void vw_result_head(struct world *world, struct exchange *exchange);
/* The body has arrived up to byte `to`; before, up to `from`. */
void vw_result_body(struct world *world, struct exchange *exchange, int64_t from, int64_t to);
/* Something else of that kind has happened, besides an end. */
void vw_result_part(struct world *world, struct operation *operation, uint32_t part);
void vw_result_end(struct world *world, struct operation *operation, int32_t rc);
/* Hands over up to max completions. */
size_t vw_results_take(struct world *world, struct world_completion out[], size_t max);

#endif
