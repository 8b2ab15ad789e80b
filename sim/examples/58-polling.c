/* 58 - A job that takes the server longer than a request should: it answers 202 and where to look, and says in
 * Retry-After when to look again. Notice the three looks: asking sooner would only cost the server work. A 503 on the
 * way is asked again, too; a job has one end, 200. asyncio: the same loop with asyncio.sleep(). */
#include "co.h"

#include <stdio.h>
#include <stdlib.h>

static void tell(const char *what, const struct co_response *resp)
{
    printf("%4lld ms  %s: %d %s\n", (long long)(co_now() / CO_MS(1)), what, resp->status,
           resp->length ? resp->body : "-");
}

/* How long to wait until the next look. */
static int64_t pause_of(const struct co_response *resp)
{
    char seconds[16];
    const char *value = co_response_header(resp, "Retry-After", seconds, sizeof seconds);
    return value ? CO_SEC(atoi(value)) : CO_SEC(1);
}

static int print_poster(void *job)
{
    (void)job;
    CO_RESPONSE(order);
    int rc = co_http_request(&(struct co_request){.url = "http://print.test/posters", .method = "POST"}, &order);
    if (rc < 0)
        return rc;
    tell("ordered", &order);
    int64_t pause = pause_of(&order);
    for (;;) {
        CO_RESPONSE(resp);
        rc = co_sleep(pause);
        if (rc == 0)
            rc = co_http_get("http://print.test/posters/7", &resp);
        if (rc < 0)
            return rc;
        tell("looked", &resp);
        if (resp.status != 202 && resp.status != 503)
            return 0;
        pause = pause_of(&resp);
    }
}

int main(void)
{
    struct co_options options = {.world_file = "sim/examples/58-polling.json"};
    return co_run(print_poster, NULL, &options) < 0;
}
