/* opening.c - how a WebSocket is opened over HTTP (RFC 6455, 4). */
#include "http.h"

#include <string.h>
#include <strings.h>

/* ---- SHA-1 (RFC 3174) ---------------------------------------------------------------------------- */

enum { DIGEST = 20, BLOCK = 64 };

static uint32_t rotate(uint32_t x, int n)
{
    return x << n | x >> (32 - n);
}

static void digest_block(uint32_t h[5], const uint8_t block[BLOCK])
{
    uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 | (uint32_t)block[4 * i + 2] << 8
            | block[4 * i + 3];
    for (int i = 16; i < 80; i++)
        w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    for (int i = 0; i < 80; i++) {
        uint32_t f = i < 20 ? (b & c) | (~b & d) : i < 40 || i >= 60 ? b ^ c ^ d : (b & c) | (b & d) | (c & d);
        uint32_t k = i < 20 ? 0x5A827999 : i < 40 ? 0x6ED9EBA1 : i < 60 ? 0x8F1BBCDC : 0xCA62C1D6;
        uint32_t t = rotate(a, 5) + f + e + k + w[i];
        e = d, d = c, c = rotate(b, 30), b = a, a = t;
    }
    h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
}

/* Of a text of less than 119 bytes: two blocks hold it, its end and its length. */
static void digest(const char *text, size_t length, uint8_t out[DIGEST])
{
    uint32_t h[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    uint8_t blocks[2 * BLOCK] = {0};
    size_t n = length < BLOCK - 8 ? 1 : 2;
    memcpy(blocks, text, length);
    blocks[length] = 0x80;
    blocks[n * BLOCK - 2] = (uint8_t)(length * 8 >> 8);
    blocks[n * BLOCK - 1] = (uint8_t)(length * 8);
    for (size_t i = 0; i < n; i++)
        digest_block(h, blocks + i * BLOCK);
    for (int i = 0; i < DIGEST; i++)
        out[i] = (uint8_t)(h[i / 4] >> (24 - i % 4 * 8));
}

/* ---- Base64 (RFC 4648) --------------------------------------------------------------------------- */

static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void base64(const uint8_t *bytes, size_t size, char *out)
{
    for (size_t i = 0; i < size; i += 3) {
        size_t n = size - i < 3 ? size - i : 3;
        uint32_t group = (uint32_t)bytes[i] << 16 | (n > 1 ? (uint32_t)bytes[i + 1] << 8 : 0)
            | (n > 2 ? bytes[i + 2] : 0);
        for (size_t k = 0; k < 4; k++)
            *out++ = k <= n ? LETTERS[group >> (18 - 6 * k) & 63] : '=';
    }
    *out = '\0';
}

/* ---- Keys ---------------------------------------------------------------------------------------- */

void pt_ws_make_key(char key[WS_KEY + 1], const uint8_t bytes[16])
{
    base64(bytes, 16, key);
}

void pt_ws_accept_of(char accept[WS_ACCEPT + 1], const char key[WS_KEY])
{
    static const char fixed[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char text[WS_KEY + sizeof fixed];
    uint8_t out[DIGEST];
    memcpy(text, key, WS_KEY);
    memcpy(text + WS_KEY, fixed, sizeof fixed);
    digest(text, WS_KEY + sizeof fixed - 1, out);
    base64(out, DIGEST, accept);
}

/* 16 bytes in base64: 22 letters, the last of which has four bits to spare, and "==". */
static bool is_key(const char *text, size_t length)
{
    for (size_t i = 0; length == WS_KEY && i < WS_KEY - 2; i++)
        if (!text[i] || !strchr(LETTERS, text[i]))
            return false;
    return length == WS_KEY && strchr("AQgw", text[21]) && memcmp(text + 22, "==", 2) == 0;
}

/* ---- Both sides ---------------------------------------------------------------------------------- */

/* Whether there is exactly one header of that name. */
static bool is_one(const char *headers, const char *name)
{
    size_t length;
    return pt_http_find(headers, name, 0, &length) && !pt_http_find(headers, name, 1, &length);
}

int pt_ws_check_request(const struct http_head *head, const char **key)
{
    size_t length;
    const char *headers = head->headers;
    if (strcmp(head->method, "GET") != 0)
        return 405;
    if (!head->is_1_1 || !pt_http_has_word(headers, "Upgrade", "websocket")
        || !pt_http_has_word(headers, "Connection", "Upgrade"))
        return 426;
    const char *version = pt_http_find(headers, "Sec-WebSocket-Version", 0, &length);
    if (!version || length != 2 || memcmp(version, "13", 2) != 0 || !is_one(headers, "Sec-WebSocket-Version"))
        return 426;
    *key = pt_http_find(headers, "Sec-WebSocket-Key", 0, &length);
    if (!*key || !is_key(*key, length) || !is_one(headers, "Sec-WebSocket-Key") || head->framing != HTTP_NO_BODY)
        return 400;
    return 0;
}

/* The next of the words between commas. */
static const char *next_word(const char **at, const char *end, size_t *length)
{
    *at += strspn(*at, ", \t");
    if (*at >= end)
        return NULL;
    const char *word = *at;
    *length = strcspn(word, ", \t\n");
    *at = word + *length;
    return word;
}

static bool has_exactly(const char *list, const char *word, size_t length)
{
    size_t size;
    for (const char *at = list, *found; (found = next_word(&at, list + strlen(list), &size));)
        if (size == length && memcmp(found, word, size) == 0)
            return true;
    return false;
}

const char *pt_ws_choose_protocol(const char *headers, const char *ours, size_t *length)
{
    size_t size;
    const char *value;
    for (size_t n = 0; ours && (value = pt_http_find(headers, "Sec-WebSocket-Protocol", n, &size)); n++)
        for (const char *at = value, *found; (found = next_word(&at, value + size, length));)
            if (has_exactly(ours, found, *length))
                return found;
    return NULL;
}

const char *pt_ws_check_answer(const struct http_head *head, const char key[WS_KEY], const char *protocols)
{
    char accept[WS_ACCEPT + 1];
    size_t length;
    pt_ws_accept_of(accept, key);
    if (head->status != 101)
        return "the server does not open a WebSocket there";
    if (!pt_http_has_word(head->headers, "Upgrade", "websocket")
        || !pt_http_has_word(head->headers, "Connection", "Upgrade"))
        return "the server speaks of another protocol";
    const char *said = pt_http_find(head->headers, "Sec-WebSocket-Accept", 0, &length);
    if (!said || length != WS_ACCEPT || memcmp(said, accept, WS_ACCEPT) != 0
        || !is_one(head->headers, "Sec-WebSocket-Accept"))
        return "the server's answer is to another key";
    if (pt_http_find(head->headers, "Sec-WebSocket-Extensions", 0, &length))
        return "the server uses an extension that nobody asked for";
    const char *protocol = pt_http_find(head->headers, "Sec-WebSocket-Protocol", 0, &length);
    if (protocol && (!protocols || !has_exactly(protocols, protocol, length)))
        return "the server uses a subprotocol that nobody asked for";
    return NULL;
}
