/* 29 - Ask again, but wait twice as long each time, and not for ever: a server in trouble needs rest, not more
 * requests. Notice the growing pauses, and that a 404 is not tried again: asking does not change it. asyncio: the same
 * loop around `await session.get()`, with asyncio.sleep(). */
#include "co.h"

#include <stdio.h>

enum { ATTEMPTS = 5 };

static bool worth_another_try(int rc, const struct co_response *resp)
{
    if (rc < 0)
        return rc == -ECONNREFUSED || rc == -ECONNRESET || rc == -ETIMEDOUT;
    return resp->status >= 500;
}

/* As co_http_get, up to five times. */
static int get_patiently(const char *url, struct co_response *resp)
{
    int64_t pause = CO_MS(100);
    for (int attempt = 1;; attempt++, pause *= 2) {
        int rc = co_http_get(url, resp);
        printf("%4lld ms  attempt %d: %s, status %d\n", (long long)(co_now() / CO_MS(1)), attempt, co_strerror(rc),
               resp->status);
        if (attempt == ATTEMPTS || !worth_another_try(rc, resp))
            return rc;
        co_response_free(resp);                 /* the answer that we do not want */
        rc = co_sleep(pause);
        if (rc < 0)
            return rc;
    }
}

static int read_menu(void *job)
{
    static const char *const urls[] = {"http://canteen.test/menu", "http://canteen.test/wine"};
    for (int i = 0; i < 2; i++) {
        CO_RESPONSE(resp);
        int rc = get_patiently(urls[i], &resp);
        if (rc < 0)
            return rc;
        printf("%s: %s\n", urls[i], resp.status == 200 ? resp.body : "there is none");
    }
    return 0;
}

int main(void)
{
    struct co_options options = {.world_file = "sim/examples/29-retry-with-back-off.json"};
    return co_run(read_menu, NULL, &options) < 0;
}
