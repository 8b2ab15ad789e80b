/* part.c - less than the whole answer: a part of its body (Range), or none (condition.c). As nginx has it: a range that
 * makes no sense is 416, several ranges come as one body of several parts, and who asks for more than the whole gets
 * the whole. */
#include "condition.h"
#include "date.h"
#include "part.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- A part? ------------------------------------------------------------------------------- */

enum wanted { WHOLE, PART, PARTS, BEYOND, NOTHING };

/* A Range header's value, behind its "bytes=". */
struct wish {
    const char *text, *end;
    /* The length of the whole body. */
    int64_t size;
    /* What one range asks for, `to` excluded. */
    int64_t from, to;
};

static void skip_blanks(struct wish *wish)
{
    while (wish->text < wish->end && *wish->text == ' ')
        wish->text++;
}

/* A number, and the blanks behind it. -1: there is none, or it is too large. */
static int64_t number(struct wish *wish)
{
    int64_t value = -1;
    for (; wish->text < wish->end && *wish->text >= '0' && *wish->text <= '9'; wish->text++) {
        int64_t digit = *wish->text - '0';
        if (value > (INT64_MAX - digit) / 10)
            return -1;
        value = value < 0 ? digit : 10 * value + digit;
    }
    skip_blanks(wish);
    return value;
}

/* The next range: "3-7", "3-" or "-7". NOTHING: it has no byte of the body; BEYOND: it is none. */
static enum wanted next_range(struct wish *wish)
{
    int64_t first = 0, last = 0;
    skip_blanks(wish);
    bool is_suffix = wish->text < wish->end && *wish->text == '-';
    if (!is_suffix && (first = number(wish)) < 0)
        return BEYOND;
    if (wish->text == wish->end || *wish->text++ != '-')
        return BEYOND;
    if (!is_suffix)
        skip_blanks(wish);
    bool is_open = !is_suffix && (wish->text == wish->end || *wish->text == ',');
    if (!is_open && (last = number(wish)) < 0)
        return BEYOND;
    if (wish->text < wish->end && *wish->text != ',')
        return BEYOND;
    if (is_suffix) {                    /* the last so many */
        first = last < wish->size ? wish->size - last : 0;
        last = wish->size - 1;
    }
    wish->from = first;
    wish->to = is_open || last >= wish->size ? wish->size : last + 1;
    return wish->from < wish->to ? PART : wish->from == 0 ? WHOLE : NOTHING;
}

static bool has_more(struct wish *wish)
{
    return wish->text < wish->end && *wish->text++ == ',';
}

/* What all ranges together ask for; PART: `wish` has the only one. */
static enum wanted parse_ranges(struct wish *wish)
{
    struct wish at = *wish;
    int64_t total = 0;
    size_t count = 0;
    do {
        enum wanted wanted = next_range(&at);
        if (wanted == WHOLE || wanted == BEYOND)
            return wanted;
        if (wanted == NOTHING)
            continue;
        if (at.to - at.from > at.size - total)
            total = at.size + 1;
        else
            total += at.to - at.from;
        wish->from = at.from;
        wish->to = at.to;
        count++;
    } while (has_more(&at));
    return count == 0 ? BEYOND : total > at.size ? WHOLE : count == 1 ? PART : PARTS;
}

/* Whether a part is wanted of this version: one has its tag or its date, or there is no condition. */
static bool is_of(const struct version *version, const char *tag, size_t n)
{
    if (!tag)
        return true;
    if (n >= 2 && tag[n - 1] == '"')
        return version->etag && strlen(version->etag) == n && memcmp(tag, version->etag, n) == 0;
    return version->modified
        && vw_date_parse(tag, n) == vw_date_parse(version->modified, strlen(version->modified));
}

static enum wanted find_range(const struct route *route, const char *headers, size_t length, struct wish *wish)
{
    size_t n, only_n;
    const char *range = vw_header_find(headers, length, "Range", &n);
    const char *only = vw_header_find(headers, length, "If-Range", &only_n);
    if (!route->version.ranges || !range || n < 7 || strncasecmp(range, "bytes=", 6) != 0)
        return WHOLE;
    if (!is_of(&route->version, only, only_n))
        return WHOLE;
    *wish = (struct wish){.text = range + 6, .end = range + n, .size = route->answer.body};
    return parse_ranges(wish);
}

/* ---- One part --------------------------------------------------------------------------- */

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

/* ---- Several parts --------------------------------------------------------------------------- */

#define BOUNDARY "00000000000000000001"         /* nginx counts them */
#define LAST_PART "\r\n--" BOUNDARY "--\r\n"

static char *copy_part(char *to, const struct answer *whole, const struct wish *wish)
{
    size_t n = (size_t)(wish->to - wish->from);
    char pattern[VW_PATTERN];
    if (!whole->patterned)
        return (char *)memcpy(to, whole->bytes + whole->head + wish->from, n) + n;
    vw_pattern_fill(pattern, sizeof pattern);
    for (int64_t i = wish->from; i < wish->to; i++)
        *to++ = pattern[i % VW_PATTERN];
    return to;
}

/* What stands before each part: NULL for `to` only measures it. */
static size_t part_head(char *to, size_t room, const struct wish *wish, const char *type, size_t type_length)
{
    return (size_t)snprintf(to, room, "\r\n--" BOUNDARY "\r\n%s%.*s%sContent-Range: bytes %" PRId64 "-%" PRId64 "/%"
                            PRId64 "\r\n\r\n", type ? "Content-Type: " : "", (int)type_length, type ? type : "",
                            type ? "\r\n" : "", wish->from, wish->to - 1, wish->size);
}

/* The length of the body that all the ranges make. */
static int64_t measure_parts(struct wish at, const char *type, size_t type_length)
{
    int64_t length = (int64_t)strlen(LAST_PART);
    do
        if (next_range(&at) == PART)
            length += (int64_t)part_head(NULL, 0, &at, type, type_length) + at.to - at.from;
    while (has_more(&at));
    return length;
}

/* The whole answer's header lines without its Content-Type and Content-Length, and those of a body in parts. */
static size_t put_head(char *to, const struct answer *whole, int64_t length)
{
    char *begin = to;
    for (const char *line = whole->bytes, *end; line < whole->bytes + whole->head; line = end) {
        end = (const char *)memchr(line, '\n', (size_t)(whole->bytes + whole->head - line)) + 1;
        if (strncasecmp(line, "Content-Type:", 13) == 0 || strncasecmp(line, "Content-Length:", 15) == 0)
            continue;
        memcpy(to, line, (size_t)(end - line));
        to += end - line;
    }
    to += sprintf(to, "Content-Type: multipart/byteranges; boundary=" BOUNDARY "\nContent-Length: %" PRId64 "\n",
                  length);
    return (size_t)(to - begin);
}

/* A body of several parts is made anew for each request: what is too long for that comes whole, as a server may. */
static bool make_parts(struct exchange *exchange, struct wish wish)
{
    enum { MOST = 16 << 20, LINES = 160 };
    const struct answer *whole = &exchange->route->answer;
    size_t type_length = 0;
    const char *type = vw_header_find(whole->bytes, whole->head, "Content-Type", &type_length);
    int64_t length = measure_parts(wish, type, type_length);
    if (length > MOST)
        return true;
    exchange->echo = malloc(whole->head + LINES + (size_t)length + 1);
    if (!exchange->echo)
        return false;
    size_t head = put_head(exchange->echo, whole, length);
    char *to = exchange->echo + head;
    do
        if (next_range(&wish) == PART) {
            to += part_head(to, LINES + type_length, &wish, type, type_length);
            to = copy_part(to, whole, &wish);
        }
    while (has_more(&wish));
    memcpy(to, LAST_PART, strlen(LAST_PART));
    exchange->echoed = *whole;
    exchange->echoed.status = 206;
    exchange->echoed.head = (uint32_t)head;
    exchange->echoed.body = length;
    exchange->echoed.bytes = exchange->echo;
    exchange->echoed.patterned = false;
    exchange->answer = &exchange->echoed;
    return true;
}

/* ---- The answer ---------------------------------------------------------------------------------- */

/* Behind a 412 nginx closes the connection, and says no word of that. */
static void answer_without_body(struct exchange *exchange, int32_t status, const char *lines)
{
    exchange->exception = (struct answer){.status = status, .head = (uint32_t)strlen(lines), .bytes = lines,
                                          .closes = exchange->route->answer.closes || status == 412};
    exchange->answer = &exchange->exception;
}

bool vw_part_answer(struct exchange *exchange, const char *headers, size_t length)
{
    const struct route *route = exchange->route;
    int32_t status = vw_condition_status(&route->version, headers, length);
    struct wish wish;
    enum wanted wanted = status ? NOTHING : find_range(route, headers, length, &wish);
    if (status == 304)
        answer_without_body(exchange, status, route->version.lines ? route->version.lines : "");
    else if (status)
        answer_without_body(exchange, status, "Content-Length: 0\n");
    else if (wanted == PART)
        return make_part(exchange, wish.from, wish.to);
    else if (wanted == PARTS)
        return make_parts(exchange, wish);
    else if (wanted == BEYOND) {
        snprintf(exchange->text, sizeof exchange->text, "Content-Range: bytes */%" PRId64 "\nContent-Length: 0\n",
                 route->answer.body);
        answer_without_body(exchange, 416, exchange->text);
    }
    return true;
}
