/* date.h - dates as HTTP writes them. */
#ifndef DATE_H
#define DATE_H

#include <stddef.h>
#include <stdint.h>

/* Seconds since the beginning of 1970 that text[0..length) says, in one of the three forms of HTTP (RFC 9110, 5.6.7):
 *
 *     Sun, 06 Nov 1994 08:49:37 GMT
 *     Sunday, 06-Nov-94 08:49:37 GMT
 *     Sun Nov  6 08:49:37 1994
 *
 * -1: it is none, or before 1970. The day of the week is not looked at, and two digits below 70 are after 2000, as
 * nginx has it. */
int64_t vw_date_parse(const char *text, size_t length);

#endif
