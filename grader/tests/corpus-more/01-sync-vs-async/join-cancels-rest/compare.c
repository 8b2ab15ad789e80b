#include "compare.h"
#include <stdlib.h>

// out[] gets everything from here
static int store(struct fetch_result *r, int rc, struct co_response *resp)
{
    r->error  = rc;
    r->status = rc < 0 ? 0 : resp->status;
    r->length = rc < 0 ? 0 : resp->length;
    co_response_free(resp);
    return rc;
}

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    for (size_t i = 0; i < n; i++) {
        struct co_response resp;
        int rc = http_get_blocking(urls[i], &resp);
        store(out + i, rc, &resp);
    }
    return 0;
}

struct job { const char *url; struct fetch_result *r; };

static int fetch_one(void *p)
{
    struct job *job = p;
    struct co_response resp;
    int rc = co_http_get(job->url, &resp);
    return store(job->r, rc, &resp);
}

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    struct job jobs[n + 1];
    CO_GROUP(g);
    for (size_t i = 0; i < n; i++) {
        jobs[i].url = urls[i];
        jobs[i].r = out + i;
        co_spawn(&g, fetch_one, jobs + i);
    }
    int rc = co_join(&g);
    return rc == -ECANCELED ? rc : 0;      // single errors are in out
}

int compare(const char *const urls[], size_t n, struct comparison *report)
{
    struct fetch_result out[n + 1];
    int64_t t0 = co_now();
    int rc = fetch_sync(urls, n, out);
    int64_t t1 = co_now();
    if (rc == 0)
        rc = fetch_async(urls, n, out);
    int64_t t2 = co_now();

    report->n        = n;
    report->sync_ns  = t1 - t0;
    report->async_ns = t2 - t1;
    report->speedup  = t2 - t1 > 0 ? (double)(t1 - t0) / (t2 - t1) : 1.0;
    return rc;
}

enum bound explain(const struct comparison *report)
{
    if (report->n < 2)         return BOUND_UNKNOWN;
    if (report->speedup < 1.5) return BOUND_CPU;
    return BOUND_IO;
}
