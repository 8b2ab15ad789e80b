/* 60 - The POST that was executed twice: the server takes the order over a kept connection and dies before it answers.
 * Nobody can tell that from a connection closed in time, so the client sends it again. Notice the order number: 2. With
 * a key that the server knows, or sent `once`, there is one order. asyncio: aiohttp sends GET again, no POST. */
#include "co.h"

#include <stdio.h>

/* One bicycle, ordered over the connection that a look at the shop has left open. */
static int order(const char *how, struct co_request request)
{
    CO_SESSION(session, 1);
    CO_RESPONSE(shop);
    CO_RESPONSE(resp);
    int rc = co_session_get(&session, "http://bikes.test/", &shop);
    if (rc < 0)
        return rc;
    request.method = "POST";
    request.session = &session;
    request.body = "a bicycle";
    request.length = 9;
    rc = co_http_request(&request, &resp);
    printf("%4lld ms  %-9s %s\n", (long long)(co_now() / CO_MS(1)), how, rc < 0 ? co_strerror(rc) : resp.body);
    return rc == -ECONNRESET ? 0 : rc;          /* ordered or not? Now we know that we must ask */
}

static int go_shopping(void *job)
{
    (void)job;
    int rc = order("plain:", (struct co_request){.url = "http://bikes.test/orders"});
    if (rc == 0)
        rc = order("with key:", (struct co_request){.url = "http://bikes.test/orders/keyed",
                                                    .headers = "Idempotency-Key: 7f3a\n"});
    if (rc == 0)
        rc = order("once:", (struct co_request){.url = "http://bikes.test/orders/once", .once = true});
    return rc;
}

int main(void)
{
    struct co_options options = {.world_file = "sim/examples/60-sent-twice.json"};
    return co_run(go_shopping, NULL, &options) < 0;
}
