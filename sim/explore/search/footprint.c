/* footprint.c - what one step reads and writes: a list of marks, and a hash table of where each is in it. */
#include "explore/search/footprint.h"

static uint64_t scatter(uint64_t key)
{
    return key * 0x9e3779b97f4a7c15ULL >> 32;
}

uint64_t footprint_object(enum object kind, uint64_t which)
{
    return 1ULL << 63 | (uint64_t)kind << 56 | (which & ((1ULL << 56) - 1));
}

void footprint_clear(struct footprint *footprint)
{
    footprint->n = 0;
    footprint->everything = false;
    footprint->generation++;
}

/* The mark of that key; NULL: there is none, and *slot is where it belongs. */
static const struct mark *find(const struct footprint *footprint, uint64_t key, size_t *slot)
{
    size_t at = scatter(key) % FOOTPRINT_SLOTS;
    for (; footprint->slots[at] >> 32 == footprint->generation; at = (at + 1) % FOOTPRINT_SLOTS) {
        const struct mark *mark = &footprint->marks[(uint32_t)footprint->slots[at] - 1];
        if (mark->key == key)
            return mark;
    }
    *slot = at;
    return NULL;
}

void footprint_add(struct footprint *footprint, enum touch how, uint64_t key, uint8_t bytes)
{
    size_t slot = 0;
    struct mark *mark = (struct mark *)find(footprint, key, &slot);
    if (!mark) {
        footprint->everything |= key == footprint_object(OBJECT_STEP, 0) || footprint->n == FOOTPRINT_MOST;
        if (footprint->n == FOOTPRINT_MOST)
            return;
        mark = &footprint->marks[footprint->n++];
        *mark = (struct mark){.key = key};
        footprint->slots[slot] = (uint64_t)footprint->generation << 32 | footprint->n;
    }
    if (how == TOUCH_READ)
        mark->read |= bytes;
    else if (how == TOUCH_WRITE)
        mark->write |= bytes;
    else
        mark->add |= bytes;
}

bool footprint_conflicts(const struct footprint *footprint, const struct mark marks[], uint32_t n)
{
    if (footprint->everything || n >= FOOTPRINT_MOST)
        return true;
    for (uint32_t i = 0; i < n; i++) {
        size_t slot;
        if (marks[i].key == footprint_object(OBJECT_STEP, 0))
            return true;
        const struct mark *mine = find(footprint, marks[i].key, &slot);
        if (mine && marks_conflict(mine, &marks[i]))
            return true;
    }
    return false;
}
