/* compare.c, lab 01. Times with clock(), as in the sorting lab last term. */
#include "compare.h"
#include <stdlib.h>
#include <time.h>

static void note(struct fetch_result *r, int rc, struct co_response *resp)
{
    r->error = rc;
    r->status = resp->status;
    r->length = resp->length;
    co_response_free(resp);
}

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    for (size_t i = 0; i < n; i++) {
        struct co_response resp;
        int rc = http_get_blocking(urls[i], &resp);
        note(&out[i], rc, &resp);
    }
    return 0;
}

struct fetch_job {
    const char *url;
    struct fetch_result *r;
};

static int fetch_one(void *arg)
{
    struct fetch_job *job = arg;
    struct co_response resp;
    int rc = co_http_get(job->url, &resp);
    note(job->r, rc, &resp);
    return rc == -ECANCELED ? rc : 0;
}

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    struct fetch_job jobs[n + 1];
    CO_GROUP(group);
    for (size_t i = 0; i < n; i++) {
        jobs[i].url = urls[i];
        jobs[i].r = &out[i];
        co_spawn(&group, fetch_one, &jobs[i]);
    }
    return co_join(&group);
}

/* the processor's clock in ns */
static int64_t clock_ns(void)
{
    return (int64_t)clock() * (1000000000 / CLOCKS_PER_SEC);
}

int compare(const char *const urls[], size_t n, struct comparison *report)
{
    struct fetch_result *out = malloc((n + 1) * sizeof *out);
    if (!out)
        return -ENOMEM;

    int64_t t0 = clock_ns();
    int rc = fetch_sync(urls, n, out);
    int64_t t1 = clock_ns();
    if (rc == 0)
        rc = fetch_async(urls, n, out);
    int64_t t2 = clock_ns();
    free(out);

    report->n = n;
    report->sync_ns = t1 - t0;
    report->async_ns = t2 - t1;
    report->speedup = n > 0 && t2 > t1 ? (double)(t1 - t0) / (double)(t2 - t1) : 1.0;
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
