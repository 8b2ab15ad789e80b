/* STEM.c - lab NN: how long are all these pages together?
 *
 * This is the file you complete. Read README.md and STEM.h first, then do TODO 1. After that:  make grade LAB=NN
 */
#include "STEM.h"

#include <stdlib.h>

/* TODO 1: fetch all pages at the same time, and add up their lengths.
 *
 * A task gets one pointer, its job: write a struct that holds a URL and a place for the length. Write the task that
 * fetches that URL with co_http_get and frees the response. Here make n jobs, start a task for each of them in one
 * group (CO_GROUP, co_spawn), wait for all (co_join), and only then add up. */
int total_length(const char *const urls[], size_t n, size_t *total)
{
    (void)urls, (void)n, (void)total;    /* no warning about unused parameters: delete this line */
    return 0;
}
