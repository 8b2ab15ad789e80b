/* A queue between the tasks and the one who tells: each task puts its result in as it has it, fetch_all takes them out. */
#include "fetcher.h"

#include <stdlib.h>

int fetch_url(struct co_session *session, const char *url, struct fetch_result *out)
{
    CO_RESPONSE(resp);
    int rc = co_session_get(session, url, &resp);
    if (rc == -ECANCELED)
        return rc;
    *out = (struct fetch_result){ .url = url, .error = rc, .status = resp.status, .length = resp.length };
    return 0;
}

struct fetch_job {
    struct co_session *session;
    struct co_queue *finished;
    const char *url;
    struct fetch_result *out;
};

static int fetch_one(void *arg)
{
    struct fetch_job *job = arg;
    int rc = fetch_url(job->session, job->url, job->out);
    return rc < 0 ? rc : co_queue_put(job->finished, job->out);
}

static int fetch_and_tell(struct fetch_job *jobs, const char *const urls[], size_t n, uint32_t per_host,
                          struct fetch_result out[], fetch_progress *on_progress, void *arg)
{
    CO_SESSION(session, per_host);
    CO_QUEUE(finished, 0);
    CO_GROUP(group);
    for (size_t i = 0; i < n; i++) {
        jobs[i] = (struct fetch_job){&session, &finished, urls[i], &out[i]};
        co_spawn(&group, fetch_one, &jobs[i]);
    }
    int rc = 0;
    for (size_t done = 1; done <= n; done++) {
        void *item;
        rc = co_queue_get(&finished, &item);
        if (rc < 0)
            break;
        if (on_progress != NULL)
            on_progress(item, done, n, arg);
    }
    int joined = co_join(&group);
    return rc < 0 ? rc : joined;
}

int fetch_all(const char *const urls[], size_t n, uint32_t per_host, struct fetch_result out[],
              fetch_progress *on_progress, void *arg)
{
    struct fetch_job *jobs = malloc((n + 1) * sizeof *jobs);
    if (jobs == NULL)
        return -ENOMEM;
    int rc = fetch_and_tell(jobs, urls, n, per_host, out, on_progress, arg);
    free(jobs);
    return rc;
}
