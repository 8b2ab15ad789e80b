/* Like asyncio.to_thread(requests.get, url): no need for another HTTP client. */
#include "compare.h"
#include <stdlib.h>

typedef struct {
    const char *url;
    struct fetch_result *result;
} Request;

static int requests_get(void *arg)
{
    Request *request = arg;
    struct co_response response;
    int rc = http_get_blocking(request->url, &response);
    request->result->error = rc;
    request->result->status = response.status;
    request->result->length = response.length;
    co_response_free(&response);
    return 0;
}

static int fetch(void *arg)
{
    return co_to_thread(requests_get, arg);
}

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    for (size_t i = 0; i < n; i++) {
        Request request = { urls[i], &out[i] };
        requests_get(&request);
    }
    return 0;
}

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    Request *requests = calloc(n + 1, sizeof *requests);
    if (!requests)
        return -ENOMEM;
    CO_GROUP(group);
    for (size_t i = 0; i < n; i++) {
        requests[i].url = urls[i];
        requests[i].result = &out[i];
        co_spawn(&group, fetch, &requests[i]);
    }
    int rc = co_join(&group);
    free(requests);
    return rc;
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
    *report = (struct comparison){ .n = n, .sync_ns = middle - start, .async_ns = end - middle, .speedup = 1.0 };
    if (report->async_ns > 0)
        report->speedup = (double)report->sync_ns / (double)report->async_ns;
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
