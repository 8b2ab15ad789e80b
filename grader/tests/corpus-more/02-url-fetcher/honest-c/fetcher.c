// The task that called fetch_all does the talking: co_next_done gives it the tasks in the order they end.
#include "fetcher.h"

#include <stdlib.h>

struct job {
    struct co_session *session;
    const char *url;
    struct fetch_result *slot;
};

int fetch_url(struct co_session *session, const char *url, struct fetch_result *out)
{
    struct co_response answer;
    int rc = co_session_get(session, url, &answer);

    out->url = url;
    out->error = rc;
    if (rc == 0) {
        out->status = answer.status;
        out->length = answer.length;
        co_response_free(&answer);
    } else {
        out->status = 0;
        out->length = 0;
    }
    return rc == -ECANCELED ? -ECANCELED : 0;
}

static int work(void *p)
{
    struct job *job = p;
    return fetch_url(job->session, job->url, job->slot);
}

int fetch_all(const char *const urls[], size_t n, uint32_t per_host, struct fetch_result out[],
              fetch_progress *on_progress, void *arg)
{
    int rc = 0;
    struct job *jobs = NULL;
    if (n > 0 && !(jobs = malloc(n * sizeof *jobs)))
        return -ENOMEM;
    do {
        CO_SESSION(session, per_host);
        CO_GROUP(tasks);
        for (size_t i = 0; i < n; i++) {
            jobs[i].session = &session;
            jobs[i].url = urls[i];
            jobs[i].slot = &out[i];
            co_spawn(&tasks, work, &jobs[i]);
        }
        co_task *task;
        size_t done = 0;
        while ((rc = co_next_done(&tasks, &task)) == 1) {
            struct job *job = co_job(task);
            done++;
            if (on_progress)
                on_progress(job->slot, done, n, arg);
        }
        int joined = co_join(&tasks);       // all have ended: only waits if we were cancelled
        if (rc == 0)
            rc = joined;
    } while (0);
    free(jobs);
    return rc;
}
