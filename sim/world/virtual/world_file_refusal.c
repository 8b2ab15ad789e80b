/* world_file_refusal.c - what is wrong with a world file, in one line: FILE: /pointer/to/it: expected WHAT, not
 * VALUE. */
#include "world_file.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_SHOWN 60   /* so many bytes of a wrong value appear in the message */

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

bool vw_refuse_key(struct reader *reader, const struct place *place, const struct field fields[], size_t n)
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
