/* flat.c - values of SQL as plain bytes. */
#include "flat.h"

#include <stdlib.h>
#include <string.h>

void flat_copy(struct flat *flat, const void *bytes, size_t size)
{
    if (flat->failed || size == 0)
        return;
    if (size > flat->room - flat->length) {
        size_t room = flat->length + size > 2 * flat->room ? flat->length + size : 2 * flat->room;
        char *at = size < SIZE_MAX / 4 ? realloc(flat->at, room) : NULL;
        if (!at) {
            flat->failed = true;
            return;
        }
        flat->at = at;
        flat->room = room;
    }
    memcpy(flat->at + flat->length, bytes, size);
    flat->length += size;
}

void flat_null(struct flat *flat)
{
    flat_copy(flat, "n", 1);
}

void flat_int(struct flat *flat, int64_t integer)
{
    flat_copy(flat, "i", 1);
    flat_copy(flat, &integer, sizeof integer);
}

void flat_real(struct flat *flat, double real)
{
    flat_copy(flat, "r", 1);
    flat_copy(flat, &real, sizeof real);
}

void flat_bytes(struct flat *flat, char type, const void *bytes, size_t size)
{
    uint32_t length = (uint32_t)size;
    if (size > UINT32_MAX / 2) {
        flat->failed = true;
        return;
    }
    flat_copy(flat, &type, 1);
    flat_copy(flat, &length, sizeof length);
    flat_copy(flat, bytes, size);
    flat_copy(flat, "", 1);
}

void flat_free(struct flat *flat)
{
    free(flat->at);
    *flat = (struct flat){0};
}

const char *flat_read(const char *at, const char *end, struct flat_value *value)
{
    uint32_t size;
    *value = (struct flat_value){0};
    if (!at || at >= end)
        return NULL;
    value->type = *at++;
    switch (value->type) {
    case 'n':
        return at;
    case 'i':
    case 'r':
        if (end - at < 8)
            return NULL;
        memcpy(value->type == 'i' ? (void *)&value->integer : (void *)&value->real, at, 8);
        return at + 8;
    case 't':
    case 'b':
        if (end - at < 4)
            return NULL;
        memcpy(&size, at, sizeof size);
        at += 4;
        if ((size_t)(end - at) <= size || at[size] != '\0')
            return NULL;
        value->bytes = at;
        value->size = size;
        return at + size + 1;
    default:
        return NULL;
    }
}
