#include "fetcher.h"
#include <stdlib.h>

int fetch_url(struct co_session *session, const char *url, struct fetch_result *out)
{
    struct co_response resp;
    int rc = co_session_get(session, url, &resp);
    if (rc == -ECANCELED)
        return rc;
    out->url = url;
    out->error = rc;
    out->status = resp.status;
    out->length = resp.length;
    co_response_free(&resp);
    return 0;
}

struct fetch_job {
    uint32_t per_host;
    const char *url;
    struct fetch_result *out;
    size_t *done;
    size_t n;
    fetch_progress *on_progress;
    void *arg;
};

static int fetch_one(void *arg)
{
    struct fetch_job *job = arg;
    CO_SESSION(session, job->per_host);
    int rc = fetch_url(&session, job->url, job->out);
    if (rc < 0)
        return rc;
    (*job->done)++;
    if (job->on_progress)
        job->on_progress(job->out, *job->done, job->n, job->arg);
    return 0;
}

int fetch_all(const char *const urls[], size_t n, uint32_t per_host, struct fetch_result out[],
              fetch_progress *on_progress, void *arg)
{
    size_t done = 0;
    struct fetch_job *jobs = malloc((n + 1) * sizeof *jobs);
    if (!jobs)
        return -ENOMEM;
    int rc;
    {
        CO_GROUP(group);
        for (size_t i = 0; i < n; i++) {
            jobs[i] = (struct fetch_job){per_host, urls[i], &out[i], &done, n, on_progress, arg};
            co_spawn(&group, fetch_one, &jobs[i]);
        }
        rc = co_join(&group);
    }
    free(jobs);
    return rc;
}
