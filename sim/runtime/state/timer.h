/* timer.h - what is to happen at a certain time: a heap, ordered by (time, sequence number). */
#ifndef TIMER_H
#define TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TIMER_SLOT_BITS = 24 };

/* One place in the heap; 16 bytes, so that the four children of a place fill one cache line. */
struct timer_key {
    int64_t t;              /* ns                                                        */
    uint64_t order;         /* sequence number << TIMER_SLOT_BITS | slot                       */
};

struct timers {
    struct timer_key *heap; /* 4-ary, the earliest first; heap[0] is not used             */
    void **slots;           /* what each timer belongs to, NULL = disarmed                */
    uint32_t *free_slots;   /* a stack of slot numbers not in use                         */
    void *heap_block;       /* what to free: heap lies in it, aligned                     */
    size_t count;           /* places used                                                */
    size_t dead;            /* of these, disarmed ones                                    */
    size_t capacity;
    size_t free_count;
    uint64_t seq;           /* the last sequence number given                             */
};

/* Arms a timer for `owner` at time t. `seq`: rising from call to call. Returns its slot (> 0), or 0 without memory. */
uint32_t timer_arm(struct timers *timers, int64_t t, uint64_t seq, void *owner);

/* Disarms a timer that has not been taken. */
void timer_disarm(struct timers *timers, uint32_t slot);

/* When the earliest one is due; INT64_MAX when there is none. */
int64_t timer_next(struct timers *timers);

/* Takes the earliest one if it is due at `now`: its owner, and its time and sequence number. NULL: none is. */
void *timer_take(struct timers *timers, int64_t now, int64_t *t, uint64_t *seq);

/* The same without taking it. */
bool timer_peek(struct timers *timers, int64_t *t, uint64_t *seq);

/* Whose turn may come soon: the owner of the earliest one, then those of its four children in the heap, of which one is
 * next. A hint, to have memory fetched in time. Returns 5, or 0 when there are so few that all is in the cache anyway.
 * Some may be NULL: disarmed. */
enum { TIMERS_SOON = 5, TIMERS_CACHED = 2048 };
static inline int timer_soon(const struct timers *timers, void *owners[TIMERS_SOON])
{
    if (timers->count < TIMERS_CACHED)
        return 0;
    for (int i = 0; i < TIMERS_SOON; i++)
        owners[i] = timers->slots[timers->heap[i + 1].order & ((1u << TIMER_SLOT_BITS) - 1)];
    return TIMERS_SOON;
}

void timers_free(struct timers *timers);

#endif
