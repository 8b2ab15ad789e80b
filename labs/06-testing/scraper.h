/* scraper.h - the contract of the scraper that you test in lab 06. It is complete; you do not change it.
 *
 * It is the scraper of lab 03, which has learned one thing since: `limit`, the most pages at once.
 * Whatever stands here, a faulty scraper may break. Whatever does not stand here, a correct one may do as it likes.
 */
#ifndef SCRAPER_H
#define SCRAPER_H

#include "co.h"

#define TITLE_MAX 64    /* bytes of a title, the '\0' at its end included: a longer one is cut after 63 bytes */

/* What became of one page. It is *successful* if there was a complete answer in time (error is 0) with a status below
 * 400; else it has *failed*. */
struct page {
    const char *url;           /* the URL that was asked for (the pointer you were given)                  */
    int error;                 /* 0 = a complete answer came in time, whatever its status; -ETIMEDOUT: not in time;
                                  else the negative errno of the call that failed, such as -ECONNREFUSED   */
    int status;                /* the HTTP status (after redirects: the last one's); 0 if error is not 0   */
    char title[TITLE_MAX];     /* the text between <title> and </title>, ends with '\0'; "" if there is none, and for
                                  every failed page                                                        */
    int64_t took;              /* ns from the page's begin until it was done                               */
};

/* Fetches one page, with one GET request (and one more for each redirect, which it follows), and finds its title. Takes
 * at most `timeout` ns (1 ms to 30 s) from the call to the end, whatever the server does: then the page's error is
 * -ETIMEDOUT, and its request is given up at that instant. (An answer that is complete at that very instant may count
 * as in time or not.) Fills in every field of *out; the page's begin is the call.
 * Returns 0, also for a failed page; or -ECANCELED when the calling task was cancelled: out->error is -ECANCELED then,
 * and the request is given up. */
int scrape_page(const char *url, int64_t timeout, struct page *out);

/* Who is told while the pages come in. Both functions are called in scrape_all's loop (in whichever task)
 * and never wait. What the pointers lead to is read at once; it need not live on. Either function may be
 * NULL: nobody is told that. */
struct listener {
    /* One page is done, successful or not: the done-th of total (1, 2, 3, ...). Called once for each page, at the
     * instant it is done. Pages that are done at the same instant are told in any order. */
    void (*progress)(void *arg, const struct page *page, size_t done, size_t total);
    /* One page has failed. cause says why, in words for a person: never "", the wording is open. Called once for each
     * failed page, and for no other, at the instant it is done (before or after its progress). */
    void (*log)(void *arg, const char *url, const char *cause);
    void *arg;                 /* handed to both */
};                             /* Instead of a listener, NULL may be given: nobody is told anything. */

struct summary {
    size_t total;              /* how many URLs                                                             */
    size_t successful;
    size_t failed;             /* successful + failed = total, unless the run was cancelled                 */
    int64_t total_time;        /* ns that scrape_all took                                                   */
};

/* Scrapes urls[0..n), at most `limit` (1 or more) of them at once, and stores what became of urls[i] in out[i]. Pages
 * are begun in the order of urls: the first `limit` at once, each further one at the very instant at which one of those
 * under way is done. Each page has a timeout of its own, which runs, like its `took`, from the page's own begin:
 * waiting for its turn does not count. A failed page is recorded and logged; the others go on. A URL that stands in
 * urls twice is scraped twice. n may be 0. Returns 0, also when pages failed, at the instant the last page is done;
 * -ENOMEM without memory (out and summary are of no matter then); or -ECANCELED when the calling task was cancelled. In
 * this case it returns at once, every request has been given up, none is begun any more, and what was done by then is
 * not lost: summary and out tell it. A page that was not done counts neither as successful nor as failed, its error is
 * -ECANCELED, its status 0, its title "" (its `took` is open), and the listener hears nothing of it.
 * When it returns, whatever the result, none of its tasks is left and nothing it was given is used any more. */
int scrape_all(const char *const urls[], size_t n, size_t limit, int64_t timeout, const struct listener *listener,
               struct page out[], struct summary *summary);

#endif
