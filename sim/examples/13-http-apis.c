/* 13 - Talking to a web API: a session keeps its connection open and the cookies that it was given; a request may have
 * a method, headers and a body. Notice that only the first request pays 80 ms for the connection, and that without the
 * cookie the answer is a 401: an answer, no error. asyncio: aiohttp.ClientSession. */
#include "co.h"

#include <stdio.h>
#include <string.h>

#define LIBRARY "http://library.test"

static int ask(struct co_session *session, const char *method, const char *url, const char *body)
{
    struct co_request request = {.method = method, .url = url, .session = session, .headers = "Accept: text/plain\n",
                                 .body = body, .length = body ? strlen(body) : 0, .timeout = CO_SEC(5)};
    CO_RESPONSE(resp);                          /* frees itself at the end of the block */
    int64_t start = co_now();
    int rc = co_http_request(&request, &resp);
    if (rc < 0)
        return rc;
    printf("%4s %-27s %d after %3lld ms  %s\n", method, url, resp.status, (long long)((co_now() - start) / CO_MS(1)),
           resp.length > 0 ? resp.body : "(no body)");
    return 0;
}

static int visit(void *job)
{
    CO_SESSION(session, 2);                     /* at most two connections to one site */
    session.headers = "User-Agent: reader/1.0\n";
    int rc = ask(&session, "POST", LIBRARY "/login", "name=Iris");
    if (rc == 0)
        rc = ask(&session, "GET", LIBRARY "/loans", NULL);
    if (rc == 0)
        rc = ask(&session, "POST", LIBRARY "/orders", "The Wild Swans");
    if (rc == 0)
        rc = ask(NULL, "GET", LIBRARY "/loans", NULL);      /* without the session: nobody knows us */
    return rc;
}

int main(void)
{
    struct co_options options = {.world_file = "sim/examples/13-http-apis.json"};
    return co_run(visit, NULL, &options) < 0;
}
