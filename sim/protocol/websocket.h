/* websocket.h - WebSocket's frames (RFC 6455, 5 to 8) as bytes: read piece by piece, and written. No I/O, no time.
 *
 *     struct ws_reader reader = {.masked = true, .most = 1 << 20};
 *     while (size > 0) {
 *         size_t n = pt_ws_read(&reader, data, size, &event);
 *         data += n, size -= n;
 *         if (event == WS_MESSAGE) ... reader.message, reader.length ...
 *     }
 *
 * What the RFC forbids is told at the first byte that shows it.
 */
#ifndef WEBSOCKET_H
#define WEBSOCKET_H

#include "utf8.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ws_opcode { WS_OP_CONTINUATION, WS_OP_TEXT, WS_OP_BINARY, WS_OP_CLOSE = 8, WS_OP_PING, WS_OP_PONG };

/* Why a connection is closed (RFC 6455, 7.4.1). */
enum ws_code {
    WS_NORMAL = 1000, WS_GOING_AWAY = 1001, WS_PROTOCOL_ERROR = 1002, WS_NO_CODE = 1005, WS_ABNORMAL = 1006,
    WS_NOT_UTF8 = 1007, WS_TOO_BIG = 1009, WS_INTERNAL_ERROR = 1011,
};

enum {
    WS_MOST_CONTROL = 125,      /* bytes in a frame that is no message's (5.5) */
    WS_MOST_REASON = 123,       /* of these, what follows the code of a close  */
    WS_MOST_HEAD = 14,
};

enum ws_event {
    WS_NOTHING,                 /* all of the bytes were taken, and more are needed                    */
    WS_MESSAGE,                 /* `message` is whole                                                   */
    WS_PING, WS_PONG, WS_CLOSE, /* `control` has it; of a close, `code` and what follows it             */
    WS_FAILED,                  /* it broke the rules: `code` and `why`. Nothing more can be read       */
};

/* One direction of a connection, as it is read. Set the first two, and zero the rest. */
struct ws_reader {
    /* Its frames must be masked: they come from a client. (Those from a server must not.) */
    bool masked;
    /* The most bytes of a message. */
    size_t most;
    /* The message: its fragments so far, `length` bytes of `room`, and a '\0' behind them. */
    char *message;
    size_t length, room;
    bool is_text;
    /* A message has begun whose last fragment has not come; it is whole, and was told of. */
    bool in_message, told;
    /* Of a text: a whole one leaves it as it was. */
    struct utf8 utf8;
    /* The frame's head: `have` of its `need` bytes. */
    uint8_t head[WS_MOST_HEAD];
    size_t have, need;
    /* Its payload: so much of it has come. */
    bool in_payload;
    uint64_t payload, taken;
    enum ws_opcode opcode;
    bool final;
    uint8_t mask[4];
    /* A ping's, pong's or close's payload. */
    uint8_t control[WS_MOST_CONTROL];
    size_t control_length;
    /* Of a close: its code (WS_NO_CODE: it has none). Failed: which code tells the peer so, and in which words. */
    int code;
    const char *why;
    bool no_memory;
};

/* Takes bytes up to the next event; returns how many. Whoever is told WS_MESSAGE has `message` until the next call. */
size_t pt_ws_read(struct ws_reader *reader, const void *data, size_t size, enum ws_event *event);
void pt_ws_reader_free(struct ws_reader *reader);

/* Writes a frame's head to `out`; mask NULL: it is a server's. Returns its length. */
size_t pt_ws_head(uint8_t out[WS_MOST_HEAD], bool final, enum ws_opcode opcode, uint64_t length, const uint8_t mask[4]);
/* Masks or unmasks bytes in place, the first of which is number `from` of the payload. */
void pt_ws_mask(void *bytes, size_t size, const uint8_t mask[4], uint64_t from);

/* Whether a close frame may carry that code (7.4): 1000 to 1003, 1007 to 1014, 3000 to 4999. */
bool pt_ws_may_send(int code);

/* Bytes of a close frame's payload: the code, then the reason, cut between two characters where it is too long. */
size_t pt_ws_close_payload(uint8_t out[WS_MOST_CONTROL], int code, const char *reason);

#endif
