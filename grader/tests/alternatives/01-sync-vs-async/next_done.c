/* Correct, by co_next_done: the results are taken out of the jobs as they end, and put where they belong. */
#include "compare.h"

#include <stdlib.h>

struct job {
    const char *url;
    size_t index;
    struct co_response resp;
    int rc;
};

static int fetch(void *arg)
{
    struct job *job = arg;
    job->rc = co_http_get(job->url, &job->resp);
    return job->rc;     /* co_next_done cancels nobody */
}

static void store(struct fetch_result *out, int rc, const struct co_response *resp)
{
    if (rc != 0) {
        out->error = rc;
        out->status = 0;
        out->length = 0;
    } else {
        out->error = 0;
        out->status = resp->status;
        out->length = resp->length;
    }
}

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    for (size_t i = 0; i != n; ++i) {
        struct co_response resp;
        const int rc = http_get_blocking(urls[i], &resp);
        store(out + i, rc, &resp);
        co_response_free(&resp);
    }
    return 0;
}

/* A function of its own, so that the group has ended when the jobs are freed, whatever happens. */
static int run_all(struct job *jobs, size_t n, struct fetch_result out[])
{
    CO_GROUP(group);
    for (size_t i = 0; i < n; i++)
        co_spawn(&group, fetch, &jobs[i]);
    for (;;) {
        co_task *task;
        int rc = co_next_done(&group, &task);
        if (rc <= 0)
            return rc;
        struct job *job = co_job(task);
        store(&out[job->index], job->rc, &job->resp);
    }
}

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    struct job *jobs = calloc(n + 1, sizeof *jobs);
    if (jobs == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        jobs[i].url = urls[i];
        jobs[i].index = i;
    }
    int rc = run_all(jobs, n, out);
    for (size_t i = 0; i < n; i++)
        co_response_free(&jobs[i].resp);
    free(jobs);
    return rc;
}

int compare(const char *const urls[], size_t n, struct comparison *report)
{
    struct fetch_result *a = malloc(2 * (n + 1) * sizeof *a), *b = a + n;
    if (a == NULL)
        return -ENOMEM;
    int64_t t0 = co_now();
    int rc = fetch_sync(urls, n, a);
    int64_t t1 = co_now();
    if (rc == 0)
        rc = fetch_async(urls, n, b);
    int64_t t2 = co_now();
    free(a);
    *report = (struct comparison){n, t1 - t0, t2 - t1, t2 == t1 ? 1.0 : (double)(t1 - t0) / (t2 - t1)};
    return rc;
}

enum bound explain(const struct comparison *report)
{
    if (report->n >= 2 && report->speedup >= 1.5)
        return BOUND_IO;
    if (report->n >= 2)
        return BOUND_CPU;
    return BOUND_UNKNOWN;
}
