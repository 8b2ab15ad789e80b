/* http_body.c - where a body ends (RFC 9112, 6 and 7). */
#include "http.h"

struct http_body pt_http_body_of(const struct http_head *head)
{
    return (struct http_body){.framing = head->framing, .left = head->length, .ended = head->framing == HTTP_NO_BODY};
}

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10
        : -1;
}

/* One byte of what stands around a chunk. False: it breaks the rules. */
static bool step(struct http_body *body, char c)
{
    int digit = digit_of(c);
    switch (body->next) {
    case CHUNK_SIZE:
        if (digit >= 0) {
            body->left = 16 * body->left + digit;
            return ++body->digits <= 15;
        }
        body->next = c == '\r' ? CHUNK_SIZE_LF : CHUNK_EXTENSION;
        return body->digits > 0 && (c == '\r' || c == ';' || c == ' ' || c == '\t');
    case CHUNK_EXTENSION:
        if (c == '\r')
            body->next = CHUNK_SIZE_LF;
        return c != '\n' && ++body->seen <= HTTP_MOST_CHUNK_LINE;
    case CHUNK_SIZE_LF:
        body->next = body->left > 0 ? CHUNK_DATA : TRAILER;
        body->seen = 0;
        return c == '\n';
    case CHUNK_CR: body->next = CHUNK_LF; return c == '\r';
    case CHUNK_LF:
        body->next = CHUNK_SIZE;
        body->digits = 0;
        return c == '\n';
    case TRAILER: body->next = c == '\r' ? LAST_LF : TRAILER_LINE; break;
    case TRAILER_LINE: body->next = c == '\r' ? TRAILER_LF : TRAILER_LINE; break;
    case TRAILER_LF: body->next = TRAILER; return c == '\n';
    case LAST_LF: body->ended = true; return c == '\n';
    case CHUNK_DATA: break;
    }
    return c != '\n' && ++body->seen <= HTTP_MOST_TRAILERS;
}

long pt_http_body_take(struct http_body *body, const char *data, size_t size, const char **piece, size_t *length)
{
    size_t taken = 0;
    *length = 0;
    while (!body->ended && taken < size) {
        if (body->framing == HTTP_CHUNKED && body->next != CHUNK_DATA) {
            if (!step(body, data[taken++]))
                return -1;
            continue;
        }
        size_t n = size - taken;
        if (body->framing != HTTP_UNTIL_CLOSE && (uint64_t)body->left < n)
            n = (size_t)body->left;
        *piece = data + taken;
        *length = n;
        taken += n;
        if (body->framing == HTTP_UNTIL_CLOSE)
            break;
        body->left -= (int64_t)n;
        if (body->left == 0) {
            body->ended = body->framing == HTTP_LENGTH;
            body->next = CHUNK_CR;
        }
        break;
    }
    return (long)taken;
}
