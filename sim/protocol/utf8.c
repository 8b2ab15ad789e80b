/* utf8.c - whether bytes are UTF-8, however they are cut into pieces. */
#include "utf8.h"

/* The first byte of a character says how many follow, and between which bounds the second one lies (RFC 3629, 4). */
static bool begin(struct utf8 *utf8, uint8_t byte)
{
    *utf8 = (struct utf8){.least = 0x80, .most = 0xBF};
    if (byte < 0x80)
        return true;
    if (byte < 0xC2 || byte > 0xF4)
        return false;
    utf8->left = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
    utf8->least = byte == 0xE0 ? 0xA0 : byte == 0xF0 ? 0x90 : 0x80;
    utf8->most = byte == 0xED ? 0x9F : byte == 0xF4 ? 0x8F : 0xBF;
    return true;
}

bool pt_utf8_take(struct utf8 *utf8, const void *bytes, size_t size)
{
    const uint8_t *at = bytes, *end = size ? at + size : at;
    while (at < end) {
        uint8_t byte = *at++;
        if (utf8->left == 0) {
            if (byte >= 0x80 && !begin(utf8, byte))
                return false;
            continue;
        }
        if (byte < utf8->least || byte > utf8->most)
            return false;
        utf8->left--;
        utf8->least = 0x80;
        utf8->most = 0xBF;
    }
    return true;
}
