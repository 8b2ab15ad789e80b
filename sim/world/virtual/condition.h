/* condition.h - what a request makes its answer depend on. */
#ifndef CONDITION_H
#define CONDITION_H

#include "network.h"

#include <stddef.h>
#include <stdint.h>

/* Whether a request with these header lines ("Name: value\n" each) gets the route's own answer: 0; or else 304 (it has
 * that already) or 412 (it is for another version). */
int32_t vw_condition_status(const struct version *version, const char *headers, size_t length);

#endif
