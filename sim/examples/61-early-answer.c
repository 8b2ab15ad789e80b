/* 61 - A server that takes no body above 100 kB refuses a larger one as soon as it knows how long it will be, and
 * closes the connection. Notice that the "no" is there long before the photo could be, and that the next request pays
 * for a new connection. asyncio: aiohttp's resp.status == 413, and client_max_size on the server's side. */
#include "co.h"

#include <stdio.h>
#include <string.h>

static char photo[300000];

static int upload(struct co_session *session, size_t length)
{
    CO_RESPONSE(resp);
    int64_t start = co_now();
    int rc = co_http_request(&(struct co_request){.url = "http://album.test/photos", .method = "POST",
                                                  .session = session, .body = photo, .length = length}, &resp);
    if (rc < 0)
        return rc;
    printf("%6zu bytes: %d after %4lld ms\n", length, resp.status, (long long)((co_now() - start) / CO_MS(1)));
    return resp.status;
}

static int fill_album(void *job)
{
    (void)job;
    CO_SESSION(session, 1);
    int rc = upload(&session, 50000);
    if (rc == 201)
        rc = upload(&session, sizeof photo);
    for (size_t length = sizeof photo / 2; rc == 413; length /= 2)     /* smaller, until it fits */
        rc = upload(&session, length);
    return rc < 0 ? rc : 0;
}

int main(void)
{
    struct co_options options = {.world_file = "sim/examples/61-early-answer.json"};
    memset(photo, 'x', sizeof photo);
    return co_run(fill_album, NULL, &options) < 0;
}
