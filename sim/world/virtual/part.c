/* part.c - less than the whole answer: a part of its body (Range), or that it is still the same (If-None-Match,
 * If-Modified-Since). As nginx has it: a date is compared as a text, a range that makes no sense is 416, of several
 * ranges none is looked at. */
#include "part.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- Still the same? ----------------------------------------------------------------------- */

/* Whether one of the tags in value[0..n) names this version; what only says "nearly the same" (W/) will do. */
static bool names_it(const char *value, size_t n, const char *etag)
{
    if (n == 1 && *value == '*')
        return true;
    etag += strncmp(etag, "W/", 2) == 0 ? 2 : 0;
    for (size_t at = 0, end; at < n; at = end + 1) {
        const char *comma = memchr(value + at, ',', n - at);
        end = comma ? (size_t)(comma - value) : n;
        size_t from = at, to = end;
        while (from < to && value[from] == ' ')
            from++;
        while (to > from && value[to - 1] == ' ')
            to--;
        if (to - from > 2 && memcmp(value + from, "W/", 2) == 0)
            from += 2;
        if (to - from == strlen(etag) && memcmp(value + from, etag, to - from) == 0)
            return true;
    }
    return false;
}

static bool is_text(const char *value, size_t n, const char *text)
{
    return text && strlen(text) == n && memcmp(value, text, n) == 0;
}

static bool is_the_same(const struct version *version, const char *headers, size_t length)
{
    size_t n;
    const char *tags = vw_header_find(headers, length, "If-None-Match", &n);
    if (tags)
        return version->etag && names_it(tags, n, version->etag);
    const char *since = vw_header_find(headers, length, "If-Modified-Since", &n);
    return since && is_text(since, n, version->modified);
}

/* ---- A part? ------------------------------------------------------------------------------- */

enum wanted { WHOLE, PART, BEYOND };

/* A number at *at, which moves behind it and the blanks there. -1: there is none. */
static int64_t number(const char **at, const char *end)
{
    int64_t value = -1;
    while (*at < end && **at >= '0' && **at <= '9') {
        int64_t digit = *(*at)++ - '0';
        value = value < 0 ? digit : value > (INT64_MAX - digit) / 10 ? INT64_MAX : 10 * value + digit;
    }
    while (*at < end && **at == ' ')
        (*at)++;
    return value;
}

/* "3-7", "3-" or "-7" of a body of `size` bytes, as from..to, `to` excluded. */
static enum wanted parse_range(const char *text, const char *end, int64_t size, int64_t *from, int64_t *to)
{
    if (memchr(text, ',', (size_t)(end - text)))
        return WHOLE;
    while (text < end && *text == ' ')
        text++;
    int64_t first = number(&text, end);
    if (text == end || *text++ != '-')
        return BEYOND;
    while (first >= 0 && text < end && *text == ' ')
        text++;
    bool is_open = text == end;
    int64_t last = number(&text, end);
    if (text != end || (first < 0 && last < 0) || (last < 0 && !is_open))
        return BEYOND;
    if (first < 0) {                    /* the last so many */
        first = last < size ? size - last : 0;
        last = size - 1;
    }
    *from = first;
    *to = is_open || last >= size ? size : last + 1;
    return *from < *to ? PART : first == 0 ? WHOLE : BEYOND;
}

static enum wanted find_range(const struct route *route, const char *headers, size_t length, int64_t *from, int64_t *to)
{
    size_t n, if_n;
    const char *range = vw_header_find(headers, length, "Range", &n);
    const char *only = vw_header_find(headers, length, "If-Range", &if_n);
    if (!route->version.ranges || !range || n < 6 || strncasecmp(range, "bytes=", 6) != 0)
        return WHOLE;
    const char *etag = route->version.etag;
    bool is_strong = etag && strncmp(etag, "W/", 2) != 0;
    if (only && !(is_strong && is_text(only, if_n, etag)) && !is_text(only, if_n, route->version.modified))
        return WHOLE;
    return parse_range(range + 6, range + n, route->answer.body, from, to);
}

/* ---- The answers --------------------------------------------------------------------------- */

/* The route's answer without its last header line, which is its Content-Length; then the part's own. */
static bool make_part(struct exchange *exchange, int64_t from, int64_t to)
{
    const struct answer *whole = &exchange->route->answer;
    char lines[128];
    int n = snprintf(lines, sizeof lines, "Content-Range: bytes %" PRId64 "-%" PRId64 "/%" PRId64 "\n"
                     "Content-Length: %" PRId64 "\n", from, to - 1, whole->body, to - from);
    size_t head = whole->head - 1;
    while (head > 0 && whole->bytes[head - 1] != '\n')
        head--;
    size_t body = whole->patterned ? 0 : (size_t)(to - from);
    exchange->echo = malloc(head + (size_t)n + body);
    if (!exchange->echo)
        return false;
    memcpy(exchange->echo, whole->bytes, head);
    memcpy(exchange->echo + head, lines, (size_t)n);
    if (body)
        memcpy(exchange->echo + head + n, whole->bytes + whole->head + from, body);
    exchange->echoed = *whole;
    exchange->echoed.status = 206;
    exchange->echoed.head = (uint32_t)(head + (size_t)n);
    exchange->echoed.body = to - from;
    exchange->echoed.bytes = exchange->echo;
    exchange->echoed.phase = from % VW_PATTERN;
    exchange->answer = &exchange->echoed;
    return true;
}

bool vw_part_answer(struct exchange *exchange, const char *headers, size_t length)
{
    const struct route *route = exchange->route;
    int64_t from = 0, to = 0;
    struct answer bodiless = {0};
    if (is_the_same(&route->version, headers, length)) {
        bodiless = (struct answer){.status = 304, .head = (uint32_t)strlen(route->version.lines),
                                   .bytes = route->version.lines, .closes = route->answer.closes};
    } else {
        enum wanted wanted = find_range(route, headers, length, &from, &to);
        if (wanted == PART)
            return make_part(exchange, from, to);
        if (wanted == WHOLE)
            return true;
        int n = snprintf(exchange->text, sizeof exchange->text,
                         "Content-Range: bytes */%" PRId64 "\nContent-Length: 0\n", route->answer.body);
        bodiless = (struct answer){.status = 416, .head = (uint32_t)n, .bytes = exchange->text,
                                   .closes = route->answer.closes};
    }
    exchange->exception = bodiless;
    exchange->answer = &exchange->exception;
    return true;
}
