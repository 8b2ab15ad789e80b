#include "fetcher.h"

#include <stdlib.h>

/* Counts what comes. No body is ever in memory. */
static int count(struct co_session *session, const char *url, int *status, size_t *length)
{
    char piece[4096];
    int rc;
    CO_STREAM(stream);
    rc = co_stream_open(&(struct co_request){.url = url, .session = session}, &stream);
    if (rc < 0)
        return rc;
    for (*length = 0; (rc = co_stream_read(&stream, piece, sizeof piece)) > 0;)
        *length += (size_t)rc;
    *status = stream.status;
    return rc;
}

int fetch_url(struct co_session *session, const char *url, struct fetch_result *out)
{
    struct co_timeout limit;
    int status = 0;
    size_t length = 0;
    co_timeout_begin(&limit, CO_HTTP_TIMEOUT);
    int rc = co_timeout_end(&limit, count(session, url, &status, &length));
    if (rc < 0)
        status = 0, length = 0;
    out->url = url;
    out->error = rc;
    out->status = status;
    out->length = length;
    return rc == -ECANCELED ? -ECANCELED : 0;
}

struct fetch_job {
    struct co_session *session;
    const char *const *url;
    struct fetch_result *out;
    void (*then)(struct fetch_job *job);
    struct batch *batch;
};

struct batch {
    size_t done, n;
    fetch_progress *progress;
    void *arg;
};

static void nothing(struct fetch_job *job)
{
    (void)job;
}

static void progress(struct fetch_job *job)
{
    struct batch *b = job->batch;
    b->progress(job->out, ++b->done, b->n, b->arg);
}

static int fetch_one(void *arg)
{
    struct fetch_job *job = arg;
    int rc = fetch_url(job->session, *job->url, job->out);
    if (rc == 0)
        job->then(job);
    return rc;
}

static int fetch_jobs(struct fetch_job *job, size_t n)
{
    CO_GROUP(group);
    while (n-- > 0)
        co_spawn(&group, fetch_one, job++);
    return co_join(&group);
}

int fetch_all(const char *const urls[], size_t n, uint32_t per_host, struct fetch_result out[],
              fetch_progress *on_progress, void *arg)
{
    struct batch batch = {0, n, on_progress, arg};
    CO_SESSION(session, per_host);
    struct fetch_job *jobs = calloc(n + 1, sizeof *jobs);
    if (!jobs)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        jobs[i] = (struct fetch_job){&session, &urls[i], &out[i], on_progress ? progress : nothing, &batch};
    int rc = fetch_jobs(jobs, n);
    free(jobs);
    return rc;
}
