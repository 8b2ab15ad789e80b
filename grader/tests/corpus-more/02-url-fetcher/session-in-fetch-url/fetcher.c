/* lab 02 */
#include "fetcher.h"
#include <stdlib.h>

/* every fetch needs a session to fetch with */
int fetch_url(struct co_session *session, const char *url, struct fetch_result *out)
{
    CO_SESSION(mine, session->max_per_host);
    CO_RESPONSE(resp);
    int rc = co_session_get(&mine, url, &resp);
    if (rc == -ECANCELED)
        return rc;
    out->url = url;
    out->error = rc;
    out->status = resp.status;
    out->length = resp.length;
    return 0;
}

struct shared {
    struct co_session *session;
    size_t done, n;
    fetch_progress *on_progress;
    void *arg;
};

struct job {
    struct shared *shared;
    const char *url;
    struct fetch_result *out;
};

static int one(void *p)
{
    struct job *job = p;
    struct shared *shared = job->shared;
    int rc = fetch_url(shared->session, job->url, job->out);
    if (rc < 0)
        return rc;
    shared->done += 1;
    if (shared->on_progress)
        shared->on_progress(job->out, shared->done, shared->n, shared->arg);
    return 0;
}

int fetch_all(const char *const urls[], size_t n, uint32_t per_host, struct fetch_result out[],
              fetch_progress *on_progress, void *arg)
{
    struct job jobs[n + 1];
    CO_SESSION(session, per_host);
    struct shared shared = {&session, 0, n, on_progress, arg};
    for (size_t i = 0; i < n; i++)
        jobs[i] = (struct job){&shared, urls[i], &out[i]};
    return co_gather(one, jobs, n, sizeof jobs[0], NULL);
}
