/* test_websocket.c - RFC 6455 as a table: what it asks of each side, where it says so, and the bytes that show it. And
 * random frames: 20,000 of them, or LOOPLAB_ALL=1: a million. */
#include "check.h"

#include "protocol/http.h"
#include "protocol/random.h"
#include "protocol/websocket.h"

#include <stdint.h>

enum { MOST = 1000 };       /* bytes of a message, in the table */

/* What was read, in one line: "text(hi) ping() close(1000,bye) failed(1002)". */
struct story { char text[4096]; size_t length; };

static __attribute__((format(printf, 2, 3))) void tell(struct story *story, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    story->length += (size_t)vsnprintf(story->text + story->length, sizeof story->text - story->length, format, args);
    va_end(args);
    assert_true(story->length < sizeof story->text);
}

static void tell_event(struct story *story, const struct ws_reader *reader, enum ws_event event)
{
    const char *space = story->length ? " " : "";
    int n = (int)reader->control_length;
    if (event == WS_MESSAGE && reader->length > 40)
        tell(story, "%s%s[%zu]", space, reader->is_text ? "text" : "binary", reader->length);
    else if (event == WS_MESSAGE)
        tell(story, "%s%s(%s)", space, reader->is_text ? "text" : "binary", reader->message);
    else if (event == WS_PING || event == WS_PONG)
        tell(story, "%s%s(%.*s)", space, event == WS_PING ? "ping" : "pong", n, reader->control);
    else if (event == WS_CLOSE)
        tell(story, "%sclose(%d%s%.*s)", space, reader->code, n > 2 ? "," : "", n > 2 ? n - 2 : 0, reader->control + 2);
    else if (event == WS_FAILED)
        tell(story, "%sfailed(%d)", space, reader->code);
}

/* Reads bytes in pieces of at most `piece`. */
static void read_all(struct story *story, const void *bytes, size_t size, bool masked, size_t piece)
{
    struct ws_reader reader = {.masked = masked, .most = MOST};
    enum ws_event event = WS_NOTHING;
    *story = (struct story){0};
    for (size_t at = 0; at < size && event != WS_FAILED;) {
        size_t n = size - at < piece ? size - at : piece;
        char *copy = malloc(n);                 /* so that ASan sees a step beyond it */
        memcpy(copy, (const char *)bytes + at, n);
        for (size_t taken = 0; taken < n && event != WS_FAILED;) {
            taken += pt_ws_read(&reader, copy + taken, n - taken, &event);
            tell_event(story, &reader, event);
        }
        free(copy);
        at += n;
    }
    pt_ws_reader_free(&reader);
}

/* ---- The table ----------------------------------------------------------------------------------- */

#define BYTES(literal) literal, sizeof literal - 1
#define M "\0\0\0\0"        /* a mask that changes nothing */

/* `masked`: read as a server reads. */
static const struct row { const char *section, *says; bool masked; const char *bytes; size_t size; const char *read; }
ROWS[] = {
    {"5.7", "a text from a server, without a mask", false, BYTES("\x81\x05Hello"), "text(Hello)"},
    {"5.7", "the same from a client, masked", true, BYTES("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"),
     "text(Hello)"},
    {"5.7", "a text in two fragments", false, BYTES("\x01\x03Hel\x80\x02lo"), "text(Hello)"},
    {"5.7", "a ping, and its masked pong", false, BYTES("\x89\x05Hello"), "ping(Hello)"},
    {"5.7", "a pong", true, BYTES("\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"), "pong(Hello)"},
    {"5.1", "a server closes when a frame is not masked", true, BYTES("\x81\x01x"), "failed(1002)"},
    {"5.1", "a client closes when a frame is masked", false, BYTES("\x81\x81" M "x"), "failed(1002)"},
    {"5.2", "RSV1 is 0 without an extension", false, BYTES("\xc1\x01x"), "failed(1002)"},
    {"5.2", "RSV2 is 0", false, BYTES("\xa1\x01x"), "failed(1002)"},
    {"5.2", "RSV3 is 0, of control frames, too", true, BYTES("\x99\x80" M), "failed(1002)"},
    {"5.2", "opcode 3 is reserved", false, BYTES("\x83\0"), "failed(1002)"},
    {"5.2", "opcode 7 is reserved", false, BYTES("\x87\0"), "failed(1002)"},
    {"5.2", "opcode 11 is reserved", false, BYTES("\x8b\0"), "failed(1002)"},
    {"5.2", "opcode 15 is reserved", false, BYTES("\x8f\0"), "failed(1002)"},
    {"5.2", "125 bytes are written in 7 bits, 126 in 16: not fewer in 16", false, BYTES("\x82\x7e\0\x7d"),
     "failed(1002)"},
    {"5.2", "what fits into 16 bits is not written in 64", false, BYTES("\x82\x7f\0\0\0\0\0\0\xff\xff"),
     "failed(1002)"},
    {"5.2", "the highest bit of 64 is 0", false, BYTES("\x82\x7f\x80\0\0\0\0\1\0\0"), "failed(1002)"},
    {"5.2", "a length of 0", false, BYTES("\x81\0\x82\0"), "text() binary()"},
    {"5.4", "a continuation continues something", false, BYTES("\x80\x01x"), "failed(1002)"},
    {"5.4", "no other message within a message", false, BYTES("\x01\x01" "a\x81\x01" "b"), "failed(1002)"},
    {"5.4", "nor behind its last fragment another one", false, BYTES("\x01\x01" "a\x80\x01" "b\x80\x01" "c"),
     "text(ab) failed(1002)"},
    {"5.4", "control frames between fragments", false, BYTES("\x02\x01" "a\x89\x01" "p\x8a\0\x80\x01" "b"),
     "ping(p) pong() binary(ab)"},
    {"5.4", "a close between fragments", false, BYTES("\x02\x01" "a\x88\x02\x03\xe8"), "close(1000)"},
    {"5.4", "empty fragments", false, BYTES("\x01\0\0\0\0\x01x\x80\0"), "text(x)"},
    {"5.5", "a control frame is never in fragments", false, BYTES("\x09\x01" "p"), "failed(1002)"},
    {"5.5", "a control frame has at most 125 bytes", false, BYTES("\x89\x7e\0\x7e"), "failed(1002)"},
    {"5.5.1", "a close may be empty", true, BYTES("\x88\x80" M), "close(1005)"},
    {"5.5.1", "its code has two bytes", true, BYTES("\x88\x81" M "\x03"), "failed(1002)"},
    {"5.5.1", "not one, whatever was there before", true, BYTES("\x89\x82" M "\x03\xe8\x88\x81" M "\x03"),
     "ping(\x03\xe8) failed(1002)"},
    {"5.5.1", "then comes a reason", true, BYTES("\x88\x85" M "\x03\xe9" "bye"), "close(1001,bye)"},
    {"5.5.1", "which is UTF-8", true, BYTES("\x88\x83" M "\x03\xe8\xff"), "failed(1007)"},
    {"5.5.1", "and whole", true, BYTES("\x88\x83" M "\x03\xe8\xc3"), "failed(1007)"},
    {"7.4.1", "1004 is reserved", false, BYTES("\x88\x02\x03\xec"), "failed(1002)"},
    {"7.4.1", "1005 is never sent", false, BYTES("\x88\x02\x03\xed"), "failed(1002)"},
    {"7.4.1", "1006 is never sent", false, BYTES("\x88\x02\x03\xee"), "failed(1002)"},
    {"7.4.1", "1015 is never sent", false, BYTES("\x88\x02\x03\xf7"), "failed(1002)"},
    {"7.4.2", "below 1000 there is none", false, BYTES("\x88\x02\x03\xe7"), "failed(1002)"},
    {"7.4.2", "1016 to 2999 are the protocol's own", false, BYTES("\x88\x02\x0b\xb7"), "failed(1002)"},
    {"7.4.2", "3000 is a library's", false, BYTES("\x88\x02\x0b\xb8"), "close(3000)"},
    {"7.4.2", "4999 is a program's, 5000 nobody's", false, BYTES("\x88\x02\x13\x87"), "close(4999)"},
    {"7.4.2", "5000 is nobody's", false, BYTES("\x88\x02\x13\x88"), "failed(1002)"},
    {"8.1", "a text is UTF-8", false, BYTES("\x81\x02\xc3\x28"), "failed(1007)"},
    {"8.1", "a character may be cut by a fragment", false, BYTES("\x01\x01\xc3\x80\x01\xa9"), "text(\xc3\xa9)"},
    {"8.1", "but not by the message's end", false, BYTES("\x81\x01\xc3"), "failed(1007)"},
    {"8.1", "nor is a surrogate one", false, BYTES("\x81\x03\xed\xa0\x80"), "failed(1007)"},
    {"8.1", "nor what is longer than need be", false, BYTES("\x81\x02\xc0\xaf"), "failed(1007)"},
    {"8.1", "nor what lies beyond U+10FFFF", false, BYTES("\x81\x04\xf4\x90\x80\x80"), "failed(1007)"},
    {"8.1", "bytes may be anything", false, BYTES("\x82\x01\xff"), "binary(\xff)"},
    {"10.4", "a limit on a frame", false, BYTES("\x82\x7e\x03\xe9"), "failed(1009)"},
    {"10.4", "a limit on a message in fragments", false, BYTES("\x02\x01" "a\x80\x7e\x03\xe8"), "failed(1009)"},
    {"10.4", "told before 2^62 bytes have come", false, BYTES("\x82\x7f\x40\0\0\0\0\0\0\0"), "failed(1009)"},
};

static void each_row_is_kept_to(void **state)
{
    (void)state;
    static const size_t pieces[] = {1, 2, 3, 5, 1000};
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
        for (size_t k = 0; k < sizeof pieces / sizeof pieces[0]; k++) {
            struct story story;
            read_all(&story, ROWS[i].bytes, ROWS[i].size, ROWS[i].masked, pieces[k]);
            if (strcmp(story.text, ROWS[i].read) != 0)
                fail_msg("RFC 6455, %s: %s: in pieces of %zu: %s, expected %s", ROWS[i].section, ROWS[i].says,
                         pieces[k], story.text, ROWS[i].read);
        }
}

/* A text that cannot become right is refused before its frame is whole (8.1 lets wait; we do not). */
static void what_is_wrong_is_told_at_the_first_byte_that_shows_it(void **state)
{
    (void)state;
    struct story story;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        const char *failed = strstr(ROWS[i].read, "failed");
        if (!failed || strcmp(ROWS[i].section, "5.5.1") == 0 || ROWS[i].size < 3)
            continue;
        read_all(&story, ROWS[i].bytes, ROWS[i].size, ROWS[i].masked, 1);
        assert_non_null(strstr(story.text, "failed"));
    }
    read_all(&story, BYTES("\x81\x7e\x03\xe8" "abc\xff"), false, 1);
    assert_string_equal(story.text, "failed(1007)");
    read_all(&story, BYTES("\xc1"), false, 1);          /* the second byte shows whether the mask is right, too */
    assert_string_equal(story.text, "");
}

static void a_reader_that_has_failed_stays_so(void **state)
{
    (void)state;
    enum ws_event event;
    struct ws_reader reader = {.most = MOST};
    assert_int_equal(pt_ws_read(&reader, "\x83\0", 2, &event), 2);
    assert_int_equal(event, WS_FAILED);
    assert_int_equal(pt_ws_read(&reader, "\x81\0", 2, &event), 0);
    assert_int_equal(event, WS_FAILED);
    pt_ws_reader_free(&reader);
}

/* ---- Writing ------------------------------------------------------------------------------------- */

/* 5.2: the shortest form of a length, whatever it is; 5.3: what is masked twice is as before. */
static void what_is_written_can_be_read(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 125, 126, 127, 65535, 65536, 100000};
    uint8_t mask[4] = {1, 2, 3, 200};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
        for (int masked = 0; masked < 2; masked++) {
            size_t length = lengths[i];
            uint8_t *frame = malloc(WS_MOST_HEAD + length);
            size_t head = pt_ws_head(frame, true, WS_OP_BINARY, length, masked ? mask : NULL);
            assert_int_equal(head, 2 + (length < 126 ? 0 : length < 65536 ? 2 : 8) + (masked ? 4 : 0));
            for (size_t k = 0; k < length; k++)
                frame[head + k] = (uint8_t)(k * 7);
            if (masked)
                pt_ws_mask(frame + head, length, mask, 0);
            struct ws_reader reader = {.masked = masked, .most = 1 << 20};
            enum ws_event event = WS_NOTHING;
            size_t taken = 0;
            while (event == WS_NOTHING && taken < head + length)
                taken += pt_ws_read(&reader, frame + taken, 1 + taken % 1000 < head + length - taken ? 1 + taken % 1000
                                 : head + length - taken, &event);
            assert_int_equal(event, WS_MESSAGE);
            assert_int_equal(reader.length, length);
            for (size_t k = 0; k < length; k++)
                assert_int_equal((uint8_t)reader.message[k], (uint8_t)(k * 7));
            pt_ws_reader_free(&reader);
            free(frame);
        }
}

static void a_reason_is_cut_between_two_characters(void **state)
{
    (void)state;
    uint8_t payload[WS_MOST_CONTROL];
    char reason[200];
    struct utf8 utf8 = {0};
    memset(reason, 'x', sizeof reason);
    strcpy(reason + 121, "\xe2\x82\xac\xe2\x82\xac");       /* the euro sign would end at 124 */
    assert_int_equal(pt_ws_close_payload(payload, 1000, reason), 2 + 121);
    assert_true(pt_utf8_take(&utf8, payload + 2, 121) && pt_utf8_is_whole(&utf8));
    assert_int_equal(pt_ws_close_payload(payload, WS_NO_CODE, "x"), 0);
    assert_int_equal(pt_ws_close_payload(payload, 4000, NULL), 2);
    assert_memory_equal(payload, "\x0f\xa0", 2);
}

/* RFC 8439, 2.3.2: the example of a block. */
static void masks_come_from_chachas_key_stream(void **state)
{
    (void)state;
    uint8_t seed[RANDOM_SEED], out[RANDOM_BLOCK], taken[100], again[100];
    for (int i = 0; i < RANDOM_SEED; i++)
        seed[i] = (uint8_t)i;
    struct random random;
    pt_random_begin(&random, seed);
    static const uint32_t nonce[3] = {0x09000000, 0x4a000000, 0};
    pt_random_block(random.key, 1, nonce, out);
    assert_memory_equal(out, "\x10\xf1\xe7\xe4\xd1\x3b\x59\x15\x50\x0f\xdd\x1f\xa3\x20\x71\xc4", 16);
    assert_memory_equal(out + 48, "\xb5\x12\x9c\xd1\xde\x16\x4e\xb9\xcb\xd0\x83\xe8\xa2\x50\x3c\x4e", 16);
    pt_random_take(&random, taken, 7);
    pt_random_take(&random, taken + 7, 93);
    pt_random_begin(&random, seed);
    pt_random_take(&random, again, 100);
    assert_memory_equal(taken, again, 100);
    assert_memory_not_equal(taken, taken + 64, 36);
}

/* ---- The opening --------------------------------------------------------------------------------- */

#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define UP "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define REST "Host: a.test\r\n" UP KEY "Sec-WebSocket-Version: 13\r\n\r\n"

static int check_request(const char *text)
{
    struct http_head head;
    const char *key;
    char *copy = strdup(text);
    int status = pt_http_read_request(&head, copy, strlen(copy));
    if (status == 0)
        status = pt_ws_check_request(&head, &key);
    free(copy);
    return status;
}

static const struct { const char *section, *says, *request; int status; } OPENINGS[] = {
    {"4.2.1", "as it should be", "GET /chat HTTP/1.1\r\n" REST, 0},
    {"4.2.1", "words in any case, among others", "GET / HTTP/1.1\r\nhost: a.test\r\nUPGRADE: h2c, WebSocket\r\n"
     "connection: keep-alive, upgrade\r\n" KEY "Sec-WebSocket-Version: 13\r\n\r\n", 0},
    {"4.2.1", "a GET", "POST / HTTP/1.1\r\n" REST, 405},
    {"4.2.1", "HTTP/1.1 or later", "GET / HTTP/1.0\r\n" REST, 426},
    {"4.2.1", "a Host", "GET / HTTP/1.1\r\n" UP KEY "Sec-WebSocket-Version: 13\r\n\r\n", 400},
    {"4.2.1", "an Upgrade", "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n" KEY
     "Sec-WebSocket-Version: 13\r\n\r\n", 426},
    {"4.2.1", "a Connection that says so", "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n" KEY
     "Sec-WebSocket-Version: 13\r\n\r\n", 426},
    {"4.2.1", "a key", "GET / HTTP/1.1\r\nHost: a\r\n" UP "Sec-WebSocket-Version: 13\r\n\r\n", 400},
    {"4.2.1", "of 16 bytes", "GET / HTTP/1.1\r\nHost: a\r\n" UP "Sec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n"
     "Sec-WebSocket-Version: 13\r\n\r\n", 400},
    {"4.2.1", "in base64", "GET / HTTP/1.1\r\nHost: a\r\n" UP "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j!Q==\r\n"
     "Sec-WebSocket-Version: 13\r\n\r\n", 400},
    {"4.2.1", "to its end", "GET / HTTP/1.1\r\nHost: a\r\n" UP "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=x\r\n"
     "Sec-WebSocket-Version: 13\r\n\r\n", 400},
    {"4.2.1", "that one alone", "GET / HTTP/1.1\r\nHost: a\r\n" UP KEY KEY "Sec-WebSocket-Version: 13\r\n\r\n", 400},
    {"4.2.1", "the version 13", "GET / HTTP/1.1\r\nHost: a\r\n" UP KEY "\r\n", 426},
    {"4.4", "no older one", "GET / HTTP/1.1\r\nHost: a\r\n" UP KEY "Sec-WebSocket-Version: 8\r\n\r\n", 426},
    {"4.1", "no body", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n" UP KEY
     "Sec-WebSocket-Version: 13\r\n\r\n", 400},
};

static void each_opening_is_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof OPENINGS / sizeof OPENINGS[0]; i++) {
        int status = check_request(OPENINGS[i].request);
        if (status != OPENINGS[i].status)
            fail_msg("RFC 6455, %s: %s: %d, expected %d", OPENINGS[i].section, OPENINGS[i].says, status,
                     OPENINGS[i].status);
    }
}

static const char *check_answer(const char *text, const char *protocols)
{
    struct http_head head;
    char *copy = strdup(text);
    const char *wrong = pt_http_read_answer(&head, copy, strlen(copy), "GET") < 0 ? "no answer"
        : pt_ws_check_answer(&head, "dGhlIHNhbXBsZSBub25jZQ==", protocols);
    free(copy);
    return wrong ? wrong : "right";
}

/* 1.3 has the key and what it becomes; 4.1 what a client must not take. */
static void a_client_looks_at_the_answer(void **state)
{
    (void)state;
    char accept[WS_ACCEPT + 1];
    pt_ws_accept_of(accept, "dGhlIHNhbXBsZSBub25jZQ==");
    assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
#define OPEN "HTTP/1.1 101 Switching Protocols\r\n" UP
#define ACCEPT "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
    assert_string_equal(check_answer(OPEN ACCEPT "\r\n", NULL), "right");
    assert_non_null(strstr(check_answer("HTTP/1.1 200 OK\r\n" UP ACCEPT "\r\n", NULL), "does not open"));
    assert_non_null(strstr(check_answer("HTTP/1.1 101 x\r\nConnection: Upgrade\r\n" ACCEPT "\r\n", NULL),
                           "another protocol"));
    assert_non_null(strstr(check_answer("HTTP/1.1 101 x\r\nUpgrade: websocket\r\n" ACCEPT "\r\n", NULL),
                           "another protocol"));
    assert_non_null(strstr(check_answer(OPEN "\r\n", NULL), "another key"));
    assert_non_null(strstr(check_answer(OPEN "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n", NULL),
                           "another key"));
    assert_non_null(strstr(check_answer(OPEN ACCEPT "Sec-WebSocket-Extensions: x\r\n\r\n", NULL), "extension"));
    assert_non_null(strstr(check_answer(OPEN ACCEPT "Sec-WebSocket-Protocol: chat\r\n\r\n", NULL), "subprotocol"));
    assert_non_null(strstr(check_answer(OPEN ACCEPT "Sec-WebSocket-Protocol: chat\r\n\r\n", "Chat, chats"),
                           "subprotocol"));
    assert_string_equal(check_answer(OPEN ACCEPT "Sec-WebSocket-Protocol: chat\r\n\r\n", "a, chat"), "right");
}

static void the_first_of_the_clients_protocols_is_chosen(void **state)
{
    (void)state;
    size_t length;
    const char *headers = "Sec-WebSocket-Protocol: a, b\nSec-WebSocket-Protocol: c\n";
    assert_memory_equal(pt_ws_choose_protocol(headers, "c, b", &length), "b", 1);
    assert_int_equal(length, 1);
    assert_memory_equal(pt_ws_choose_protocol(headers, "c", &length), "c", 1);
    assert_null(pt_ws_choose_protocol(headers, "d, ab", &length));
    assert_null(pt_ws_choose_protocol(headers, NULL, &length));
}

static void a_key_is_made_of_16_bytes(void **state)
{
    (void)state;
    char key[WS_KEY + 1];
    pt_ws_make_key(key, (const uint8_t *)"the sample nonce");
    assert_string_equal(key, "dGhlIHNhbXBsZSBub25jZQ==");
}

/* ---- Random frames ------------------------------------------------------------------------------- */

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13, *state ^= *state >> 7, *state ^= *state << 17;
    return *state;
}

/* A frame that is right, or nearly: each of its parts is wrong once in a while. */
static size_t random_frame(uint64_t *random, uint8_t *out)
{
    static const uint8_t opcodes[] = {0, 0, 0, 1, 1, 2, 8, 9, 10, 3};
    uint64_t r = next_random(random);
    uint8_t mask[4] = {(uint8_t)(r >> 40), (uint8_t)(r >> 48), 3, 4};
    size_t length = r % 7 == 0 ? r % 300 : r % 20;
    size_t head = pt_ws_head(out, (r >> 8) % 2, (enum ws_opcode)opcodes[(r >> 16) % 10], length, mask);
    for (size_t i = 0; i < length; i++)
        out[head + i] = (r >> 20) % 3 ? (uint8_t)('a' + i % 26) : (uint8_t)next_random(random);
    pt_ws_mask(out + head, length, mask, 0);
    if ((r >> 24) % 5 == 0)
        out[(r >> 30) % (head + length)] ^= (uint8_t)(1 << (r >> 27) % 8);
    return head + length;
}

/* Whatever comes, cut as it may be: the same is read, and no byte is touched that is none of its own (under ASan). */
static void a_million_random_frames(void **state)
{
    (void)state;
    long frames = getenv("LOOPLAB_ALL") ? 1000000 : 20000, failures = 0, messages = 0;
    uint64_t random = 0x9E3779B97F4A7C15u;
    while (frames > 0) {
        uint8_t bytes[4096];
        size_t size = 0;
        for (int i = 0; i < 8; i++, frames--)
            size += random_frame(&random, bytes + size);
        struct story whole, cut;
        read_all(&whole, bytes, size, true, sizeof bytes);
        read_all(&cut, bytes, size, true, 1 + next_random(&random) % 9);
        assert_string_equal(whole.text, cut.text);
        failures += strstr(whole.text, "failed") != NULL;
        messages += strstr(whole.text, "text") != NULL;
    }
    assert_true(failures > 100 && messages > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_is_kept_to),
        cmocka_unit_test(what_is_wrong_is_told_at_the_first_byte_that_shows_it),
        cmocka_unit_test(a_reader_that_has_failed_stays_so),
        cmocka_unit_test(what_is_written_can_be_read),
        cmocka_unit_test(a_reason_is_cut_between_two_characters),
        cmocka_unit_test(masks_come_from_chachas_key_stream),
        cmocka_unit_test(each_opening_is_judged),
        cmocka_unit_test(a_client_looks_at_the_answer),
        cmocka_unit_test(the_first_of_the_clients_protocols_is_chosen),
        cmocka_unit_test(a_key_is_made_of_16_bytes),
        cmocka_unit_test(a_million_random_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
