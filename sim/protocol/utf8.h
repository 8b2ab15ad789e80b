/* utf8.h - whether bytes are UTF-8, however they are cut into pieces. */
#ifndef UTF8_H
#define UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How far into a character the bytes so far have come. Zero-filled: between two. */
struct utf8 {
    /* So many bytes of it are still to come, */
    uint8_t left;
    /* and the next one lies between these. */
    uint8_t least, most;
};

/* False: no text can begin like that (RFC 3629: no overlong forms, no surrogates, nothing beyond U+10FFFF). */
bool pt_utf8_take(struct utf8 *utf8, const void *bytes, size_t size);

/* Whether the bytes so far end with a whole character. */
static inline bool pt_utf8_is_whole(const struct utf8 *utf8)
{
    return utf8->left == 0;
}

#endif
