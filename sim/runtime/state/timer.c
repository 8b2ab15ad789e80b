/* timer.c - timers in a 4-ary heap (D. B. Johnson, "Priority queues with update and finding minimum
 * spanning trees", 1975: d-heaps).
 *
 * The keys lie in the heap itself and nothing points back into it: moving a key touches one cache line and no
 * timer's owner. A disarmed timer therefore stays where it is, its slot emptied, until it comes up or until the
 * disarmed ones outnumber the others, when all of them are swept out at once.
 */
#include "runtime/state/timer.h"

#include <stdlib.h>
#include <string.h>

#include "world/world.h"

enum { SLOT_BITS = TIMER_SLOT_BITS, FIRST_CAPACITY = 64, SWEEP_AT_LEAST = 64 };

static uint32_t slot_of(const struct timer_key *key)
{
    return (uint32_t)(key->order & ((1u << SLOT_BITS) - 1));
}

/* Times are never negative. So both parts make one number, compared without a
 * branch, which the CPU could only guess. */
static bool before(const struct timer_key *a, const struct timer_key *b)
{
    typedef unsigned __int128 number;
    return ((number)a->t << 64 | a->order) < ((number)b->t << 64 | b->order);
}

/* Place 1 is the root; the children of place i are 4i-2 .. 4i+1. With the block aligned so that place 2 starts a
 * cache line, brothers share one. */
static size_t parent(size_t i) { return (i + 2) / 4; }
static size_t first_child(size_t i) { return 4 * i - 2; }

static void sift_up(struct timers *timers, size_t i, struct timer_key key)
{
    for (size_t up; i > 1 && before(&key, &timers->heap[up = parent(i)]); i = up)
        timers->heap[i] = timers->heap[up];
    timers->heap[i] = key;
}

static size_t earlier(const struct timer_key *heap, size_t a, size_t b)
{
    return before(&heap[b], &heap[a]) ? b : a;
}

/* Whichever child is the earliest: the four lines of its children are under way by then. */
static inline __attribute__((always_inline)) void fetch_grandchildren(const struct timer_key *heap, size_t child)
{
    const struct timer_key *line = &heap[first_child(child)];
    __builtin_prefetch(line);
    __builtin_prefetch(line + 4);
    __builtin_prefetch(line + 8);
    __builtin_prefetch(line + 12);
}

CO_HOT static void sift_down(struct timers *timers, size_t i, struct timer_key key)
{
    struct timer_key *heap = timers->heap;
    size_t count = timers->count, child, least;
    for (; (child = first_child(i)) + 3 <= count; i = least) {      /* all four are there */
        fetch_grandchildren(heap, child);
        least = earlier(heap, earlier(heap, child, child + 1), earlier(heap, child + 2, child + 3));
        if (!before(&heap[least], &key)) {
            heap[i] = key;
            return;
        }
        heap[i] = heap[least];
    }
    if (child <= count) {                                           /* the heap ends among them */
        least = child;
        for (size_t c = child + 1; c <= count; c++)
            least = earlier(heap, least, c);
        if (before(&heap[least], &key)) {
            heap[i] = heap[least];
            i = least;
        }
    }
    heap[i] = key;
}

/* Room for twice as many. Nothing is changed when memory is out. */
static bool grow(struct timers *timers)
{
    size_t capacity = timers->capacity ? 2 * timers->capacity : FIRST_CAPACITY;
    if (capacity >= (size_t)1 << SLOT_BITS)
        return false;
    char *block = malloc((capacity + 1) * sizeof(struct timer_key) + 128);
    void **slots = realloc(timers->slots, (capacity + 1) * sizeof *slots);
    if (slots)
        timers->slots = slots;
    uint32_t *free_slots = realloc(timers->free_slots, capacity * sizeof *free_slots);
    if (free_slots)
        timers->free_slots = free_slots;
    if (!block || !slots || !free_slots) {
        free(block);
        return false;
    }
    uintptr_t line = ((uintptr_t)block + 63) & ~(uintptr_t)63;
    struct timer_key *heap = (struct timer_key *)line + 2;          /* so that place 2 starts the next line */
    if (timers->count)
        memcpy(heap + 1, timers->heap + 1, timers->count * sizeof *heap);
    free(timers->heap_block);
    timers->heap_block = block;
    timers->heap = heap;
    for (size_t slot = capacity; slot > timers->capacity; slot--)
        timers->free_slots[timers->free_count++] = (uint32_t)slot;
    timers->capacity = capacity;
    return true;
}

CO_HOT uint32_t timer_arm(struct timers *timers, int64_t t, uint64_t seq, void *owner)
{
    if (timers->free_count == 0 && !grow(timers))
        return 0;
    uint32_t slot = timers->free_slots[--timers->free_count];
    timers->slots[slot] = owner;
    sift_up(timers, ++timers->count, (struct timer_key){t, seq << SLOT_BITS | slot});
    return slot;
}

static void release(struct timers *timers, uint32_t slot)
{
    timers->free_slots[timers->free_count++] = slot;
}

/* Takes all disarmed timers out and makes a heap of the rest (Floyd 1964: bottom up, in linear time). */
static void sweep(struct timers *timers)
{
    size_t kept = 0;
    for (size_t i = 1; i <= timers->count; i++) {
        if (timers->slots[slot_of(&timers->heap[i])])
            timers->heap[++kept] = timers->heap[i];
        else
            release(timers, slot_of(&timers->heap[i]));
    }
    timers->count = kept;
    timers->dead = 0;
    for (size_t i = kept > 1 ? parent(kept) : 0; i > 0; i--)
        sift_down(timers, i, timers->heap[i]);
}

CO_HOT void timer_disarm(struct timers *timers, uint32_t slot)
{
    timers->slots[slot] = NULL;
    if (slot_of(&timers->heap[timers->count]) == slot) {    /* the usual case: armed last, disarmed first */
        timers->count--;
        release(timers, slot);
        return;
    }
    timers->dead++;
    if (timers->dead > SWEEP_AT_LEAST && timers->dead > timers->count / 2)
        sweep(timers);
}

static void remove_root(struct timers *timers)
{
    struct timer_key last = timers->heap[timers->count--];
    if (timers->count)
        sift_down(timers, 1, last);
}

/* Drops disarmed timers from the top. */
static void clear_top(struct timers *timers)
{
    while (timers->count && !timers->slots[slot_of(&timers->heap[1])]) {
        release(timers, slot_of(&timers->heap[1]));
        timers->dead--;
        remove_root(timers);
    }
}

CO_HOT int64_t timer_next(struct timers *timers)
{
    if (timers->dead)
        clear_top(timers);
    return timers->count ? timers->heap[1].t : INT64_MAX;
}

CO_HOT bool timer_peek(struct timers *timers, int64_t *t, uint64_t *seq)
{
    if (timers->dead)
        clear_top(timers);
    if (!timers->count)
        return false;
    *t = timers->heap[1].t;
    *seq = timers->heap[1].order >> SLOT_BITS;
    return true;
}

void *timer_take(struct timers *timers, int64_t now, int64_t *t, uint64_t *seq)
{
    if (!timer_peek(timers, t, seq) || *t > now)
        return NULL;
    uint32_t slot = slot_of(&timers->heap[1]);
    void *owner = timers->slots[slot];
    release(timers, slot);
    remove_root(timers);
    return owner;
}

void timers_free(struct timers *timers)
{
    free(timers->heap_block);
    free(timers->slots);
    free(timers->free_slots);
    *timers = (struct timers){0};
}
