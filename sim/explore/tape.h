/* tape.h - the choice tape: which of several legal orders happens.
 *
 * Where more than one order is legal, the loop and the world ask the tape. Option 0 is always what the
 * plain run does (first come first served, the drawn latency, the drawn fault), so an empty tape is the
 * plain run, and a NULL one asks nothing. A tape is written "17=2,31=1": at question 17 take option 2,
 * at question 31 option 1, elsewhere 0.
 */
#ifndef TAPE_H
#define TAPE_H

#include <stddef.h>
#include <stdint.h>

struct tape;

/* Reads a tape from its text; "" is the empty tape. NULL with one line in error[size] when the text is wrong:
 * not number=number, questions that do not rise. The caller frees it with tape_close. */
struct tape *tape_open(const char *text, char *error, size_t size);
void tape_close(struct tape *);

/* A tape that somebody else holds: each question goes to ask(who, label, n). NULL: no memory. */
struct tape *tape_held_elsewhere(uint32_t (*ask)(void *who, const char *label, uint32_t n), void *who);

/* The answer to the next question: which of n options (n >= 1), 0..n-1. A question with one option is
 * not asked and not counted. An option on the tape that is not below n counts as n-1. label: a literal
 * that says what is asked ("ready", "latency", "fault", "cancel"). NULL tape: 0. */
uint32_t tape_choose(struct tape *, const char *label, uint32_t n);

/* How many questions were asked so far. */
uint64_t tape_asked(const struct tape *);

#endif
