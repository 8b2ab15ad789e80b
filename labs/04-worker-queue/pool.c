/* pool.c - lab 04: a queue of jobs, a few workers that do them, and a limit on the requests.
 *
 * This is the file you complete. Read README.md and pool.h first, then do the TODOs in their order:
 *     1  struct pool, pool_open, pool_close    2  pool_add    3  one job    4  a worker    5  pool_run
 *     6  pool_stop, pool_take_back
 * Before TODO 5 nothing runs. After it, and again after TODO 6:  make grade LAB=04
 */
#include "pool.h"

#include <stdlib.h>

/* TODO 1: what does a pool consist of? Write it down here, make it in pool_open,
 * and undo in pool_close what pool_open did.
 *
 * It holds a copy of the config already. It also needs the jobs that wait (struct co_queue: one inside a struct is
 * made by co_queue_init and freed by co_queue_destroy) and something that lets at most config.limit requests
 * through (struct co_sem).
 * TODO 6 will add two more things. */
struct pool {
    struct pool_config config;
};

struct pool *pool_open(const struct pool_config *config)
{
    struct pool *pool = calloc(1, sizeof *pool);
    if (pool)
        pool->config = *config;
    return pool;
}

void pool_close(struct pool **pool)
{
    free(*pool);
    *pool = NULL;
}

/* TODO 2: put one job into the queue. It must not wait: which of the two calls that put does not?
 * A queue holds `void *`, and what you put is a `const char *`: (void *)url. */
int pool_add(struct pool *pool, const char *url)
{
    (void)pool, (void)url;    /* no warning about unused parameters: delete this line */
    return 0;
}

/* TODO 3: one job.
 *
 *     static void do_job(struct pool *pool, struct worker_stats *stats, const char *url)
 *
 * Wait for a free place (CO_WITH_SEM), fetch the page, give the place back as soon as the answer is there, and only
 * then call the handler. Count the job: succeeded or failed? Free the response on every path (CO_RESPONSE).
 * You waited for the place. What may have changed meanwhile? (That is for TODO 6.) */

/* TODO 4: a worker.
 *
 *     struct worker {
 *         ...                             // its pool, and where it counts
 *     };
 *     static int work(void *arg)
 *
 * It gets job after job from the queue until there will be none any more. What does co_queue_get return then? A
 * failed job is no reason to end. Each job that was got is reported as finished, failed or not (co_queue_task_done):
 * TODO 5 waits for that. */

/* TODO 5: the whole.
 *
 * Set the statistics to zero. Start config.workers workers in a group. Wait until all jobs are finished
 * (co_queue_join): an empty queue is not enough, as a running job may add others. Then tell the workers that no more
 * will come (co_queue_shutdown), and wait for them (co_join). Sum up, and measure the time with co_now(). */
int pool_run(struct pool *pool, struct pool_stats *stats)
{
    (void)pool, (void)stats;
    return 0;
}

/* TODO 6: stop, and hand back.
 *
 * pool_stop only says that no further request may begin. Who looks at that, and when? A job that is not to be begun any
 * more goes where pool_take_back finds it, and counts as finished for co_queue_join. */
void pool_stop(struct pool *pool)
{
    (void)pool;
}

int pool_take_back(struct pool *pool, const char **url)
{
    (void)pool, (void)url;
    return 0;
}
