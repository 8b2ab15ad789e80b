/* unit.h - the numbers that the parts of the virtual world agree on. */
#ifndef UNIT_H
#define UNIT_H

#include <stdint.h>

#define VW_UNLIMITED INT64_MAX   /* as a count: no limit; as a time: never */
#define VW_SECOND 1000000000     /* ns */
#define VW_PATTERN 64            /* a body given by its size repeats these many bytes...       */
#define VW_BLOCK 65536           /* ...and arrives in pieces of at most this                   */

#endif
