#include "compare.h"
#include <stdlib.h>

struct item {
    const char *url;
    struct fetch_result result;
};

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    for (size_t i = 0; i < n; i++) {
        struct co_response resp;
        int rc = http_get_blocking(urls[i], &resp);
        out[i] = (struct fetch_result){ rc, resp.status, resp.length };
        co_response_free(&resp);
    }
    return 0;
}

static int fetch_item(void *arg)
{
    struct item *item = arg;
    struct co_response resp;
    int rc = co_http_get(item->url, &resp);
    if (rc == -ECANCELED)
        return rc;
    item->result = (struct fetch_result){ rc, resp.status, resp.length };
    co_response_free(&resp);
    return 0;
}

/* start all, then await all, like in Python:
 *     tasks = [asyncio.create_task(fetch(u)) for u in urls]
 *     for t in tasks: await t
 */
int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    struct item items[n + 1];
    co_task *tasks[n + 1];
    CO_GROUP(group);

    for (size_t i = 0; i < n; i++) {
        items[i].url = urls[i];
        tasks[i] = co_spawn(&group, fetch_item, &items[i]);
    }
    for (size_t i = 0; i < n; i++) {
        int rc = co_await(tasks[i], NULL);
        if (rc < 0)
            return rc;
        out[i] = items[i].result;
    }
    return 0;
}

int compare(const char *const urls[], size_t n, struct comparison *report)
{
    struct fetch_result *results = calloc(n + 1, sizeof *results);
    if (!results)
        return -ENOMEM;

    int64_t start = co_now();
    int rc = fetch_sync(urls, n, results);
    int64_t middle = co_now();
    if (rc == 0)
        rc = fetch_async(urls, n, results);
    int64_t end = co_now();
    free(results);

    report->n = n;
    report->sync_ns = middle - start;
    report->async_ns = end - middle;
    report->speedup = end > middle ? (double)(middle - start) / (double)(end - middle) : 1.0;
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
