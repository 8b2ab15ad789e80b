/* scraper.c - lab 03: scrape pages that fail in every way there is, all at the same time.
 *
 * This is the file you complete. Read README.md and scraper.h first, then do the TODOs in their order:
 *     1  scrape_page    2  the title    3, 4  scrape_all    5  log and summary    6  cancellation
 * After each one:  make grade LAB=03
 */
#include "scraper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* TODO 2: find the title of a page of `length` bytes, and store it: README.md, "The title", has the rules.
 *
 *     static void find_title(const char *body, size_t length, char title[TITLE_MAX])
 *     {
 *         ...
 *     }
 *
 * Leave this for later; begin with TODO 1. A body is no C string: it may hold '\0' bytes. strncasecmp compares n
 * bytes and takes capital letters for small ones. Do it in steps: first the plain <title>hello</title>, then one
 * rule after the other. */

/* TODO 1: fetch one page, in at most `timeout` ns.
 *
 *     CO_RESPONSE(resp);                          // frees itself
 *     struct co_timeout limit;
 *     co_timeout_begin(&limit, timeout);
 *     int rc = co_http_get(url, &resp);
 *     rc = co_timeout_end(&limit, rc);
 *
 * co.h, "Timeouts and shields", says what rc is after that. Fill in every field of *out, whatever rc is. What do
 * you return when the server refused? When the time was up? When you yourself were cancelled? (The title is TODO
 * 2: "" will do for now.) */
int scrape_page(const char *url, int64_t timeout, struct page *out)
{
    (void)url, (void)timeout, (void)out;    /* no warning about unused parameters: delete this line */
    return 0;
}

/* TODO 3: what does the task of one page need to know, and what does it do?
 *
 *     struct job {
 *         ...
 *     };
 *
 *     static int scrape_one(void *arg)
 *     {
 *         struct job *job = arg;
 *         ...
 *     }
 *
 * Does the limit begin when the task begins, or is it one limit for all pages together? */

/* TODO 4: all at the same time, and news of each page as soon as it is done.
 *
 * Make n jobs, and start a task for each in one group. Then take the tasks as they are done, not in the order of the
 * urls:
 *
 *     co_task *done;
 *     int rc;
 *     while ((rc = co_next_done(&group, &done)) > 0)
 *         ... co_job(done) is the job it was started with: call listener->progress ...
 *
 * Write this into scrape_all below. */

/* TODO 5: the log and the summary.
 *
 * Is this page a success? If not, what is the cause in words? Log it and count it. total_time is co_now() at the end
 * minus co_now() at the beginning. */

/* TODO 6: cancelled.
 *
 * What does co_next_done return when somebody cancels the task that runs scrape_all? What must have happened before you
 * return, so that no task writes to `out` afterwards? Which pages do summary and listener know of then? */
int scrape_all(const char *const urls[], size_t n, int64_t timeout, const struct listener *listener, struct page out[],
               struct summary *summary)
{
    (void)urls, (void)n, (void)timeout, (void)listener, (void)out, (void)summary;
    return 0;
}
