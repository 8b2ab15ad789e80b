/* overlap.h - which requests were under way together: what a program that keeps too much order never shows.
 *
 * For each two requests it is kept whether in some order each began at an earlier instant than the answer to the other
 * one came. Where a right program has that and this one never does, something makes one of them wait.
 */
#ifndef OVERLAP_H
#define OVERLAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REQUESTS_MOST = 128, URL_SHOWN = 96 };

/* Why a request began no earlier, as the first order in which it did has it. */
struct reason {
    const void *asked_at;           /* where it is asked for                                             */
    const void *waited_at;          /* where its task waited last before, or was spawned                  */
    uint8_t kind;                   /* enum wait_kind: for what                                           */
    const void *taken_at, *kept_at; /* for a lock: where its holder had taken it, and waited with it       */
};

/* A request: its URL, and which of those it is. */
struct asked {
    char url[URL_SHOWN];
    uint32_t copy;
    struct reason reason;
    int64_t begun, answered;        /* in this run, ns + 1; 0: not                                        */
    const void *mark;               /* in this run: what the runtime calls it; NULL: answered             */
};

struct overlap {
    uint32_t n;
    struct asked asked[REQUESTS_MOST];
    bool together[REQUESTS_MOST][REQUESTS_MOST];    /* in some order so far                              */
};

/* A run begins; a request does, at that time (ns); its answer comes; the run has come to its end. */
void overlap_reset(struct overlap *overlap);
void overlap_ask(struct overlap *overlap, const char *url, size_t length, const void *mark, int64_t now,
                 const struct reason *reason);
void overlap_answer(struct overlap *overlap, const void *mark, int64_t now);
void overlap_end(struct overlap *overlap);

#endif
