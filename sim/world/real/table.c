/* table.c - things found by their number: open addressing, at most half full. */
#include "real.h"

#include <stdlib.h>

/* Numbers come in a row: scattered, they leave gaps at which a search can end. */
static size_t home_of(uint64_t number, size_t mask)
{
    return (size_t)((number * 0x9E3779B97F4A7C15u) >> 32) & mask;
}

/* Where that number lies, or the free slot at which the search ended. */
static size_t slot_of(const struct table *table, uint64_t number)
{
    size_t at = home_of(number, table->mask);
    while (table->slots[at].number && table->slots[at].number != number)
        at = (at + 1) & table->mask;
    return at;
}

void *rw_table_find(const struct table *table, uint64_t number)
{
    return table->slots && number ? table->slots[slot_of(table, number)].thing : NULL;
}

static bool grow(struct table *table)
{
    size_t size = table->slots ? 2 * (table->mask + 1) : 32;
    struct table larger = {calloc(size, sizeof *larger.slots), table->count, size - 1};
    if (!larger.slots)
        return false;
    for (size_t i = 0; table->slots && i <= table->mask; i++)
        if (table->slots[i].number)
            larger.slots[slot_of(&larger, table->slots[i].number)] = table->slots[i];
    free(table->slots);
    *table = larger;
    return true;
}

bool rw_table_put(struct table *table, uint64_t number, void *thing)
{
    if ((!table->slots || 2 * (table->count + 1) > table->mask) && !grow(table))
        return false;
    table->slots[slot_of(table, number)] = (struct entry){number, thing};
    table->count++;
    return true;
}

/* Those behind the gap that were displaced move up, so that a search never ends too early. */
void rw_table_remove(struct table *table, uint64_t number)
{
    size_t mask = table->mask, gap;
    if (!table->slots || table->slots[gap = slot_of(table, number)].number != number)
        return;
    for (size_t at = (gap + 1) & mask; table->slots[at].number; at = (at + 1) & mask) {
        size_t home = home_of(table->slots[at].number, mask);
        if (((at - home) & mask) >= ((at - gap) & mask)) {
            table->slots[gap] = table->slots[at];
            gap = at;
        }
    }
    table->slots[gap] = (struct entry){0};
    table->count--;
}

void rw_table_free(struct table *table)
{
    free(table->slots);
    *table = (struct table){0};
}
