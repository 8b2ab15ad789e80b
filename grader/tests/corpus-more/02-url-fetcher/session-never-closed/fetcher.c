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

int fetch_all(const char *const urls[], size_t n, uint32_t per_host, struct fetch_result out[],
              fetch_progress *on_progress, void *arg)
{
    struct fetch_job *jobs = calloc(n + 1, sizeof *jobs);
    if (jobs == NULL)
        return -ENOMEM;
    size_t done = 0;
    int rc;
    {
        struct co_session session = {.max_per_host = per_host};
        CO_GROUP(group);
        for (size_t i = 0; i < n; i++) {
            jobs[i] = (struct fetch_job){&session, urls[i], &out[i], on_progress, arg, &done, n};
            co_spawn(&group, fetch_one, &jobs[i]);
        }
        rc = co_join(&group);
    }
    free(jobs);
    return rc;
}
