#include "compare.h"

#include <stdlib.h>

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    size_t i = 0;
again:
    if (i == n)
        return 0;
    struct co_response answer = {0};
    out[i].error = http_get_blocking(urls[i], &answer);
    out[i].status = answer.status;
    out[i].length = answer.length;
    co_response_free(&answer);
    i++;
    goto again;
}

struct call {
    const char *const *urls;
    struct fetch_result *out;
    struct co_sem *polite;
};

typedef struct {
    const struct call *call;
    unsigned i;
} job_t;

static int fetch_it(void *arg)
{
    const job_t *job = arg;
    struct fetch_result *out = &job->call->out[job->i];
    CO_RESPONSE(answer);
    out->error = -ECANCELED;
    CO_WITH_SEM(job->call->polite)
        out->error = co_http_get(job->call->urls[job->i], &answer);
    out->status = answer.status;
    out->length = answer.length;
    return out->error == -ECANCELED ? out->error : 0;
}

static int fetch_them(job_t *jobs, co_task **tasks, size_t n)
{
    CO_GROUP(group);
    for (size_t i = 0; i < n; i++)
        if (!(tasks[i] = co_spawn(&group, fetch_it, &jobs[i])))
            return co_join(&group);
    int rc = n > 0 ? co_wait(tasks, n, CO_ALL_COMPLETED, CO_FOREVER) : 0;
    int rc2 = co_join(&group);
    return rc < 0 ? rc : rc2;
}

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    struct co_sem polite = CO_SEM_INIT(100);
    struct call call = {urls, out, &polite};
    job_t *jobs = malloc((n + 1) * sizeof(job_t));
    co_task **tasks = malloc((n + 1) * sizeof(co_task *));
    int rc = -ENOMEM;
    if (jobs && tasks) {
        for (size_t i = 0; i < n; i++)
            jobs[i] = (job_t){&call, (unsigned)i};
        rc = fetch_them(jobs, tasks, n);
    }
    free(tasks);
    free(jobs);
    return rc;
}

static int64_t stopwatch(int (*f)(const char *const[], size_t, struct fetch_result[]), const char *const urls[],
                        size_t n, struct fetch_result out[])
{
    int64_t t = co_now();
    int rc = f(urls, n, out);
    return rc < 0 ? rc : co_now() - t;
}

int compare(const char *const urls[], size_t n, struct comparison *report)
{
    struct fetch_result *out = malloc(n * sizeof *out + 1);
    if (!out)
        return -ENOMEM;
    int64_t s = stopwatch(fetch_sync, urls, n, out);
    int64_t a = s < 0 ? s : stopwatch(fetch_async, urls, n, out);
    free(out);
    if (a < 0)
        return (int)a;
    report->n = n;
    report->sync_ns = s;
    report->async_ns = a;
    report->speedup = s == a ? 1.0 : (double)s / (double)a;
    return 0;
}

enum bound explain(const struct comparison *report)
{
    switch (report->n) {
    case 0:
    case 1:
        return BOUND_UNKNOWN;
    default:
        if (report->speedup < 1.5)
            return BOUND_CPU;
        return BOUND_IO;
    }
}
