/* fetcher.c - lab 02 */
#include "fetcher.h"

#include <stdlib.h>

int fetch_url(struct co_session *session, const char *url, struct fetch_result *out)
{
    struct co_response resp;
    int rc = co_session_get(session, url, &resp);
    if (rc == -ECANCELED)
        return rc;
    out->url = url;
    out->error = rc < 0 ? rc : 0;
    out->status = resp.status;      /* zeroed by the kit if there was no answer */
    out->length = resp.length;
    co_response_free(&resp);
    return 0;
}

struct fetch_job {
    struct co_session *session;
    const char *url;
    struct fetch_result *out;
    fetch_progress *on_progress;
    void *arg;
    size_t *done;                   /* shared by all tasks of one fetch_all */
    size_t n;
};

static int fetch_one(void *arg)
{
    struct fetch_job *job = arg;
    int rc = fetch_url(job->session, job->url, job->out);
    if (rc < 0)
        return rc;
    ++*job->done;
    if (job->on_progress)
        job->on_progress(job->out, *job->done, job->n, job->arg);
    return 0;
}

struct call {
    struct fetch_job *jobs;
    const char *const *urls;
    struct fetch_result *out;
    size_t n, done;
    fetch_progress *on_progress;
    void *arg;
    struct co_session *session;
};

/* starts number i, then all after it, then waits for its own */
static int fetch_from(struct call *call, size_t i)
{
    if (i == call->n)
        return 0;
    CO_GROUP(group);
    struct fetch_job job = {call->session, call->urls[i], &call->out[i], call->on_progress, call->arg, &call->done, call->n};
    co_spawn(&group, fetch_one, &job);
    int rest = fetch_from(call, i + 1);
    int rc = co_join(&group);
    return rest < 0 ? rest : rc;
}

int fetch_all(const char *const urls[], size_t n, uint32_t per_host, struct fetch_result out[],
              fetch_progress *on_progress, void *arg)
{
    CO_SESSION(session, per_host);
    struct call call = {NULL, urls, out, n, 0, on_progress, arg, &session};
    return fetch_from(&call, 0);
}
