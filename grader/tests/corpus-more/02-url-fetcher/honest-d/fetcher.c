#include "fetcher.h"

#include <stdlib.h>
#include <string.h>

/* Progress by callback: co_on_done calls told_one() when a task has ended. */

int fetch_url(struct co_session *session, const char *url, struct fetch_result *out)
{
    struct co_request request = { .url = url, .session = session };
    struct co_response resp;
    memset(out, 0, sizeof *out);
    out->url = url;
    out->error = co_http_request(&request, &resp);
    if (out->error == -ECANCELED)
        return -ECANCELED;
    if (out->error == 0)
    {
        out->status = resp.status;
        out->length = resp.length;
    }
    co_response_free(&resp);
    return 0;
}

typedef struct Call {
    size_t n;
    size_t counter;
    fetch_progress *progress;
    void *arg;
} Call;

typedef struct Job {
    Call *call;
    struct co_session *session;
    const char *url;
    struct fetch_result *out;
} Job;

static int do_job(void *arg)
{
    Job *job = (Job *)arg;
    return fetch_url(job->session, job->url, job->out);
}

static void told_one(co_task *task, void *arg)
{
    Job *job = (Job *)arg;
    Call *call = job->call;
    if (co_result(task) < 0)
        return;                 /* cancelled: nobody is told */
    call->counter += 1;
    if (call->progress != NULL)
        call->progress(job->out, call->counter, call->n, call->arg);
}

int fetch_all(const char *const urls[], size_t n, uint32_t per_host, struct fetch_result out[],
              fetch_progress *on_progress, void *arg)
{
    Call call = { n, 0, on_progress, arg };
    Job *jobs = (Job *)malloc(sizeof(Job) * (n ? n : 1));
    if (!jobs)
        return -ENOMEM;
    int rc = 0;
    {
        CO_SESSION(session, per_host);
        CO_GROUP(group);
        size_t i;
        for (i = 0; i < n && rc == 0; i++)
        {
            jobs[i].call = &call;
            jobs[i].session = &session;
            jobs[i].url = urls[i];
            jobs[i].out = &out[i];
            co_task *task = co_spawn(&group, do_job, &jobs[i]);
            rc = task ? co_on_done(task, told_one, &jobs[i]) : -ENOMEM;
        }
        if (rc < 0)
            co_group_cancel(&group);
        int joined = co_join(&group);
        if (rc == 0)
            rc = joined;
    }
    free(jobs);
    return rc;
}
