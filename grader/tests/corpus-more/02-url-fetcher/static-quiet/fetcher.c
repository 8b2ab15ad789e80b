#include "fetcher.h"

#include <stdlib.h>

int fetch_url(struct co_session *session, const char *url, struct fetch_result *out)
{
    CO_RESPONSE(resp);
    int rc = co_session_get(session, url, &resp);
    if (rc == -ECANCELED)
        return rc;
    *out = (struct fetch_result){.url = url, .error = rc};
    if (rc == 0) {
        out->status = resp.status;
        out->length = resp.length;
    }
    return 0;
}

struct call {
    struct co_session *session;
    size_t done, n;
    fetch_progress *on_progress;
    void *arg;
};

struct fetch_job {
    struct call *call;
    const char *url;
    struct fetch_result *out;
};

static bool quiet;

static int fetch_one(void *arg)
{
    struct fetch_job *job = arg;
    struct call *call = job->call;
    int rc = fetch_url(call->session, job->url, job->out);
    if (rc < 0) {
        quiet = true;
        return rc;
    }
    call->done++;
    if (call->on_progress && !quiet)
        call->on_progress(job->out, call->done, call->n, call->arg);
    return 0;
}

int fetch_all(const char *const urls[], size_t n, uint32_t per_host, struct fetch_result out[],
              fetch_progress *on_progress, void *arg)
{
    struct fetch_job *jobs = malloc((n + 1) * sizeof *jobs);
    if (!jobs)
        return -ENOMEM;
    int rc;
    quiet = false;
    {
        CO_SESSION(session, per_host);
        struct call call = {&session, 0, n, on_progress, arg};
        CO_GROUP(group);
        for (size_t i = 0; i < n; i++) {
            jobs[i] = (struct fetch_job){&call, urls[i], &out[i]};
            co_spawn(&group, fetch_one, &jobs[i]);
        }
        rc = co_join(&group);
    }
    free(jobs);
    return rc;
}
