/* 34 - Fetch, then compute: waiting belongs into tasks, computing into workers. Notice the three totals: one after the
 * other; with tasks, which overlap the waiting only; with tasks and two workers, which compute the first leaf while the
 * others are still on their way, and two at once. asyncio: await session.get(), then to_thread(). */
#include "co.h"

#include <stdio.h>

struct leaf {
    const char *url;
    bool in_worker;
};

static int recognise(void *job)
{
    co_cpu(CO_MS(200));
    return 0;
}

static int fetch_and_recognise(void *job)
{
    struct leaf *leaf = job;
    CO_RESPONSE(resp);
    int rc = co_http_get(leaf->url, &resp);
    if (rc < 0)
        return rc;
    return leaf->in_worker ? co_to_thread(recognise, &resp) : recognise(&resp);
}

static void tell(const char *what, int64_t start)
{
    printf("%-24s %4lld ms\n", what, (long long)((co_now() - start) / CO_MS(1)));
}

static int compare(void *job)
{
    struct leaf leaves[] = {{"http://wood.test/oak", false}, {"http://wood.test/ash", false},
                            {"http://wood.test/elm", false}, {"http://wood.test/fir", false}};
    int64_t start = co_now();
    int rc = 0;
    for (int i = 0; i < 4 && rc == 0; i++)
        rc = fetch_and_recognise(&leaves[i]);
    tell("one after the other", start);
    start = co_now();
    if (rc == 0)
        rc = co_gather(fetch_and_recognise, leaves, 4, sizeof leaves[0], NULL);
    tell("tasks", start);
    start = co_now();
    for (int i = 0; i < 4; i++)
        leaves[i].in_worker = true;
    if (rc == 0)
        rc = co_gather(fetch_and_recognise, leaves, 4, sizeof leaves[0], NULL);
    tell("tasks and two workers", start);
    return rc;
}

int main(void)
{
    struct co_options options = {.world_file = "sim/examples/34-io-and-cpu.json"};
    return co_run(compare, NULL, &options) < 0;
}
