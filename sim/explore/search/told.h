/* told.h - what is said of a search: progress, what was found, the last line, and all of it as JSON. */
#ifndef TOLD_H
#define TOLD_H

#include <stdint.h>

struct search;
struct told;

/* The two searches: depth first, and by samples. */
struct told *told_begin(const struct search *path, const struct search *samples);

/* On a terminal: how far it is, now and then. ns: since the beginning. */
void told_progress(struct told *told, int64_t ns);

/* Says all. The exit code: 0 nothing was found, 1 something was. */
int told_end(struct told *told, int64_t ns);

#endif
