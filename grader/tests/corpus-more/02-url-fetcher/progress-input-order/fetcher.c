#include "fetcher.h"
#include <stdlib.h>

int fetch_url(struct co_session *session, const char *url, struct fetch_result *out)
{
    CO_RESPONSE(resp);
    int rc = co_session_get(session, url, &resp);
    out->url = url;
    out->error = rc;
    out->status = resp.status;
    out->length = resp.length;
    return rc == -ECANCELED ? rc : 0;
}

struct fetch_job {
    struct co_session *session;
    const char *url;
    struct fetch_result *out;
    co_task *task;
};

static int fetch_one(void *arg)
{
    struct fetch_job *job = arg;
    return fetch_url(job->session, job->url, job->out);
}

static int run(struct fetch_job *jobs, size_t n, uint32_t per_host, fetch_progress *on_progress, void *arg)
{
    CO_SESSION(session, per_host);
    CO_GROUP(group);
    for (size_t i = 0; i < n; i++) {
        jobs[i].session = &session;
        jobs[i].task = co_spawn(&group, fetch_one, &jobs[i]);
    }
    for (size_t i = 0; i < n; i++) {
        int rc = co_await(jobs[i].task, NULL);
        if (rc < 0)
            break;
        if (on_progress)
            on_progress(jobs[i].out, i + 1, n, arg);
    }
    return co_join(&group);
}

int fetch_all(const char *const urls[], size_t n, uint32_t per_host, struct fetch_result out[],
              fetch_progress *on_progress, void *arg)
{
    struct fetch_job *jobs = malloc((n + 1) * sizeof *jobs);
    if (!jobs)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        jobs[i].url = urls[i];
        jobs[i].out = &out[i];
    }
    int rc = run(jobs, n, per_host, on_progress, arg);
    free(jobs);
    return rc;
}
