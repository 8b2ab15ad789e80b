/* beside.h - a program beside a right one: requests that are under way together in some order of that one, and in none
 * of this one's.
 */
#ifndef BESIDE_H
#define BESIDE_H

#include "explore/search/overlap.h"

#include <jansson.h>

enum { MISSES_MOST = 16 };

/* Too much order, told once for each place at which somebody waits. */
struct miss {
    struct asked first, second;     /* the second one never begins before the answer to the first one is there */
    uint32_t pairs;                 /* so many pairs of requests have the same reason                          */
};

/* The pairs that were seen together in either search, as JSON: [[first, second], ...]. */
json_t *beside_pairs(const struct overlap *const searches[], size_t n);

/* Of the pairs of a right program (that JSON, in the summary that its own search wrote into the file) those that no
 * search has. Returns how many misses; 0 too where the file tells nothing. */
size_t beside_misses(const struct overlap *const searches[], size_t n, const char *file,
                     struct miss misses[MISSES_MOST]);

#endif
