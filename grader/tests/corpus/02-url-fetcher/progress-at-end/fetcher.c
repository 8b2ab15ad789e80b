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
};

static int fetch_one(void *arg)
{
    struct fetch_job *job = arg;
    return fetch_url(job->session, job->url, job->out);
}

int fetch_all(const char *const urls[], size_t n, uint32_t per_host, struct fetch_result out[],
              fetch_progress *on_progress, void *arg)
{
    struct fetch_job *jobs = malloc((n + 1) * sizeof *jobs);
    if (!jobs)
        return -ENOMEM;
    int rc;
    {
        CO_SESSION(session, per_host);
        CO_GROUP(group);
        for (size_t i = 0; i < n; i++) {
            jobs[i].session = &session;
            jobs[i].url = urls[i];
            jobs[i].out = &out[i];
            co_spawn(&group, fetch_one, &jobs[i]);
        }
        rc = co_join(&group);
    }
    free(jobs);
    if (rc == 0 && on_progress)
        for (size_t i = 0; i < n; i++)
            on_progress(&out[i], i + 1, n, arg);
    return rc;
}
