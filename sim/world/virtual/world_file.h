/* world_file.h - reading a world file, value by value, or refusing it.
 *
 * An object is described by a table of its keys; each key has a function that reads its value into a member
 * of a struct. The first thing that is wrong is refused in one line, and nothing more is read:
 *
 *     FILE: /sites/0/routes/2/latency: expected a time such as "300ms", not -5
 */
#ifndef WORLD_FILE_H
#define WORLD_FILE_H

#include "database.h"
#include "disk.h"
#include "network.h"
#include "schedule.h"
#include "wire.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

/* What a world file says. */
struct description {
    /* Where draws start from. */
    uint64_t seed;
    /* How many CPUs run jobs. */
    int64_t cpus;
    struct network network;
    struct disk disk;
    struct databases databases;
    struct guests guests;
};

/* Reads a world file. NULL: an empty world. False: one line in error[size], and nothing to free. */
bool vw_file_read(struct description *description, const char *path, char *error, size_t size);

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

/* ---- world_file_refusal.c: what is wrong, in one line ---------------------------------------- */

/* Refuses what stands at the place: "expected WHAT, not VALUE"; value NULL: "missing, expected WHAT". Returns false. */
bool vw_refuse(struct reader *reader, const struct place *place, const char *expected, const json_t *value);
/* Refuses with words of one's own. Returns false. */
bool vw_refuse_because(struct reader *reader, const struct place *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Refuses the place's key, which is none of the n, and names the nearest. Returns false. */
bool vw_refuse_key(struct reader *reader, const struct place *place, const struct field fields[], size_t n);
/* Refuses for want of memory. Returns false. */
bool vw_refuse_memory(struct reader *reader);

/* ---- world_file_field.c: objects, arrays and plain values -------------------------------------- */

/* Reads those of the n keys that the object has, in the table's order. Refuses unknown ones. */
bool vw_read_object(struct reader *reader, const struct place *place, const json_t *value, const struct field fields[],
                    size_t n, void *into);

/* Reads an array into zeroed elements of `size` bytes: *array, which the caller frees, has *count of those begun. */
bool vw_read_array(struct reader *reader, const struct place *place, const json_t *value, vw_read read, size_t size,
                   void **array, size_t *count);

bool vw_read_time(struct reader *, const struct place *, const json_t *, void *int64);        /* "300ms" in ns       */
bool vw_read_from_0(struct reader *, const struct place *, const json_t *, void *int64);      /* a whole number      */
bool vw_read_from_1(struct reader *, const struct place *, const json_t *, void *int64);
bool vw_read_bool(struct reader *, const struct place *, const json_t *, void *flag);
bool vw_read_text(struct reader *, const struct place *, const json_t *, void *string);       /* a copy, to be freed */
/* One of the n names; *choice says which. `expected` is what the refusal says. */
bool vw_read_choice(struct reader *, const struct place *, const json_t *, const char *const names[], size_t n,
                    const char *expected, int64_t *choice);
bool vw_read_ignored(struct reader *, const struct place *, const json_t *, void *unused);

/* A whole number between lo and hi. */
bool vw_read_between(struct reader *reader, const struct place *place, const json_t *value, int64_t lo, int64_t hi,
                     int64_t *into);
/* Whether the value is a string of printable ASCII without blanks, at least one. */
bool vw_is_word(const json_t *value);

/* ---- The parts of the file, each in the file of its name: world_file_site.c and so on --------- */

/* Bytes that grow; `failed` once there was no memory. */
struct bytes {
    char *at;
    size_t length, room;
    bool failed;
};

void vw_append(struct bytes *bytes, const char *data, size_t length);
/* Adds the members of an object as lines "Name: value". */
bool vw_read_header_lines(struct reader *, const struct place *, const json_t *, struct bytes *lines);

bool vw_read_disk(struct reader *, const struct place *, const json_t *, void *disk);         /* which is empty       */
bool vw_read_databases(struct reader *, const struct place *, const json_t *, void *databases);
bool vw_read_clients(struct reader *, const struct place *, const json_t *, void *guests);
bool vw_read_stop(struct reader *, const struct place *, const json_t *, void *guests);
bool vw_read_sites(struct reader *, const struct place *, const json_t *, void *network);
bool vw_read_route(struct reader *, const struct place *, const json_t *, void *route);
/* What an answer consists of: status, headers, `further` header lines (NULL: none) and body, which lie in *bytes, to be
 * freed by the caller. An echo's body and its length are not known yet. */
bool vw_read_answer(struct reader *, const struct place *, const json_t *, bool echo, const char *further,
                    struct answer *answer, char **bytes);
/* The members that make up an answer. They depend on each other: vw_read_answer reads them by hand. */
#define ANSWER_FIELDS \
    {"status", vw_read_ignored, 0}, {"headers", vw_read_ignored, 0}, {"body", vw_read_ignored, 0}, \
    {"body_base64", vw_read_ignored, 0}, {"body_size", vw_read_ignored, 0}, {"redirect", vw_read_ignored, 0}
bool vw_read_etag(struct reader *, const struct place *, const json_t *, void *string);
bool vw_read_date(struct reader *, const struct place *, const json_t *, void *string);
/* The header lines of a version, and that the route's answer has one: its status is 200, and it is no echo. */
bool vw_make_version(struct reader *, const struct place *, const json_t *, struct route *route);
/* The addresses of a site's host, one or two; and what they make of connecting to it, whose `connect` is known. */
bool vw_read_addresses(struct reader *, const struct place *, const json_t *, int64_t addresses[2], size_t *count);
void vw_reach(struct site *site, const int64_t addresses[], size_t n);
bool vw_read_framing(struct reader *, const struct place *, const json_t *, void *framing);
bool vw_read_turns(struct reader *, const struct place *, const json_t *, void *route);
/* To whom something happens: a probability (into a struct when), and that it is not given together with `times`. */
bool vw_read_probability(struct reader *, const struct place *, const json_t *, void *when);
bool vw_check_when(struct reader *, const struct place *, const json_t *);
bool vw_read_fault(struct reader *, const struct place *, const json_t *, bool of_route, struct fault *fault);
/* Reset and truncate happen inside the route's body: else it is refused. */
bool vw_check_after(struct reader *, const struct place *, const json_t *, const struct route *route);

#endif
