/* compare.h - the contract of lab 01. It is complete; you do not change it. */
#ifndef COMPARE_H
#define COMPARE_H

#include "co.h"

/* What became of one URL. An answer with any status, 404 and 500 too, is an answer: error is 0. */
struct fetch_result {
    int error;          /* 0 = there was an answer; else the negative errno, such as -ECONNREFUSED */
    int status;         /* the HTTP status; 0 without an answer                                    */
    size_t length;      /* bytes of the body; 0 without an answer                                  */
};

/* Fetches urls[0..n) one after the other with http_get_blocking, and stores what became of urls[i] in out[i].
 * A URL that fails is recorded; the others are fetched all the same. n may be 0. Returns 0. */
int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[]);

/* The same with co_http_get, all n at the same time: a task for each URL. It must never block the loop.
 * Returns 0, -ENOMEM without memory, or -ECANCELED when the calling task was cancelled; out is then of no matter. */
int fetch_async(const char *const urls[], size_t n, struct fetch_result out[]);

/* Both ways, measured. */
struct comparison {
    size_t n;           /* how many URLs                                                        */
    int64_t sync_ns;    /* how long fetch_sync took on the loop's clock (co_now), in ns         */
    int64_t async_ns;   /* how long fetch_async took                                            */
    double speedup;     /* how many times faster fetch_async was: 4.0 = a quarter of the time.
                           1.0 when neither took any time                                      */
};

/* Runs fetch_sync, then fetch_async, on the same URLs, and fills in the report.
 * Returns 0, -ENOMEM without memory for the results, or the first error that either returned; the report
 * is then of no matter. */
int compare(const char *const urls[], size_t n, struct comparison *report);

/* What limited the program: waiting for answers, or computing? Only the numbers of the report tell.
 *   BOUND_UNKNOWN  n < 2: with fewer than two URLs nothing can overlap, so the numbers say nothing
 *   BOUND_CPU      speedup below 1.5: the time went into computing, which does not overlap on one thread
 *   BOUND_IO       otherwise: the time went into waiting, and waits overlap */
enum bound { BOUND_UNKNOWN, BOUND_IO, BOUND_CPU };
enum bound explain(const struct comparison *report);

#endif
