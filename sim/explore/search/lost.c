/* lost.c - lost updates (lost.h): two kinds of notes in one hash table, forgotten with each run. */
#include "explore/search/lost.h"

void lost_reset(struct lost *lost)
{
    lost->generation++;
    lost->n = 0;
}

/* Addresses are not counted up: who puts one in the place of another has looked elsewhere. */
static bool is_number(uint64_t value)
{
    return value < 1ULL << 40 || value > UINT64_MAX - (1ULL << 40);
}

/* What is noted of a granule for a process (0: of its last writer). NULL: nothing, or no room to begin. */
static struct sight *find(struct lost *lost, uint64_t granule, uint32_t process, bool make)
{
    uint64_t key = granule * 8191 + process;
    size_t at = (key * 0x9e3779b97f4a7c15ULL >> 32) % LOST_SLOTS;
    for (; lost->sights[at].generation == lost->generation; at = (at + 1) % LOST_SLOTS)
        if (lost->sights[at].key == key)
            return &lost->sights[at];
    if (!make || lost->n >= LOST_SLOTS / 2)
        return NULL;
    lost->n++;
    lost->sights[at] = (struct sight){.key = key, .generation = lost->generation};
    return &lost->sights[at];
}

void lost_read(struct lost *lost, uint64_t granule, uint32_t process, uint32_t step, const void *at, uint64_t value)
{
    struct sight *sight = find(lost, granule, process, true);
    if (!sight)
        return;
    sight->process = process;
    sight->step = step;
    sight->at = at;
    sight->value = value;
}

bool lost_write(struct lost *lost, uint64_t granule, uint32_t process, uint32_t step, const void *at, uint64_t value,
                struct lost_update *update, uint32_t *read_step)
{
    struct sight *mine = find(lost, granule, process, false), *last = find(lost, granule, 0, true);
    bool is_lost = mine && mine->process == process && last && last->writer && last->writer != process
        && mine->step < last->step && mine->value != value && is_number(mine->value) && is_number(value);
    if (is_lost) {
        *update = (struct lost_update){.read_at = mine->at, .wrote_at = at, .other_at = last->at,
                                       .other = last->writer};
        *read_step = mine->step;
    }
    if (mine)
        mine->process = 0;          /* what it had read is gone */
    if (last) {
        last->writer = process;
        last->step = step;
        last->at = at;
    }
    return is_lost;
}
