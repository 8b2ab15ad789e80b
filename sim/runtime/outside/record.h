/* record.h - values that a program puts on the record. */
#ifndef CO_OUTSIDE_RECORD_H
#define CO_OUTSIDE_RECORD_H

#include <stddef.h>

/* Puts a named JSON value into the world's trace. Does not wait. Outside a loop: nothing. */
void co_report_bytes(const char *name, const char *json, size_t length);

#endif
