/* part.h - less than the whole answer: a part of its body, or that it is still the same. */
#ifndef PART_H
#define PART_H

#include "exchange.h"

#include <stdbool.h>
#include <stddef.h>

/* What the request's header lines make of its route's answer: 200, 206, 304, 412 or 416. False: no memory. */
bool vw_part_answer(struct exchange *exchange, const char *headers, size_t length);

#endif
