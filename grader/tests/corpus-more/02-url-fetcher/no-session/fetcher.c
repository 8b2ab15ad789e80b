#include "fetcher.h"

#include <stdlib.h>

int fetch_url(struct co_session *session, const char *url, struct fetch_result *out)
{
    (void)session;
    struct co_response resp;
    int rc = co_http_get(url, &resp);       /* as in lab 01 */
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
    struct co_session *session;
    const char *url;
    struct fetch_result *out;
    size_t *done, n;
    fetch_progress *on_progress;
    void *arg;
};

static int fetch_one(void *arg)
{
    struct fetch_job *job = arg;
    int rc = fetch_url(job->session, job->url, job->out);
    if (rc < 0)
        return rc;
    *job->done += 1;
    if (job->on_progress)
        job->on_progress(job->out, *job->done, job->n, job->arg);
    return 0;
}

int fetch_all(const char *const urls[], size_t n, uint32_t per_host, struct fetch_result out[],
              fetch_progress *on_progress, void *arg)
{
    struct fetch_job *jobs = malloc((n + 1) * sizeof *jobs);
    if (jobs == NULL)
        return -ENOMEM;
    size_t done = 0;
    int rc;
    {
        CO_SESSION(session, per_host);
        CO_GROUP(group);
        for (size_t i = 0; i < n; i++) {
            jobs[i] = (struct fetch_job){&session, urls[i], &out[i], &done, n, on_progress, arg};
            co_spawn(&group, fetch_one, &jobs[i]);
        }
        rc = co_join(&group);
    }
    free(jobs);
    return rc;
}
