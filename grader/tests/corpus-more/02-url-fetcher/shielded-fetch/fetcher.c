/* fetcher.c - lab 02, the reference solution. */
#include "fetcher.h"

#include <stdlib.h>

int fetch_url(struct co_session *session, const char *url, struct fetch_result *out)
{
    CO_RESPONSE(resp);    /* frees itself when this function is left: so does the body, before the next one comes */

    /* The coroutine's only await. Here it is suspended; the other tasks run until the answer is there. With the
     * session, an idle connection to the site is used again; without one, each request would pay for a
     * connection of its own. */
    struct co_shield whole;
    co_shield_begin(&whole);
    int rc = co_session_get(session, url, &resp);
    co_shield_end(&whole);

    /* Without an answer resp is zeroed, so one line does for both: status and length are 0 then, and no field is left
     * as it was. The length is the response's, never strlen(resp.body): a picture holds '\0' bytes. */
    *out = (struct fetch_result){.url = url, .error = rc, .status = resp.status, .length = resp.length};

    /* Of all errors only this one is about us and not about the URL. Were the others returned too, the caller could
     * not tell a refused connection from its own end. */
    return rc == -ECANCELED ? rc : 0;
}

/* What all tasks of one call of fetch_all share. It stands on fetch_all's stack, not in static variables: two calls may
 * run at the same time. No lock is needed: a task is only ever interrupted where it waits. */
struct batch {
    struct co_session *session;
    fetch_progress *on_progress;
    void *arg;
    size_t done, n;
};

/* What one task needs for itself: which URL, and where its result goes. */
struct fetch_job {
    struct batch *batch;
    const char *url;
    struct fetch_result *out;
};

static int fetch_one(void *arg)
{
    struct fetch_job *job = arg;
    struct batch *batch = job->batch;

    /* An ordinary call, like any in C. It waits inside this task: what makes fetches overlap is that there are n tasks,
     * not that fetch_url is a coroutine. */
    int rc = fetch_url(batch->session, job->url, job->out);
    if (rc < 0)
        return rc;    /* cancelled: nothing is known of this URL, so there is nothing to tell */

    /* Here and not after the join: this task is the first to know. Counting and telling happen in one go, without a
     * wait in between, so no other task can come in with the same number. */
    batch->done++;
    if (batch->on_progress)
        batch->on_progress(job->out, batch->done, batch->n, batch->arg);
    return 0;    /* also when the URL failed: an error here would make co_join cancel all the others */
}

int fetch_all(const char *const urls[], size_t n, uint32_t per_host, struct fetch_result out[],
              fetch_progress *on_progress, void *arg)
{
    /* One job for each task. A task begins to run only when we wait, in co_join: a single job, filled in again for each
     * spawn, would by then hold the last URL only. One more than n, so that NULL always means "no memory". */
    struct fetch_job *jobs = malloc((n + 1) * sizeof *jobs);
    if (!jobs)
        return -ENOMEM;

    /* First the session, then the group: a block is cleaned up from its end, so the tasks are gone before the session
     * that they borrow is closed. */
    CO_SESSION(session, per_host);
    CO_GROUP(group);
    struct batch batch = {.session = &session, .on_progress = on_progress, .arg = arg, .n = n};

    for (size_t i = 0; i < n; i++) {
        jobs[i] = (struct fetch_job){.batch = &batch, .url = urls[i], .out = &out[i]};
        co_spawn(&group, fetch_one, &jobs[i]);
    }
    /* When we are cancelled here, co_join cancels the tasks, waits for them and returns -ECANCELED. A request that is
     * cancelled closes its connection; the idle ones are closed with the session, at the end of this function. */
    int rc = co_join(&group);
    free(jobs);
    return rc;
}
