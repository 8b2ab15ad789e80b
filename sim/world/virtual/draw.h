/* draw.h - chance. */
#ifndef DRAW_H
#define DRAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct exchange;
struct fault;
struct world;

enum draw { DRAW_SQL = 0, DRAW_LATENCY = 1, DRAW_FAULT = 2, DRAW_MASK = 0x100,
            DRAW_TURN = 3 /* and up: one number for each of a route's turns */ };

/* 64 bits that depend on these four alone. */
uint64_t vw_draw(uint64_t seed, uint64_t key, uint64_t k, enum draw what);
/* The key of a name. */
uint64_t vw_key(const char *text, size_t length);
/* Whether a fault strikes the k-th time. */
bool vw_draw_fault(struct world *world, const struct fault *fault, uint64_t key, uint64_t k);
/* What chance has in store for a request: its fault, its latency, its answer. Asked once, when it sets out. */
void vw_draw_request(struct world *world, struct exchange *exchange);
/* A probability between 0 and 1 as a threshold of 64 bits. */
uint64_t vw_threshold(double probability);

#endif
