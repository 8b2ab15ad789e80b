/* 51 - Anti-pattern: a blocking call inside a task. The tasks are there, the gather is there, and it is as slow as one
 * after the other. Notice 1500 ms against 300 ms, in the same program but for the one call in `get`; debug mode tells
 * who. asyncio: requests.get() inside async def, instead of aiohttp or to_thread(). */
#include "co.h"

#include <stdio.h>

typedef int get_fn(const char *url, struct co_response *resp);

struct stop {
    const char *url;
    get_fn *get;
};

static int read_timetable(void *job)
{
    const struct stop *stop = job;
    CO_RESPONSE(resp);
    return stop->get(stop->url, &resp);
}

static int read_all(get_fn *get)
{
    struct stop stops[] = {{"http://bus.test/1", get}, {"http://bus.test/2", get}, {"http://bus.test/3", get},
                           {"http://bus.test/4", get}, {"http://bus.test/5", get}};
    return co_gather(read_timetable, stops, 5, sizeof stops[0], NULL);
}

static int compare(void *job)
{
    int rc = read_all(http_get_blocking);
    int64_t blocking_ns = co_now();
    if (rc == 0)
        rc = read_all(co_http_get);
    printf("five tasks with http_get_blocking: %4lld ms\n", (long long)(blocking_ns / CO_MS(1)));
    printf("five tasks with co_http_get:       %4lld ms\n", (long long)((co_now() - blocking_ns) / CO_MS(1)));
    return rc;
}

int main(void)
{
    struct co_options options = {
        .program = "51-anti-blocking", .world_file = "sim/examples/51-anti-blocking.json", .debug = true};
    return co_run(compare, NULL, &options) < 0;
}
