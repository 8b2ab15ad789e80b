/* field.h - reading one value of a world file, or refusing it.
 *
 * An object is described by a table of its keys; each key has a function that reads its value into a member
 * of a struct. The first thing that is wrong is refused in one line, and nothing more is read:
 *
 *     FILE: /sites/0/routes/2/latency: expected a time such as "300ms", not -5
 */
#ifndef FIELD_H
#define FIELD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Who reads. */
struct reader {
    /* The file's name, for messages. */
    const char *file;
    /* The JSON itself; NULL: it is in the file. */
    const char *text;
    /* Where the message goes. */
    char *error;
    size_t size;
};

/* Where in the file we are: a JSON pointer, from its end. */
struct place {
    /* The place this one lies in; NULL: the whole file. */
    const struct place *in;
    /* Its key, if it lies in an object; else NULL, */
    const char *key;
    /* and its index, if it lies in an array. */
    size_t index;
};

/* Reads a value into `into`. False: refused. */
typedef bool (*vw_read)(struct reader *reader, const struct place *place, const json_t *value, void *into);

struct field {
    const char *key;
    vw_read read;
    /* Which member of the struct it goes to. */
    size_t offset;
};

/* Refuses what stands at the place: "expected WHAT, not VALUE"; value NULL: "missing, expected WHAT". Returns false. */
bool vw_refuse(struct reader *reader, const struct place *place, const char *expected, const json_t *value);
/* Refuses with words of one's own. Returns false. */
bool vw_refuse_because(struct reader *reader, const struct place *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Refuses for want of memory. Returns false. */
bool vw_refuse_memory(struct reader *reader);

/* Reads those of the n keys that the object has, in the table's order. Refuses unknown ones, and names the nearest. */
bool vw_read_object(struct reader *reader, const struct place *place, const json_t *value, const struct field fields[],
                    size_t n, void *into);

/* Reads an array into zeroed elements of `size` bytes: *array, which the caller frees, has *count of those begun. */
bool vw_read_array(struct reader *reader, const struct place *place, const json_t *value, vw_read read, size_t size,
                   void **array, size_t *count);

bool vw_read_time(struct reader *, const struct place *, const json_t *, void *int64);        /* "300ms" in ns       */
bool vw_read_from_0(struct reader *, const struct place *, const json_t *, void *int64);      /* a whole number      */
bool vw_read_from_1(struct reader *, const struct place *, const json_t *, void *int64);
bool vw_read_text(struct reader *, const struct place *, const json_t *, void *string);       /* a copy, to be freed */
bool vw_read_ignored(struct reader *, const struct place *, const json_t *, void *unused);

/* disk_file.c: the disk, into a struct disk that is empty. */
bool vw_read_disk(struct reader *, const struct place *, const json_t *, void *disk);

/* A whole number between lo and hi. */
bool vw_read_between(struct reader *reader, const struct place *place, const json_t *value, int64_t lo, int64_t hi,
                     int64_t *into);
/* Whether the value is a string of printable ASCII without blanks, at least one. */
bool vw_is_word(const json_t *value);

#endif
