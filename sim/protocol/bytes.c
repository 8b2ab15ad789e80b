/* bytes.c - bytes that wait. */
#include "bytes.h"

#include <stdlib.h>
#include <string.h>

bool pt_bytes_add(struct pt_bytes *bytes, const void *more, size_t size)
{
    size_t wanted = bytes->size + size, room = bytes->room ? bytes->room : 64;
    if (size == 0)
        return true;
    if (bytes->first > 0 && bytes->first + wanted > bytes->room) {
        memmove(bytes->at, bytes->at + bytes->first, bytes->size);
        bytes->first = 0;
    }
    if (wanted > bytes->room) {
        while (room < wanted)
            room *= 2;
        char *at = realloc(bytes->at, room);
        if (!at)
            return false;
        bytes->at = at;
        bytes->room = room;
    }
    memcpy(bytes->at + bytes->first + bytes->size, more, size);
    bytes->size = wanted;
    return true;
}

void pt_bytes_drop(struct pt_bytes *bytes, size_t size)
{
    bytes->first += size;
    bytes->size -= size;
    if (bytes->size == 0)
        bytes->first = 0;
}

void pt_bytes_free(struct pt_bytes *bytes)
{
    free(bytes->at);
    *bytes = (struct pt_bytes){0};
}
