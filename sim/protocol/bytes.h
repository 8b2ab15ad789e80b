/* bytes.h - bytes that wait: what comes is added behind, what was used is dropped in front. Grows by doubling. */
#ifndef PROTOCOL_BYTES_H
#define PROTOCOL_BYTES_H

#include <stdbool.h>
#include <stddef.h>

/* Those that wait: at[first .. first + size). All zero: none. */
struct pt_bytes { char *at; size_t first, size, room; };

/* Adds a copy of them. False: no memory, and nothing was added. */
bool pt_bytes_add(struct pt_bytes *bytes, const void *more, size_t size);
/* The first `size` of them go. */
void pt_bytes_drop(struct pt_bytes *bytes, size_t size);
void pt_bytes_free(struct pt_bytes *bytes);

/* The first of them; NULL where none has ever been added. Lasts until the next is added. */
static inline char *pt_bytes_begin(const struct pt_bytes *bytes)
{
    return bytes->at ? bytes->at + bytes->first : NULL;
}

#endif
