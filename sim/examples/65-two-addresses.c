/* 65 - A host with two addresses, the first of which says nothing: the client waits 200 ms for it, then tries the
 * second beside it ("happy eyeballs"). Notice that nothing fails and all is late: each new connection pays, a session
 * pays once. asyncio: create_connection(happy_eyeballs_delay=0.2), which aiohttp uses. */
#include "co.h"

#include <stdio.h>

enum { PAGES = 3 };

static int read_pages(struct co_session *session)
{
    int64_t start = co_now();
    for (int i = 0; i < PAGES; i++) {
        CO_RESPONSE(resp);
        int rc = session ? co_session_get(session, "http://atlas.test/", &resp)
                         : co_http_get("http://atlas.test/", &resp);
        if (rc < 0)
            return rc;
    }
    printf("%d pages, %s: %4lld ms\n", PAGES, session ? "a session          " : "a connection each  ",
           (long long)((co_now() - start) / CO_MS(1)));
    return 0;
}

static int read_atlas(void *job)
{
    (void)job;
    CO_SESSION(session, 1);
    int rc = read_pages(NULL);
    return rc < 0 ? rc : read_pages(&session);
}

int main(void)
{
    struct co_options options = {.world_file = "sim/examples/65-two-addresses.json"};
    return co_run(read_atlas, NULL, &options) < 0;
}
