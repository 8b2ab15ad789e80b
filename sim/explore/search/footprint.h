/* footprint.h - what one step reads and writes.
 *
 * Memory is noted in granules of eight bytes with a bit for each byte, as ThreadSanitizer's shadow does, so that
 * neighbours in one word are no conflict. The runtime's objects are granules, too, whose key has its highest bit set.
 */
#ifndef FOOTPRINT_H
#define FOOTPRINT_H

#include "explore/touch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One granule: which of its bytes are read, written, added to. */
struct mark {
    uint64_t key;
    uint8_t read, write, add;
};

enum { FOOTPRINT_MOST = 1 << 13, FOOTPRINT_SLOTS = 1 << 15 };

struct footprint {
    uint32_t n;
    uint32_t generation;                    /* of the slots that count                      */
    bool everything;                        /* it conflicts with whatever there is          */
    struct mark marks[FOOTPRINT_MOST];
    uint64_t slots[FOOTPRINT_SLOTS];        /* generation << 32 | place in marks + 1        */
};

/* The key of a runtime's object. */
uint64_t footprint_object(enum object kind, uint64_t which);

/* Forgets all marks. */
void footprint_clear(struct footprint *footprint);

/* Adds bytes of a granule. One mark too many, or the object that stands for all: it touches everything. */
void footprint_add(struct footprint *footprint, enum touch how, uint64_t key, uint8_t bytes);

/* Is there a mark in the list that may not change places with one of the footprint's? */
bool footprint_conflicts(const struct footprint *footprint, const struct mark marks[], uint32_t n);

/* May these two not change places? */
static inline bool marks_conflict(const struct mark *a, const struct mark *b)
{
    return (a->write & (b->read | b->write | b->add)) | (b->write & (a->read | a->add))
        | (a->add & b->read) | (a->read & b->add);
}

#endif
