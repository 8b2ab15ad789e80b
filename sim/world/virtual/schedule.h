/* schedule.h - what will happen, and when. */
#ifndef SCHEDULE_H
#define SCHEDULE_H

#include "unit.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct operation;
struct world;

struct event {
    /* When. */
    int64_t time;
    /* Rising with each scheduling: decides among events of one instant. */
    uint64_t order;
    /* What then takes its next step. */
    struct operation *operation;
};

/* A 4-ary heap, the earliest event on top: half as deep as a binary one, and four children lie in two cache lines. */
struct events {
    /* The first `count` are in use; NULL before the first operation. */
    struct event *heap;
    size_t count;
    /* The order of the newest event. */
    uint64_t order;
};

/* a + b, both from 0; VW_UNLIMITED (never) if that overflows. */
static inline int64_t vw_later(int64_t a, int64_t b)
{
    return a > VW_UNLIMITED - b ? VW_UNLIMITED : a + b;
}
/* a * b / c rounded up, VW_UNLIMITED if that overflows; all from 0, c from 1. */
int64_t vw_scale(int64_t a, int64_t b, int64_t c);
/* The operation takes its next step at `time`; never, if that is VW_UNLIMITED. It must have no event yet. */
void vw_event_set(struct world *world, struct operation *operation, int64_t time);
/* Takes its event back, if it has one. */
void vw_event_clear(struct world *world, struct operation *operation);
/* Removes the earliest event and returns whose it is. There must be one. */
struct operation *vw_event_take(struct world *world);

#endif
