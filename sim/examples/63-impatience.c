/* 63 - A server with one worker, 500 ms a request, that does not notice when a client gives up. Notice that who gives
 * up after 300 ms and asks again never gets an answer, and what the neighbour then waits for: work that nobody wants.
 * Be patient, or pause longer each time (29, 38). asyncio: wait_for() round each try. */
#include "co.h"

#include <stdio.h>

static int try_often(int64_t patience)
{
    for (int tries = 1; tries <= 4; tries++) {
        CO_RESPONSE(resp);
        int rc = co_http_request(&(struct co_request){.url = "http://oracle.test/", .timeout = patience}, &resp);
        if (rc != -ETIMEDOUT) {
            printf("%4lld ms  answered at try %d\n", (long long)(co_now() / CO_MS(1)), tries);
            return rc;
        }
    }
    printf("%4lld ms  no answer in 4 tries\n", (long long)(co_now() / CO_MS(1)));
    return 0;
}

static int ask(void *job)
{
    CO_RESPONSE(resp);
    int rc = try_often(*(const int64_t *)job);
    if (rc == 0)
        rc = co_http_get("http://oracle.test/", &resp);
    printf("%4lld ms  the neighbour has an answer\n", (long long)(co_now() / CO_MS(1)));
    return rc;
}

int main(void)
{
    struct co_options options = {.world_file = "sim/examples/63-impatience.json"};
    int64_t patience[] = {CO_MS(300), CO_MS(1000)};
    for (size_t i = 0; i < 2; i++) {
        printf("patience: %lld ms\n", (long long)(patience[i] / CO_MS(1)));
        if (co_run(ask, &patience[i], &options) < 0)
            return 1;
    }
    return 0;
}
