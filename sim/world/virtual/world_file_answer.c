/* world_file_answer.c - what a route answers, as the world file says it: status, headers, body. */
#include "world_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void vw_append(struct bytes *bytes, const char *data, size_t length)
{
    if (bytes->failed || length == 0)
        return;
    if (length > bytes->room - bytes->length) {
        size_t room = 2 * (bytes->length + length);
        char *at = realloc(bytes->at, room);
        if (!at) {
            bytes->failed = true;
            return;
        }
        bytes->at = at;
        bytes->room = room;
    }
    memcpy(bytes->at + bytes->length, data, length);
    bytes->length += length;
}

static void append_header(struct bytes *bytes, const char *name, const char *value, size_t length)
{
    vw_append(bytes, name, strlen(name));
    vw_append(bytes, ": ", 2);
    vw_append(bytes, value, length);
    vw_append(bytes, "\n", 1);
}

/* Whether the value is a text that fits into one line. */
static bool is_line(const json_t *value)
{
    const char *text = json_string_value(value);
    for (size_t i = 0; i < json_string_length(value); i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 127)
            return false;
    return text != NULL;
}

static bool is_header_name(const char *name)
{
    for (const char *c = name; *c; c++)
        if (*c <= ' ' || *c > '~' || *c == ':')
            return false;
    return *name != '\0';
}

/* Adds the members of an object as lines "Name: value". */
bool vw_read_header_lines(struct reader *reader, const struct place *place, const json_t *value,
                              struct bytes *bytes)
{
    const char *name;
    json_t *text;
    json_object_foreach((json_t *)value, name, text) {
        const struct place at = {.in = place, .key = name};
        if (!is_header_name(name))
            return vw_refuse_because(reader, &at, "expected a header's name, without blanks and colons");
        if (strcasecmp(name, "Content-Length") == 0 || strcasecmp(name, "Transfer-Encoding") == 0)
            return vw_refuse_because(reader, &at, "unknown key, the world itself says how long the body is");
        if (!is_line(text))
            return vw_refuse(reader, &at, "a text of one line", text);
        append_header(bytes, name, json_string_value(text), json_string_length(text));
    }
    return true;
}

static bool read_headers(struct reader *reader, const struct place *place, const json_t *value, struct bytes *bytes)
{
    if (value && !json_is_object(value))
        return vw_refuse(reader, place, "an object such as {\"Content-Type\":\"text/html\"}", value);
    return !value || vw_read_header_lines(reader, place, value, bytes);
}

static int base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* Decodes text[0..length) into out, which has room for 3 bytes of every 4.
 * Returns how many bytes, -1: it is no base64. */
static long decode_base64(const char *text, size_t length, char *out)
{
    size_t n = 0, padding = 0;
    while (padding < 2 && padding < length && text[length - padding - 1] == '=')
        padding++;
    uint32_t bits = 0;
    for (size_t i = 0; i < length - padding; i++) {
        int digit = base64_digit(text[i]);
        if (digit < 0)
            return -1;
        bits = bits << 6 | (uint32_t)digit;
        if (i % 4 != 0)
            out[n++] = (char)(bits >> (6 - 2 * (i % 4)));
    }
    return length % 4 == 0 ? (long)n : -1;
}

static bool read_base64(struct reader *reader, const struct place *place, const json_t *value, struct bytes *body)
{
    if (!json_is_string(value))
        return vw_refuse(reader, place, "a text in base64", value);
    size_t length = json_string_length(value);
    body->at = malloc(length + 1);
    if (!body->at)
        return vw_refuse_memory(reader);
    long n = decode_base64(json_string_value(value), length, body->at);
    if (n < 0)
        return vw_refuse(reader, place, "a text in base64", value);
    body->length = (size_t)n;
    return true;
}

/* Reads whichever of the four bodies there is (an echo's comes later). A small
 * one of a given size becomes bytes like any other. */
static bool read_body(struct reader *reader, const struct place *place, const json_t *value, struct answer *answer,
                      struct bytes *body)
{
    static const char *const keys[] = {"body", "body_base64", "body_size", "echo"};
    const char *key = NULL;
    for (size_t i = 0; i < LENGTH(keys); i++) {
        if (!json_object_get(value, keys[i]))
            continue;
        if (key)
            return vw_refuse_because(reader, place, "expected only one of %s and %s", key, keys[i]);
        key = keys[i];
    }
    const struct place at = {.in = place, .key = key};
    const json_t *member = key ? json_object_get(value, key) : NULL;
    if (key == keys[0]) {
        if (!json_is_string(member))
            return vw_refuse(reader, &at, "a text", member);
        vw_append(body, json_string_value(member), json_string_length(member));
    } else if (key == keys[1]) {
        if (!read_base64(reader, &at, member, body))
            return false;
    } else if (key == keys[2]) {
        if (!vw_read_from_0(reader, &at, member, &answer->body))
            return false;
        answer->patterned = answer->body > VW_BLOCK;
        if (!answer->patterned) {
            body->at = malloc(VW_BLOCK);
            if (!body->at)
                return vw_refuse_memory(reader);
            body->length = (size_t)answer->body;
            vw_pattern_fill(body->at, body->length);
        }
    }
    if (!answer->patterned)
        answer->body = (int64_t)body->length;
    return true;
}

static bool read_status(struct reader *reader, const struct place *place, const json_t *value, bool redirect,
                        int32_t *status)
{
    int lo = redirect ? 300 : 200, hi = redirect ? 399 : 599;
    *status = redirect ? 302 : 200;
    if (!value)
        return true;
    if (!json_is_integer(value) || json_integer_value(value) < lo || json_integer_value(value) > hi)
        return vw_refuse(reader, place, redirect ? "an HTTP status from 300 to 399, as this is a redirect"
                                                 : "the HTTP status of an answer, from 200 to 599", value);
    *status = (int32_t)json_integer_value(value);
    return true;
}

/* These have none: what came behind their head would be taken for the next answer on the connection. */
static bool check_bodiless(struct reader *reader, const struct place *place, const json_t *value,
                           const struct answer *answer)
{
    bool has_none = answer->status == 204 || answer->status == 304;
    if (!has_none || (answer->body == 0 && !json_object_get(value, "echo") && answer->framing == FRAMED_LENGTH))
        return true;
    return vw_refuse_because(reader, place, "an answer of status %d has no body", answer->status);
}

bool vw_read_framing(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    static const char *const names[] = {[FRAMED_LENGTH] = "length", [FRAMED_CHUNKED] = "chunked",
                                        [FRAMED_CLOSE] = "close"};
    int64_t choice;
    if (!vw_read_choice(reader, place, value, names, LENGTH(names), "length, chunked or close", &choice))
        return false;
    *(enum framing *)into = (enum framing)choice;
    return true;
}

/* Whether a header says "Connection: close". */
static bool says_close(const json_t *headers)
{
    const char *name;
    json_t *text;
    json_object_foreach((json_t *)headers, name, text)
        if (strcasecmp(name, "Connection") == 0 && strcasecmp(json_string_value(text), "close") == 0)
            return true;
    return false;
}

/* What a client of this kit takes at most, over the wire: libcurl 100 KiB a line, and we 256 KiB in all. */
static bool is_too_large(const struct bytes *head)
{
    enum { MOST_LINE = 100 * 1024 - 2, MOST_HEAD = 256 * 1024 };
    size_t on_the_wire = sizeof "HTTP/1.1 200 OK\r\n\r\n" - 1 + head->length;
    for (size_t at = 0, next; at < head->length; at = next) {
        const char *end = memchr(head->at + at, '\n', head->length - at);
        next = (size_t)(end - head->at) + 1;
        if (next - at > MOST_LINE)
            return true;
        on_the_wire++;              /* a '\r' */
    }
    return on_the_wire > MOST_HEAD;
}

/* Puts headers and body one behind the other. */
static bool read_parts(struct reader *reader, const struct place *place, const json_t *value, bool echo,
                       const char *further, struct answer *answer, struct bytes *bytes, struct bytes *body)
{
    json_t *redirect = json_object_get(value, "redirect");
    const struct place headers_at = {.in = place, .key = "headers"}, status_at = {.in = place, .key = "status"};
    if (!read_status(reader, &status_at, json_object_get(value, "status"), redirect != NULL, &answer->status)
        || !read_headers(reader, &headers_at, json_object_get(value, "headers"), bytes)
        || !read_body(reader, place, value, answer, body))
        return false;
    if (!check_bodiless(reader, place, value, answer))
        return false;
    if (redirect && !vw_is_word(redirect))
        return vw_refuse(reader, &(struct place){.in = place, .key = "redirect"}, "a URL such as \"http://a.test/b\"",
                         redirect);
    if (redirect)
        append_header(bytes, "Location", json_string_value(redirect), json_string_length(redirect));
    if (further)
        vw_append(bytes, further, strlen(further));
    char length[24];
    int digits = snprintf(length, sizeof length, "%lld", (long long)answer->body);
    if (answer->framing == FRAMED_CHUNKED)
        append_header(bytes, "Transfer-Encoding", "chunked", strlen("chunked"));
    else if (answer->framing == FRAMED_LENGTH && !echo && answer->status != 204)    /* an echo's is not known yet */
        append_header(bytes, "Content-Length", length, (size_t)digits);
    answer->head = (uint32_t)bytes->length;
    answer->closes = answer->framing == FRAMED_CLOSE || says_close(json_object_get(value, "headers"));
    answer->too_large = is_too_large(bytes);
    vw_append(bytes, body->at ? body->at : "", body->length);
    return bytes->failed || body->failed ? vw_refuse_memory(reader) : true;
}

bool vw_read_answer(struct reader *reader, const struct place *place, const json_t *value, bool echo,
                    const char *further, struct answer *answer, char **bytes)
{
    struct bytes all = {0}, body = {0};
    bool ok = read_parts(reader, place, value, echo, further, answer, &all, &body);
    free(body.at);
    *bytes = all.at;
    answer->bytes = all.at;
    return ok;
}
