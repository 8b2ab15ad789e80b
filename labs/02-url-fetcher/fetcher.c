/* fetcher.c - lab 02: fetch many URLs at the same time over one session, and tell of each as it is done.
 *
 * This is the file you complete. Read README.md and fetcher.h first, then do the TODOs in their order:
 *     1  fetch_url    2, 3, 4  fetch_all    5  progress
 * After each one:  make grade LAB=02
 */
#include "fetcher.h"

#include <stdlib.h>

/* TODO 1: fetch one URL over the session.
 *
 *     struct co_response resp;
 *     int rc = co_session_get(session, url, &resp);
 *
 * rc is 0 if there was an answer; then resp holds its status and its length. Store all four fields of *out, with an
 * answer and without. Free the response. Then: which value of rc is about the URL, and which one is about you? */
int fetch_url(struct co_session *session, const char *url, struct fetch_result *out)
{
    (void)session, (void)url, (void)out;    /* no warning about unused parameters: delete this line */
    return 0;
}

/* TODO 2: what does one task need to know?
 *
 * A task gets one pointer, its job. Write down what the job of one fetch holds. The session and the URL, and the place
 * in `out` that belongs to it. (TODO 5 will add what progress needs.)
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
 * It calls fetch_url. That is an ordinary call: it waits inside this task, and starts no other one. What should the
 * task return? Think of co_join: "The first task that fails cancels the others." */

/* TODO 4: all at the same time, over one session.
 *
 * Open one session (CO_SESSION) with at most per_host connections to a site, and lend it to all tasks. Make n jobs,
 * one for each task. Start all tasks in one group (CO_GROUP, co_spawn); only then wait for all (co_join). Which of the
 * two must be declared first, the session or the group? What is declared last is cleaned up first. Free what you
 * allocated, on every path. */
int fetch_all(const char *const urls[], size_t n, uint32_t per_host, struct fetch_result out[],
              fetch_progress *on_progress, void *arg)
{
    (void)urls, (void)n, (void)per_host, (void)out, (void)on_progress, (void)arg;
    return 0;
}

/* TODO 5: progress.
 *
 * When a URL is done, its task is the first to know. Call on_progress there, right after fetch_url, unless it is NULL.
 * `done` counts the URLs of this call of fetch_all: where does that counter live, so that all tasks of this call share
 * it, and those of another call do not? And what if the task was cancelled? */
