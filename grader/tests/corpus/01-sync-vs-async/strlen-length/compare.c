#include "compare.h"
#include <stdlib.h>
#include <string.h>

static void take(struct fetch_result *r, int rc, struct co_response *resp)
{
    r->error = rc;
    if (rc == 0) {
        r->status = resp->status;
        r->length = strlen(resp->body);
        co_response_free(resp);
    } else {
        r->status = 0;
        r->length = 0;
    }
}

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    struct co_response resp;

    for (size_t i = 0; i < n; i++)
        take(&out[i], http_get_blocking(urls[i], &resp), &resp);
    return 0;
}

struct fetch_job { const char *url; struct fetch_result *r; };

static int fetch_one(void *arg)
{
    struct fetch_job *job = arg;
    struct co_response resp;
    int rc = co_http_get(job->url, &resp);

    take(job->r, rc, &resp);
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

int compare(const char *const urls[], size_t n, struct comparison *report)
{
    struct fetch_result out[n + 1];
    int64_t start, end;
    int rc;

    report->n = n;

    start = co_now();
    rc = fetch_sync(urls, n, out);
    end = co_now();
    report->sync_ns = end - start;
    if (rc)
        return rc;

    start = co_now();
    rc = fetch_async(urls, n, out);
    end = co_now();
    report->async_ns = end - start;
    if (rc)
        return rc;

    report->speedup = report->async_ns == 0 ? 1.0 : (double)report->sync_ns / (double)report->async_ns;
    return 0;
}

enum bound explain(const struct comparison *report)
{
    if (report->n < 2)
        return BOUND_UNKNOWN;
    if (report->speedup < 1.5)
        return BOUND_CPU;
    return BOUND_IO;
}
