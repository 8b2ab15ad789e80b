/* pipeline.c - lab 05: fetch, transform, write; with queues between the stages.
 *
 * This is the file you complete. Read README.md and pipeline.h first, then do the TODOs in their order:
 *     1  transform_order    2  write_whole    3, 4, 5, 6  the stages    7  pipeline
 * After each one:  make grade LAB=05
 */
#include "pipeline.h"

#include <stdio.h>
#include <stdlib.h>

/* TODO 1: from the body of an order to its summary, with Jansson.
 *
 *     json_t *order = json_loadb(body, length, 0, NULL);      // NULL: it is no JSON
 *
 * json_object_get(object, key) gives NULL when there is no such member, and also when `object` is NULL or no object: so
 * a chain of them needs one check, at its end. json_is_integer(NULL) is false, too. What json_loadb returned is yours:
 * json_decref it, on every way out. What json_object_get returned is not yours. */
int transform_order(const char *body, size_t length, json_int_t *id, char **text)
{
    (void)body, (void)length, (void)id, (void)text;    /* no warning about unused parameters: delete this line */
    return -NO_FIELD;
}

/* TODO 2: write PATH.tmp, then give it its right name.
 *
 * Four calls; each may fail. Whatever fails: close the file, remove PATH.tmp, and return what the failing call
 * returned. When the task was cancelled, co_file_remove returns -ECANCELED at once and removes nothing: clean-up that
 * must itself wait stands between co_shield_begin and co_shield_end. */
int write_whole(const char *path, const char *data, size_t size)
{
    (void)path, (void)data, (void)size;
    return 0;
}

/* TODO 3: what travels through the queues, and what do all workers share?
 *
 *     struct item {
 *         ...                     // one order on its way: its URL, the body, later the id and the text
 *     };
 *
 *     struct line {               // the one pipeline
 *         ...                     // URLs, options, statistics, the session, two queues
 *     };
 *
 * Who frees an item? Whoever holds it when it goes no further. A queue holds pointers; when a run is cancelled some are
 * still in there. */

/* TODO 4: a worker of stage 1.
 *
 *     static int fetcher(void *job)
 *
 * While there are URLs: take the next one, fetch it, put the item into the queue (which waits while the queue is
 * full). If the item fails: count it, log_error, go on with the next one. If you were cancelled: free what you hold,
 * and return -ECANCELED. */

/* TODO 5: a worker of stage 2.
 *
 *     static int transformer(void *job)
 *
 * Get an item, hand the computing to co_to_thread, put the item into the second queue; until a sentinel comes. Which
 * calls belong into the function that co_to_thread runs, and which do not? */

/* TODO 6: a worker of stage 3.
 *
 *     static int writer(void *job)
 */

/* TODO 7: start all workers, and end them in order.
 *
 * No more URLs: all fetchers end. Then nothing more comes into the first queue: put one sentinel into it for each
 * transformer. When these have ended, the same for the writers. Then the statistics. */
int pipeline(const char *const urls[], size_t n, const struct pipeline_options *options, struct pipeline_stats *stats)
{
    (void)urls, (void)n, (void)options;
    *stats = (struct pipeline_stats){0};
    return 0;
}
