/* lost.h - lost updates: what a task read before a wait, another one wrote meanwhile, and the first one then wrote over
 * without a look.
 */
#ifndef LOST_H
#define LOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct instant;

enum { LOST_SLOTS = 1 << 14 };

struct lost_update {
    const void *read_at, *waited_at, *wrote_at, *other_at;
    uint32_t other;                 /* the process that wrote meanwhile */
};

/* What a process has seen in a granule, or (process 0) who wrote it last. */
struct sight {
    uint64_t key, generation;
    uint32_t process, step;
    const void *at;
    uint64_t value;
    uint32_t writer;
};

struct lost {
    uint64_t generation;
    uint32_t n;                     /* sights in use; when the table is full no more are taken */
    struct sight sights[LOST_SLOTS];
};

void lost_reset(struct lost *lost);

/* The process reads in its step `step`; writes. value: what is there before. Returns true with *update where that write
 * loses one: then the step of the read is *read_step. */
void lost_read(struct lost *lost, uint64_t granule, uint32_t process, uint32_t step, const void *at, uint64_t value);
bool lost_write(struct lost *lost, uint64_t granule, uint32_t process, uint32_t step, const void *at, uint64_t value,
                struct lost_update *update, uint32_t *read_step);

#endif
