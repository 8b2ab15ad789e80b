/* 59 - A server that lets in five requests a second, as nginx does: each early one is turned away and changes nothing.
 * Notice that who asks six times a second gets fewer answers than who asks four times, since every second request is
 * early; keeping to the limit beats trying one's luck. asyncio: aiolimiter's AsyncLimiter on the client's side. */
#include "co.h"

#include <stdio.h>

struct asker {
    int a_second;
    int asked, answered;
};

static int ask(void *job)
{
    struct asker *asker = job;
    CO_RESPONSE(resp);
    int rc = co_http_get("http://stars.test/", &resp);
    asker->answered += resp.status == 200;
    return rc;
}

static int ask_for_two_seconds(void *job)
{
    struct asker *asker = job;
    CO_GROUP(requests);
    while (asker->asked < 2 * asker->a_second) {
        co_spawn(&requests, ask, asker);
        asker->asked++;
        int rc = co_sleep(CO_SEC(1) / asker->a_second);
        if (rc < 0)
            return rc;
    }
    return co_join(&requests);
}

int main(void)
{
    struct co_options options = {.world_file = "sim/examples/59-leaky-bucket.json"};
    static const int paces[] = {4, 6, 9};
    for (size_t i = 0; i < sizeof paces / sizeof paces[0]; i++) {
        struct asker asker = {.a_second = paces[i]};
        if (co_run(ask_for_two_seconds, &asker, &options) < 0)
            return 1;
        printf("%d a second: asked %2d times, answered %d times\n", asker.a_second, asker.asked, asker.answered);
    }
    return 0;
}
