/* compare.c - lab 01: fetch the same pages one after the other, and all at the same time.
 *
 * This is the file you complete. Read README.md and compare.h first, then do the TODOs in their order:
 *     1  fetch_sync    2, 3, 4  fetch_async    5  compare    6  explain
 * After each one:  make grade LAB=01
 */
#include "compare.h"

#include <stdlib.h>

/* TODO 1: fetch every URL with http_get_blocking, one after the other.
 *
 *     struct co_response resp;
 *     int rc = http_get_blocking(urls[i], &resp);
 *
 * rc is 0 if there was an answer; then resp holds its status and its length. Store what became of urls[i] in
 * out[i]: all three fields, with an answer and without. Free the response. Go on with the next URL, whatever rc was. */
int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    (void)urls, (void)n, (void)out;    /* no warning about unused parameters: delete this line */
    return 0;
}

/* TODO 2: what does one task need to know, and where does it leave its result?
 *
 * A task gets one pointer, its job. Write down what the job of one fetch holds: the URL,
 * and the place in `out` that belongs to it.
 *
 *     struct fetch_job {
 *         ...
 *     };
 */

/* TODO 3: the task that fetches one URL.
 *
 *     static int fetch_one(void *arg)
 *     {
 *         struct fetch_job *job = arg;
 *         ...
 *     }
 *
 * It does for one URL what the body of your loop in fetch_sync does, but with co_http_get. What should it return when
 * the server refuses? Think of co_join: "The first task that fails cancels the others." And when co_http_get
 * returns -ECANCELED, because the task itself was cancelled? */

/* TODO 4: all at the same time.
 *
 * Make n jobs. Start a task for each of them in one group (CO_GROUP, co_spawn). Only then wait for all (co_join).
 * The jobs must live until every task has ended. Free what you allocated, on every path. */
int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    (void)urls, (void)n, (void)out;
    return 0;
}

/* TODO 5: run both halves on the same URLs and measure each with co_now().
 *
 * You need an array of n results for them to write to. The speed-up is a double, and n may be 0: what do you divide by
 * then? If fetch_sync or fetch_async returns an error, so do you (and still free the array). */
int compare(const char *const urls[], size_t n, struct comparison *report)
{
    (void)urls, (void)n;
    *report = (struct comparison){0};
    return 0;
}

/* TODO 6: waiting or computing? The rule stands in compare.h, above `enum bound`. */
enum bound explain(const struct comparison *report)
{
    (void)report;
    return BOUND_UNKNOWN;
}
