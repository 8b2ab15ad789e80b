/* Lab 01. Still prints what it does, for debugging. */
#include "compare.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct job {
    size_t number;
    const char *url;
    struct fetch_result *place;
} job_t;

static void print_result(const char *half, size_t number, const struct fetch_result *r)
{
    printf("%s %zu: %s, status %d, %zu bytes\n", half, number, co_strerror(r->error), r->status, r->length);
    fflush(stdout);
}

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    memset(out, 0, n * sizeof *out);
    for (size_t i = 0; i < n; i++) {
        struct co_response resp;
        out[i].error = http_get_blocking(urls[i], &resp);
        if (out[i].error == 0) {
            out[i].status = resp.status;
            out[i].length = resp.length;
            co_response_free(&resp);
        }
        print_result("sync", i, &out[i]);
    }
    return 0;
}

/* the task owns its job, and frees it */
static int fetch_task(void *arg)
{
    job_t job = *(job_t *)arg;
    free(arg);

    struct co_response resp;
    int rc = co_http_get(job.url, &resp);
    job.place->error = rc;
    if (rc == 0) {
        job.place->status = resp.status;
        job.place->length = resp.length;
        co_response_free(&resp);
    }
    print_result("async", job.number, job.place);
    return 0;
}

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    int rc = 0;

    memset(out, 0, n * sizeof *out);
    fprintf(stderr, "async: %zu tasks at %" PRId64 "\n", n, co_now());
    CO_GROUP(tasks);
    for (size_t i = 0; i < n && rc == 0; i++) {
        job_t *job = malloc(sizeof *job);
        if (job != NULL) {
            *job = (job_t){ i, urls[i], &out[i] };
            co_spawn(&tasks, fetch_task, job);
        } else
            rc = -ENOMEM;
    }
    int joined = co_join(&tasks);
    return rc ? rc : joined;
}

int compare(const char *const urls[], size_t n, struct comparison *report)
{
    memset(report, 0, sizeof *report);
    report->n = n;
    report->speedup = 1.0;

    struct fetch_result *results = calloc(n + 1, sizeof *results);
    if (results == NULL)
        return -ENOMEM;

    int64_t start = co_now();
    int rc = fetch_sync(urls, n, results);
    report->sync_ns = co_now() - start;
    if (rc < 0)
        goto out;

    start = co_now();
    rc = fetch_async(urls, n, results);
    report->async_ns = co_now() - start;
    if (rc < 0)
        goto out;

    if (report->async_ns > 0)
        report->speedup = 1.0 * report->sync_ns / report->async_ns;
    printf("speed-up %.3f\n", report->speedup);
out:
    free(results);
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
