#include <stdlib.h>
#include "compare.h"

struct task_arg {
    const char *url;
    struct fetch_result *res;
};

static int worker(void *p)
{
    struct task_arg *arg = p;
    struct co_response resp;
    int err = co_http_get(arg->url, &resp);
    *arg->res = (struct fetch_result){ .error = err, .status = resp.status, .length = resp.length };
    co_response_free(&resp);
    return err == -ECANCELED ? err : 0;
}

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    for (size_t i = 0; i < n; ++i) {
        struct co_response resp;
        int err = http_get_blocking(urls[i], &resp);
        out[i] = (struct fetch_result){ .error = err, .status = resp.status, .length = resp.length };
        co_response_free(&resp);
    }
    return 0;
}

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    struct task_arg *args = malloc((n + 1) * sizeof *args);
    if (args == NULL)
        return -ENOMEM;

    CO_GROUP(group);
    for (size_t i = 0; i < n; ++i) {
        args[i] = (struct task_arg){ urls[i], &out[i] };
        co_spawn(&group, worker, &args[i]);
    }
    int rc = co_join(&group);
    free(args);
    return rc;
}

int compare(const char *const urls[], size_t n, struct comparison *report)
{
    struct fetch_result *res = malloc((n + 1) * sizeof *res);
    if (res == NULL)
        return -ENOMEM;

    int64_t t = co_now();
    int rc = fetch_sync(urls, n, res);
    int64_t sync_ns = co_now() - t;
    t = co_now();
    if (rc == 0)
        rc = fetch_async(urls, n, res);
    int64_t async_ns = co_now() - t;
    free(res);

    *report = (struct comparison){ n, sync_ns, async_ns, 1.0 };
    if (sync_ns != 0)
        report->speedup = (double)async_ns / (double)sync_ns;
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
