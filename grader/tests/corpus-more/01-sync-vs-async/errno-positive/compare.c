#include "compare.h"
#include <stdlib.h>

/* errno values are positive (see `man errno`), the functions return them negated */
static void convert(struct fetch_result *r, int rc, struct co_response *resp)
{
    r->error = -rc;
    r->status = resp->status;
    r->length = resp->length;
    co_response_free(resp);
}

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    for (size_t i = 0; i < n; i++) {
        struct co_response resp;
        int rc = http_get_blocking(urls[i], &resp);
        convert(&out[i], rc, &resp);
    }
    return 0;
}

struct fetch_job { const char *url; struct fetch_result *r; };

static int fetch_one(void *arg)
{
    struct fetch_job *job = arg;
    struct co_response resp;
    int rc = co_http_get(job->url, &resp);
    convert(job->r, rc, &resp);
    return rc == -ECANCELED ? rc : 0;
}

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    struct fetch_job *jobs = malloc((n + 1) * sizeof *jobs);
    if (!jobs)
        return -ENOMEM;
    CO_GROUP(group);
    for (size_t i = 0; i < n; i++) {
        jobs[i].url = urls[i];
        jobs[i].r = &out[i];
        co_spawn(&group, fetch_one, &jobs[i]);
    }
    int rc = co_join(&group);
    free(jobs);
    return rc;
}

int compare(const char *const urls[], size_t n, struct comparison *report)
{
    struct fetch_result *out = malloc((n + 1) * sizeof *out);
    if (!out)
        return -ENOMEM;
    int64_t t0 = co_now();
    int rc = fetch_sync(urls, n, out);
    int64_t t1 = co_now();
    if (rc == 0)
        rc = fetch_async(urls, n, out);
    int64_t t2 = co_now();
    free(out);
    report->n = n;
    report->sync_ns = t1 - t0;
    report->async_ns = t2 - t1;
    report->speedup = t1 == t2 ? 1.0 : (double)(t1 - t0) / (double)(t2 - t1);
    return rc;
}

enum bound explain(const struct comparison *report)
{
    if (report->n < 2)
        return BOUND_UNKNOWN;
    if (report->speedup < 1.5)
        return BOUND_CPU;
    return BOUND_IO;
}
