/* warmup.h - all that a warm-up needs. Each is a file of its own, NN-name.c: complete but for the lines at its TODO.
 *
 *     make watch LAB=00              one after the other, graded on every save
 *     make run LAB=00 MODE=07        runs number 07; SET="n=5" gives it another number
 *
 * co.h is the manual of every co_ call.
 */
#ifndef WARMUP_H
#define WARMUP_H

#include "co.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Your file's function: it is called once, as the first task of a fresh loop, at 0 ms. */
int warmup(void);

/* A number of the world that you run in. A warm-up is graded twice: with the number that stands in the file, and with
 * another one. Does not wait. */
int given(const char *name, int otherwise);

/* co_now() in whole milliseconds. Does not wait. */
int now_ms(void);

#endif
