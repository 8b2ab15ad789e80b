/* field.c - reading one value of a world file, or refusing it. */
#include "field.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_SHOWN 60   /* so many bytes of a wrong value appear in the message */

/* ---- Messages ------------------------------------------------------------------------------ */

/* A text that is written piece by piece and cut where its buffer ends. */
struct text {
    char *at;
    size_t left;
};

__attribute__((format(printf, 2, 3)))
static void add(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text->at, text->left, format, arguments);
    va_end(arguments);
    size_t step = length < 0 ? 0 : (size_t)length < text->left ? (size_t)length : text->left ? text->left - 1 : 0;
    text->at += step;
    text->left -= step;
}

/* A JSON pointer: "~" and "/" inside a key are written ~0 and ~1. */
static void add_pointer(struct text *text, const struct place *place)
{
    if (!place || !place->in)
        return;
    add_pointer(text, place->in);
    if (!place->key) {
        add(text, "/%zu", place->index);
        return;
    }
    add(text, "/");
    for (const char *c = place->key; *c; c++)
        if (*c == '~' || *c == '/')
            add(text, *c == '~' ? "~0" : "~1");
        else
            add(text, "%c", (unsigned char)*c < ' ' ? '?' : *c);
}

static struct text begin_message(struct reader *reader, const struct place *place)
{
    struct text text = {reader->error, reader->size};
    add(&text, "%s: ", reader->file);
    if (place && place->in) {
        add_pointer(&text, place);
        add(&text, ": ");
    }
    return text;
}

bool vw_refuse_because(struct reader *reader, const struct place *place, const char *format, ...)
{
    struct text text = begin_message(reader, place);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text.at, text.left, format, arguments);
    va_end(arguments);
    return false;
}

bool vw_refuse_memory(struct reader *reader)
{
    return vw_refuse_because(reader, NULL, "out of memory");
}

bool vw_refuse(struct reader *reader, const struct place *place, const char *expected, const json_t *value)
{
    if (!value)
        return vw_refuse_because(reader, place, "missing, expected %s", expected);
    char *shown = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
    if (!shown)
        return vw_refuse_memory(reader);
    bool cut = strlen(shown) > VALUE_SHOWN;
    vw_refuse_because(reader, place, "expected %s, not %.*s%s", expected, VALUE_SHOWN, shown, cut ? "..." : "");
    free(shown);
    return false;
}

/* ---- Objects and arrays -------------------------------------------------------------------- */

/* How many letters to change, add or leave out to get from a to b; at least 99 for long words. */
static size_t distance(const char *a, const char *b)
{
    size_t row[32], length = strlen(b);
    if (length + 1 > sizeof row / sizeof row[0])
        return 99;
    for (size_t j = 0; j <= length; j++)
        row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < length; j++) {
            size_t changed = diagonal + (a[i] != b[j]), added = row[j] + 1, left_out = row[j + 1] + 1;
            diagonal = row[j + 1];
            row[j + 1] = changed < added ? changed : added;
            if (left_out < row[j + 1])
                row[j + 1] = left_out;
        }
    }
    return row[length];
}

static bool refuse_key(struct reader *reader, const struct place *place, const struct field fields[], size_t n)
{
    size_t nearest = 0, least = 99;
    for (size_t i = 0; i < n; i++) {
        size_t d = distance(place->key, fields[i].key);
        if (d < least) {
            least = d;
            nearest = i;
        }
    }
    if (least <= 2 && least < strlen(place->key))
        return vw_refuse_because(reader, place, "unknown key, did you mean \"%s\"?", fields[nearest].key);
    char known[400] = "";
    struct text text = {known, sizeof known};
    for (size_t i = 0; i < n; i++)
        add(&text, "%s%s", i ? ", " : "", fields[i].key);
    return vw_refuse_because(reader, place, "unknown key, expected one of %s", known);
}

static bool is_known(const char *key, const struct field fields[], size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(key, fields[i].key) == 0)
            return true;
    return false;
}

bool vw_read_object(struct reader *reader, const struct place *place, const json_t *value, const struct field fields[],
                    size_t n, void *into)
{
    if (!json_is_object(value))
        return vw_refuse(reader, place, "an object", value);
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)value, key, member) {
        if (!is_known(key, fields, n))
            return refuse_key(reader, &(struct place){.in = place, .key = key}, fields, n);
    }
    for (size_t i = 0; i < n; i++) {
        struct place at = {.in = place, .key = fields[i].key};
        member = json_object_get(value, fields[i].key);
        if (member && !fields[i].read(reader, &at, member, (char *)into + fields[i].offset))
            return false;
    }
    return true;
}

bool vw_read_array(struct reader *reader, const struct place *place, const json_t *value, vw_read read, size_t size,
                   void **array, size_t *count)
{
    if (!json_is_array(value))
        return vw_refuse(reader, place, "an array", value);
    size_t n = json_array_size(value);
    *array = calloc(n ? n : 1, size);
    if (!*array)
        return vw_refuse_memory(reader);
    for (size_t i = 0; i < n; i++) {
        struct place at = {.in = place, .index = i};
        *count = i + 1;
        if (!read(reader, &at, json_array_get(value, i), (char *)*array + i * size))
            return false;
    }
    return true;
}

/* ---- Single values ------------------------------------------------------------------------- */

/* The text as a whole number of ns. -1: it is no time. -2: it is too long. */
static int64_t parse_time(const char *text)
{
    static const struct { const char *name; int64_t ns; } units[] = {
        {"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", 1000000000},
    };
    int64_t count = 0;
    const char *c = text;
    bool overflow = false;
    for (; *c >= '0' && *c <= '9'; c++)
        overflow |= __builtin_mul_overflow(count, 10, &count) || __builtin_add_overflow(count, *c - '0', &count);
    if (c == text)
        return -1;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(c, units[i].name) == 0)
            return overflow || __builtin_mul_overflow(count, units[i].ns, &count) || count == INT64_MAX ? -2 : count;
    return -1;
}

bool vw_read_time(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    const char *text = json_string_value(value);
    int64_t ns = text && strlen(text) == json_string_length(value) ? parse_time(text) : -1;
    if (ns == -2)
        return vw_refuse(reader, place, "a time of less than 292 years", value);
    if (ns < 0)
        return vw_refuse(reader, place, "a time such as \"300ms\"", value);
    *(int64_t *)into = ns;
    return true;
}

bool vw_read_between(struct reader *reader, const struct place *place, const json_t *value, int64_t lo, int64_t hi,
                     int64_t *into)
{
    if (!json_is_integer(value) || json_integer_value(value) < lo || json_integer_value(value) > hi) {
        char expected[80];
        if (hi == INT64_MAX)
            snprintf(expected, sizeof expected, "a whole number from %lld", (long long)lo);
        else
            snprintf(expected, sizeof expected, "a whole number from %lld to %lld", (long long)lo, (long long)hi);
        return vw_refuse(reader, place, expected, value);
    }
    *into = json_integer_value(value);
    return true;
}

bool vw_read_from_0(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    return vw_read_between(reader, place, value, 0, INT64_MAX, into);
}

bool vw_read_from_1(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    return vw_read_between(reader, place, value, 1, INT64_MAX, into);
}

bool vw_read_text(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    if (!json_is_string(value))
        return vw_refuse(reader, place, "a text", value);
    char *copy = strdup(json_string_value(value));
    if (!copy)
        return vw_refuse_memory(reader);
    free(*(char **)into);
    *(char **)into = copy;
    return true;
}

bool vw_read_ignored(struct reader *reader, const struct place *place, const json_t *value, void *unused)
{
    (void)reader, (void)place, (void)value, (void)unused;
    return true;
}

bool vw_is_word(const json_t *value)
{
    const char *text = json_string_value(value);
    size_t length = json_string_length(value);
    for (size_t i = 0; i < length; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    return length > 0;
}
