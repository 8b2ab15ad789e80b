/* STEM.h - the contract of lab NN. It is complete; you do not change it. */
#ifndef LAB_NN_H
#define LAB_NN_H

#include "co.h"

/* Fetches urls[0..n) with GET, all at the same time, and stores in *total how many bytes long the answers are together.
 * An answer with any status counts, 404 and 500 too. A URL without an answer adds nothing. n may be 0. Waits, and never
 * blocks the loop.
 * Returns 0, or -ENOMEM without memory. When it returns, all its tasks have ended and its memory is free. */
int total_length(const char *const urls[], size_t n, size_t *total);

#endif
