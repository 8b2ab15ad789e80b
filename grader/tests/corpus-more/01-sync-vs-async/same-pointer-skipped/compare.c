#include "compare.h"

#include <stdlib.h>

struct call {
    const char *const *urls;
    struct fetch_result *out;
};

static struct co_local the_call = CO_LOCAL_INIT(NULL);

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    const char *const *end = urls + n;
    for (struct fetch_result *at = out; urls < end; urls++, at++) {
        if (at > out && urls[0] == urls[-1]) {
            *at = at[-1];
            continue;
        }
        CO_RESPONSE(resp);
        at->error = http_get_blocking(*urls, &resp);
        at->status = at->error ? 0 : resp.status;
        at->length = at->error ? 0 : resp.length;
    }
    return 0;
}

static int element(void *arg)
{
    struct fetch_result *mine = arg;
    const struct call *call = co_local_get(&the_call);
    const char *url = call->urls[mine - call->out];
    CO_RESPONSE(resp);
    int rc = co_http_get(url, &resp);
    mine->error = rc;
    mine->status = rc ? 0 : resp.status;
    mine->length = rc ? 0 : resp.length;
    return rc == -ECANCELED ? rc : 0;
}

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    struct call call = {urls, out};
    void *before = co_local_get(&the_call);
    int rc = co_local_set(&the_call, &call);
    if (rc == 0)
        rc = co_gather(element, out, n, sizeof out[0], NULL);
    int restored = co_local_set(&the_call, before);
    return rc ? rc : restored;
}

int compare(const char *const urls[], size_t n, struct comparison *report)
{
    CO_DEFER(co_response_free) struct co_response unused = {0};
    struct fetch_result *results = malloc(n ? n * sizeof *results : 1);
    if (!results)
        return -ENOMEM;
    struct comparison c = {.n = n};
    int64_t start = co_now();
    int rc = fetch_sync(urls, n, results);
    c.sync_ns = co_now() - start;
    if (rc < 0)
        goto leave;
    start = co_now();
    rc = fetch_async(urls, n, results);
    c.async_ns = co_now() - start;
    if (rc < 0)
        goto leave;
    c.speedup = c.async_ns ? (double)c.sync_ns / (double)c.async_ns : 1;
    *report = c;
leave:
    free(results);
    return rc;
}

enum bound explain(const struct comparison *report)
{
    if (report->n < 2)
        return BOUND_UNKNOWN;
    return report->speedup < 1.5 ? BOUND_CPU : BOUND_IO;
}
