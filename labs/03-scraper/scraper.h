/* scraper.h - the contract of lab 03. It is complete; you do not change it. */
#ifndef SCRAPER_H
#define SCRAPER_H

#include "co.h"

#define TITLE_MAX 64    /* bytes of a title, the '\0' at its end included: a longer one is cut after 63 bytes */

/* What became of one page. It is *successful* if there was a complete answer in time (error is 0) with a status below
 * 400; else it has *failed*. README.md says what exactly the title is. */
struct page {
    const char *url;           /* the URL that was asked for (the pointer you were given)                  */
    int error;                 /* 0 = a complete answer came in time, whatever its status; -ETIMEDOUT: not in time;
                                  else the negative errno of the call that failed, such as -ECONNREFUSED   */
    int status;                /* the HTTP status (after redirects: the last one's); 0 if error is not 0   */
    char title[TITLE_MAX];     /* ends with '\0'; "" if there is none, and for every failed page           */
    int64_t took;              /* ns from the call of scrape_page until the page was done                  */
};

/* Fetches one page (no session), follows redirects, and finds its title. Takes at most `timeout` ns (1 ms to 30 s) from
 * the call to the end, whatever the server does: then the page's error is -ETIMEDOUT, and its connection is closed at
 * that instant. Fills in every field of *out.
 * Returns 0, also for a failed page; or -ECANCELED when the calling task was cancelled: out->error is -ECANCELED then,
 * and the connection is closed. */
int scrape_page(const char *url, int64_t timeout, struct page *out);

/* Who is told while the pages come in. Both functions are called in scrape_all's loop and never wait. What the
 * pointers lead to is read at once; it need not live on. */
struct listener {
    /* One page is done, successful or not: the done-th of total. Called once for
     * each page, at the instant it is done. */
    void (*progress)(void *arg, const struct page *page, size_t done, size_t total);
    /* One page has failed. cause: "HTTP 404" for a status of 400 or more, else co_strerror(error). Called once for
     * each failed page, at the instant it is done (before or after its progress). */
    void (*log)(void *arg, const char *url, const char *cause);
    void *arg;                 /* handed to both */
};

struct summary {
    size_t total;              /* how many URLs                                                             */
    size_t successful;
    size_t failed;             /* successful + failed = total, unless the run was cancelled                 */
    int64_t total_time;        /* ns that scrape_all took                                                   */
};

/* Scrapes urls[0..n) all at the same time, each with a timeout of its own, and stores what became of urls[i] in out[i].
 * A failed page is recorded and logged; the others go on. n may be 0.
 * Returns 0, also when pages failed; -ENOMEM without memory (out and summary are of no matter then); or -ECANCELED when
 * the calling task was cancelled. In this case it returns at once, every request has ended and its connection is
 * closed, and what was done by then is not lost: summary and out tell it. A page that was not done counts neither as
 * successful nor as failed, its error is -ECANCELED, and the listener hears nothing of it. */
int scrape_all(const char *const urls[], size_t n, int64_t timeout, const struct listener *listener, struct page out[],
               struct summary *summary);

#endif
