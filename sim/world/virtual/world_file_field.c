/* world_file_field.c - objects, arrays and plain values of a world file. */
#include "world_file.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Jansson's tables draw a number from the system where nobody gives them one: then no two processes lay out their
 * memory alike, and a program that reads what it never set does something else each time. Before any other
 * constructor. */
__attribute__((constructor(101))) static void fix_layout(void)
{
    json_object_seed(1);
}

/* ---- Objects and arrays -------------------------------------------------------------------- */

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
            return vw_refuse_key(reader, &(struct place){.in = place, .key = key}, fields, n);
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

bool vw_read_bool(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    if (!json_is_boolean(value))
        return vw_refuse(reader, place, "true or false", value);
    *(bool *)into = json_is_true(value);
    return true;
}

bool vw_read_choice(struct reader *reader, const struct place *place, const json_t *value, const char *const names[],
                    size_t n, const char *expected, int64_t *choice)
{
    for (size_t i = 0; i < n; i++)
        if (json_is_string(value) && strcmp(json_string_value(value), names[i]) == 0) {
            *choice = (int64_t)i;
            return true;
        }
    return vw_refuse(reader, place, expected, value);
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
