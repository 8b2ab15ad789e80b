/* flat.h - values of SQL as plain bytes: what a program and a database say to each other through world.h.
 *
 * A value is its type, one letter, and what it needs: n (NULL); i and r (8 bytes: an int64_t, a double); t and b
 * (4 bytes: how many, then so many bytes and a NUL). Parameters of a statement are values in a row. An answer begins
 * with the number of its columns, as a value i, and their names, as values t; its rows follow, value by value.
 */
#ifndef FLAT_H
#define FLAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that grow; `failed` once there was no memory. */
struct flat {
    char *at;
    size_t length, room;
    bool failed;
};

void flat_null(struct flat *flat);
void flat_int(struct flat *flat, int64_t integer);
void flat_real(struct flat *flat, double real);
/* type: 't' or 'b'. */
void flat_bytes(struct flat *flat, char type, const void *bytes, size_t size);
void flat_copy(struct flat *flat, const void *bytes, size_t size);      /* as they are */
void flat_free(struct flat *flat);

struct flat_value {
    char type;                  /* n, i, r, t, b */
    int64_t integer;
    double real;
    const char *bytes;          /* size of them, and a NUL */
    size_t size;
};

/* Reads the value at `at`, and returns where the next one begins; NULL: there is none, or it is none. */
const char *flat_read(const char *at, const char *end, struct flat_value *value);

#endif
