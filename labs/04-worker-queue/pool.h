/* pool.h - the contract of lab 04. It is complete; you do not change it. */
#ifndef POOL_H
#define POOL_H

#include "co.h"

/* A pool: a queue of jobs, and workers that do them. What is inside is your affair: you define it in pool.c. */
struct pool;

/* Is called by the worker, in its task, once for each page that arrived with a status below 400. It may wait, and it
 * may call pool_add and pool_stop. `page` belongs to the pool, which frees it after the call; arg is the one of the
 * config. Returns 0 or more, or a negative errno if nothing can be done with the page: the job has failed then. */
typedef int pool_handler(struct pool *pool, const char *url, const struct co_response *page, void *arg);

/* Every number of the pool. */
struct pool_config {
    size_t workers;             /* how many workers there are; at least 1                                  */
    size_t limit;               /* most requests in flight at a time, of all workers: 1 to a million       */
    pool_handler *handle;       /* what to do with a page; NULL: nothing                                   */
    void *arg;                  /* handed to it                                                            */
};

/* What one worker did. */
struct worker_stats {
    size_t jobs;                /* jobs that it finished: succeeded + failed                               */
    size_t succeeded;           /* an answer with a status below 400, and the handler was content          */
    size_t failed;              /* no answer, a status of 400 or more, or an error of the handler          */
};

/* What all of them did. */
struct pool_stats {
    size_t jobs, succeeded, failed;     /* the sums over all workers                                       */
    int64_t elapsed;                    /* how long pool_run took on the loop's clock, in ns               */
    struct worker_stats *workers;       /* set by the caller: an array of config.workers elements, which
                                           pool_run fills; those of workers without a job get zeros        */
};

/* Makes a pool without jobs. Copies *config. Starts nothing, does not wait. NULL without memory. */
struct pool *pool_open(const struct pool_config *config);

/* Adds one job: the URL to fetch. Adding a URL twice makes two jobs. The string stays yours and must live until the
 * pool is closed: it is not copied. Does not wait. Called before pool_run, or by a handler while it runs. After
 * pool_stop it is no error either: the job waits with the others, to be handed back. Returns 0 or -ENOMEM. */
int pool_add(struct pool *pool, const char *url);

/* Does all jobs: those that were added before, and those that handlers add meanwhile. Waits until no job
 * waits and none is running; after pool_stop, until none is running. When it returns, all workers have ended.
 * Called once for each pool.
 *
 * Jobs are begun in the order in which they were added (those that one call of a handler adds, in any order among
 * themselves), each as soon as a worker is free and the limit allows. A worker is busy with a job from the beginning of
 * its request to the return of the handler. The limit counts requests only: not the handler.
 *
 * Returns 0, also when jobs failed; -ENOMEM; or -ECANCELED when the calling task was cancelled: the workers were, too,
 * and have ended; stats and the jobs that are left are then of no matter. */
int pool_run(struct pool *pool, struct pool_stats *stats);

/* From now on no request begins. Jobs whose request is under way, or whose page is being handled, finish as usual, and
 * are counted; all others are left, to be handed back. Does not wait. Called by a handler, by any other task while
 * pool_run runs, or before pool_run, which then does nothing. A second call changes nothing. */
void pool_stop(struct pool *pool);

/* After pool_run: hands back one job that was never begun. Returns 1 and its URL in *url, or 0 when none is left. Each
 * is handed back once, in any order. Does not wait. */
int pool_take_back(struct pool *pool, const char **url);

/* Frees the pool and sets *pool to NULL; does nothing to a NULL. It takes a pointer to the variable, so that a block
 * can close its pool by itself: CO_DEFER(pool_close) struct pool *pool = pool_open(&config);
 * Jobs that were neither done nor handed back are dropped. Does not wait. */
void pool_close(struct pool **pool);

#endif
