/* memory.h - how much memory a lab program took: --memory FILE on its command line. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdbool.h>

/* Writes the most bytes that were in memory at once, so far, into a file: digits
 * and a newline. False with errno set when it cannot. */
bool memory_write_peak(const char *file);

#endif
