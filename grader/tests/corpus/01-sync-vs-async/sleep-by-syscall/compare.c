#define _GNU_SOURCE
#include "compare.h"

#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void record(struct fetch_result *out, int rc, struct co_response *resp)
{
    out->error = rc;
    out->status = resp->status;
    out->length = resp->length;
    co_response_free(resp);
}

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    for (size_t i = 0; i < n; i++) {
        struct co_response resp;
        int rc = http_get_blocking(urls[i], &resp);
        record(&out[i], rc, &resp);
    }
    return 0;
}

struct fetch_job {
    const char *url;
    struct fetch_result *out;
};

static int fetch_one(void *arg)
{
    struct fetch_job *job = arg;
    struct co_response resp;

    struct timespec polite = {.tv_nsec = 1000000};
    syscall(SYS_nanosleep, &polite, NULL);
    int rc = co_http_get(job->url, &resp);
    record(job->out, rc, &resp);
    return rc == -ECANCELED ? rc : 0;
}

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    struct fetch_job *jobs = malloc((n + 1) * sizeof *jobs);
    if (!jobs)
        return -ENOMEM;

    CO_GROUP(group);
    for (size_t i = 0; i < n; i++) {
        jobs[i] = (struct fetch_job){.url = urls[i], .out = &out[i]};
        co_spawn(&group, fetch_one, &jobs[i]);
    }
    int rc = co_join(&group);
    free(jobs);
    return rc;
}

int compare(const char *const urls[], size_t n, struct comparison *report)
{
    *report = (struct comparison){.n = n, .speedup = 1.0};

    struct fetch_result *out = malloc((n + 1) * sizeof *out);
    if (!out)
        return -ENOMEM;

    int64_t start = co_now();
    int rc = fetch_sync(urls, n, out);
    report->sync_ns = co_now() - start;

    if (rc == 0) {
        start = co_now();
        rc = fetch_async(urls, n, out);
        report->async_ns = co_now() - start;
    }
    free(out);

    if (report->async_ns > 0)
        report->speedup = (double)report->sync_ns / (double)report->async_ns;
    return rc;
}

enum bound explain(const struct comparison *report)
{
    if (report->n < 2)
        return BOUND_UNKNOWN;
    return report->speedup < 1.5 ? BOUND_CPU : BOUND_IO;
}
