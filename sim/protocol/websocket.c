/* websocket.c - WebSocket's frames (RFC 6455, 5 to 8), read piece by piece, and written. */
#include "websocket.h"

#include <stdlib.h>
#include <string.h>

enum { FIN = 0x80, RSV = 0x70, OPCODE = 0x0F, MASKED = 0x80, LENGTH = 0x7F, IN_16 = 126, IN_64 = 127 };

static enum ws_event fail(struct ws_reader *reader, int code, const char *why)
{
    reader->code = code;
    reader->why = why;
    return WS_FAILED;
}

static bool is_control(enum ws_opcode opcode)
{
    return opcode >= WS_OP_CLOSE;
}

/* ---- The head ------------------------------------------------------------------------------------ */

/* What the first two bytes show, and how long the head is. */
static enum ws_event look_at_start(struct ws_reader *reader)
{
    uint8_t length = reader->head[1] & LENGTH;
    reader->final = reader->head[0] & FIN;
    reader->opcode = (enum ws_opcode)(reader->head[0] & OPCODE);
    if (reader->head[0] & RSV)
        return fail(reader, WS_PROTOCOL_ERROR, "a reserved bit is set");
    if ((reader->opcode > WS_OP_BINARY && reader->opcode < WS_OP_CLOSE) || reader->opcode > WS_OP_PONG)
        return fail(reader, WS_PROTOCOL_ERROR, "an opcode that is reserved");
    if (!(reader->head[1] & MASKED) == reader->masked)
        return fail(reader, WS_PROTOCOL_ERROR, reader->masked ? "a client's frame without a mask"
                    : "a server's frame with a mask");
    if (is_control(reader->opcode) && !reader->final)
        return fail(reader, WS_PROTOCOL_ERROR, "a control frame in fragments");
    if (is_control(reader->opcode) && length > WS_MOST_CONTROL)
        return fail(reader, WS_PROTOCOL_ERROR, "a control frame of more than 125 bytes");
    if (reader->opcode == WS_OP_CONTINUATION && !reader->in_message)
        return fail(reader, WS_PROTOCOL_ERROR, "a fragment of no message");
    if ((reader->opcode == WS_OP_TEXT || reader->opcode == WS_OP_BINARY) && reader->in_message)
        return fail(reader, WS_PROTOCOL_ERROR, "a message within another one");
    reader->need = 2u + (length == IN_16 ? 2 : length == IN_64 ? 8 : 0) + (reader->masked ? 4 : 0);
    return WS_NOTHING;
}

static uint64_t number(const uint8_t *bytes, size_t n)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++)
        value = value << 8 | bytes[i];
    return value;
}

/* The head is whole. */
static enum ws_event look_at_head(struct ws_reader *reader)
{
    uint8_t length = reader->head[1] & LENGTH;
    size_t bytes = length == IN_16 ? 2 : length == IN_64 ? 8 : 0;
    reader->payload = bytes ? number(reader->head + 2, bytes) : length;
    reader->taken = 0;
    if (reader->masked)
        memcpy(reader->mask, reader->head + 2 + bytes, 4);
    if (reader->payload >> 63)
        return fail(reader, WS_PROTOCOL_ERROR, "a length of 2^63 or more");
    if ((bytes == 2 && reader->payload < IN_16) || (bytes == 8 && reader->payload <= UINT16_MAX))
        return fail(reader, WS_PROTOCOL_ERROR, "a length written in more bytes than it needs");
    if (is_control(reader->opcode)) {
        reader->control_length = 0;
    } else {
        if (reader->opcode != WS_OP_CONTINUATION) {
            reader->length = 0;
            reader->is_text = reader->opcode == WS_OP_TEXT;
            reader->in_message = true;
        }
        if (reader->payload > reader->most - reader->length)
            return fail(reader, WS_TOO_BIG, "a message larger than the limit");
    }
    reader->in_payload = true;
    return WS_NOTHING;
}

/* ---- The payload --------------------------------------------------------------------------------- */

/* Room for n more bytes and a '\0'. */
static bool make_room(struct ws_reader *reader, size_t n)
{
    size_t wanted = reader->length + n + 1, room = reader->room ? reader->room : 64;
    if (wanted <= reader->room)
        return true;
    while (room < wanted)
        room *= 2;
    char *message = realloc(reader->message, room);
    if (!message)
        return false;
    reader->message = message;
    reader->room = room;
    return true;
}

static enum ws_event take_payload(struct ws_reader *reader, const void *data, size_t size)
{
    char *to = (char *)reader->control + reader->control_length;
    if (is_control(reader->opcode)) {
        reader->control_length += size;
    } else if (make_room(reader, size)) {
        to = reader->message + reader->length;
        reader->length += size;
    } else {
        reader->no_memory = true;
        return fail(reader, WS_INTERNAL_ERROR, "no memory for the message");
    }
    if (size)
        memcpy(to, data, size);
    if (reader->masked)
        pt_ws_mask(to, size, reader->mask, reader->taken);
    reader->taken += size;
    if (!is_control(reader->opcode) && reader->is_text && !pt_utf8_take(&reader->utf8, to, size))
        return fail(reader, WS_NOT_UTF8, "a text that is no UTF-8");
    return WS_NOTHING;
}

static enum ws_event look_at_close(struct ws_reader *reader)
{
    struct utf8 utf8 = {0};
    reader->code = WS_NO_CODE;
    if (reader->control_length == 0)
        return WS_CLOSE;
    if (reader->control_length == 1)
        return fail(reader, WS_PROTOCOL_ERROR, "half a code in a close frame");
    int code = (int)number(reader->control, 2);
    if (!pt_ws_may_send(code))
        return fail(reader, WS_PROTOCOL_ERROR, "a code that no close frame may carry");
    if (!pt_utf8_take(&utf8, reader->control + 2, reader->control_length - 2) || !pt_utf8_is_whole(&utf8))
        return fail(reader, WS_NOT_UTF8, "the reason of a close is no UTF-8");
    reader->code = code;
    return WS_CLOSE;
}

/* The frame is whole. */
static enum ws_event end_frame(struct ws_reader *reader)
{
    reader->in_payload = false;
    reader->have = 0;
    switch (reader->opcode) {
    case WS_OP_PING: return WS_PING;
    case WS_OP_PONG: return WS_PONG;
    case WS_OP_CLOSE: return look_at_close(reader);
    default: break;
    }
    if (!reader->final)
        return WS_NOTHING;
    if (reader->is_text && !pt_utf8_is_whole(&reader->utf8))
        return fail(reader, WS_NOT_UTF8, "a text that ends within a character");
    reader->message[reader->length] = '\0';
    reader->in_message = false;
    reader->told = true;
    return WS_MESSAGE;
}

/* ---- Reading ------------------------------------------------------------------------------------- */

/* Takes bytes of a head. */
static size_t read_head(struct ws_reader *reader, const uint8_t *data, size_t size, enum ws_event *event)
{
    size_t taken = 0;
    if (reader->have == 0)
        reader->need = 2;
    while (taken < size && reader->have < reader->need) {
        reader->head[reader->have++] = data[taken++];
        if (reader->have == 2 && (*event = look_at_start(reader)) != WS_NOTHING)
            return taken;
    }
    if (reader->have == reader->need)
        *event = look_at_head(reader);
    return taken;
}

size_t pt_ws_read(struct ws_reader *reader, const void *data, size_t size, enum ws_event *event)
{
    size_t taken = 0;
    *event = reader->why ? WS_FAILED : WS_NOTHING;
    if (reader->told) {
        reader->told = false;
        reader->length = 0;
    }
    while (*event == WS_NOTHING && (taken < size || (reader->in_payload && reader->payload == 0))) {
        const uint8_t *at = (const uint8_t *)data + taken;
        if (!reader->in_payload) {
            taken += read_head(reader, at, size - taken, event);
            continue;
        }
        uint64_t left = reader->payload - reader->taken;
        size_t n = left < size - taken ? (size_t)left : size - taken;
        *event = take_payload(reader, at, n);
        taken += n;
        if (*event == WS_NOTHING && reader->taken == reader->payload)
            *event = end_frame(reader);
    }
    return taken;
}

void pt_ws_reader_free(struct ws_reader *reader)
{
    free(reader->message);
    reader->message = NULL;
    reader->length = reader->room = 0;
}

/* ---- Writing ------------------------------------------------------------------------------------- */

size_t pt_ws_head(uint8_t out[WS_MOST_HEAD], bool final, enum ws_opcode opcode, uint64_t length, const uint8_t mask[4])
{
    size_t bytes = length < IN_16 ? 0 : length <= UINT16_MAX ? 2 : 8;
    out[0] = (uint8_t)((final ? FIN : 0) | opcode);
    out[1] = (uint8_t)((mask ? MASKED : 0) | (bytes == 0 ? length : bytes == 2 ? IN_16 : IN_64));
    for (size_t i = 0; i < bytes; i++)
        out[2 + i] = (uint8_t)(length >> (8 * (bytes - 1 - i)));
    if (mask)
        memcpy(out + 2 + bytes, mask, 4);
    return 2 + bytes + (mask ? 4 : 0);
}

void pt_ws_mask(void *bytes, size_t size, const uint8_t mask[4], uint64_t from)
{
    uint8_t *at = bytes;
    for (size_t i = 0; i < size; i++)
        at[i] ^= mask[(from + i) & 3];
}

bool pt_ws_may_send(int code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

size_t pt_ws_close_payload(uint8_t out[WS_MOST_CONTROL], int code, const char *reason)
{
    size_t length = reason ? strlen(reason) : 0;
    if (code == WS_NO_CODE)
        return 0;
    if (length > WS_MOST_REASON) {
        length = WS_MOST_REASON;
        while (length > 0 && ((uint8_t)reason[length] & 0xC0) == 0x80)
            length--;
    }
    out[0] = (uint8_t)(code >> 8);
    out[1] = (uint8_t)code;
    if (length)
        memcpy(out + 2, reason, length);
    return 2 + length;
}
