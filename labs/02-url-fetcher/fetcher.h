/* fetcher.h - the contract of lab 02. It is complete; you do not change it. */
#ifndef FETCHER_H
#define FETCHER_H

#include "co.h"

/* What became of one URL: (url, status, length) or (url, error). An answer with any status, 404 and 500 too, is an
 * answer: error is 0. */
struct fetch_result {
    const char *url;    /* the URL that was asked for: the very pointer you were given; nothing is copied */
    int error;          /* 0 = there was an answer; else the negative errno, such as -ECONNREFUSED        */
    int status;         /* the HTTP status; 0 without an answer                                           */
    size_t length;      /* bytes of the body; 0 without an answer                                         */
};

/* Fetches one URL with GET over the session, which the caller has opened and will close, and stores what became of it
 * in *out. Waits. It keeps at most one copy of the body, and none when it returns.
 * Returns 0 when *out is filled in, with an answer or with an error; or -ECANCELED when the calling task was cancelled:
 * *out is then of no matter. (The return value is about you, out->error is about the URL.) */
int fetch_url(struct co_session *session, const char *url, struct fetch_result *out);

/* Is told of each URL at the instant at which it is known what became of it. result points to its element of out, whose
 * four fields are filled in; done = 1, 2, ..., n counts the calls; arg is what fetch_all was given. Does not wait. */
typedef void fetch_progress(const struct fetch_result *result, size_t done, size_t n, void *arg);

/* Fetches urls[0..n) at the same time, over one session of its own with at most per_host connections to each site
 * (0 = no limit), and stores what became of urls[i] in out[i]. A URL that fails is recorded; the others are fetched all
 * the same. Calls on_progress, unless it is NULL, once for each URL, in the order in which they are done. n may be 0.
 * It never blocks the loop, and several calls of it may run at the same time.
 * Returns 0, -ENOMEM without memory, or -ECANCELED when the calling task was cancelled; out is then of no matter. When
 * it returns, whatever it returns, all its tasks have ended, its connections are closed and its memory is free. */
int fetch_all(const char *const urls[], size_t n, uint32_t per_host, struct fetch_result out[],
              fetch_progress *on_progress, void *arg);

#endif
