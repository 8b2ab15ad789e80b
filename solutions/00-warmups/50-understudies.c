/* 50 - A service runs in three places. A caller tries one after the other: one that is down, or too slow, or says
 * that it is in trouble (a status of 500 or more) is passed over. What is the caller's own mistake fails
 * everywhere, so it is told at once. */
#include "warmup.h"

static int ask(const char *path)
{
    static const char *const places[] = {"http://a.test", "http://b.test", "http://c.test"};
    for (int i = 0; i < 3; i++) {
        char url[64];
        CO_RESPONSE(resp);
        snprintf(url, sizeof url, "%s%s", places[i], path);
        int rc = co_http_request(&(struct co_request){.url = url, .timeout = CO_MS(500)}, &resp);
        if (rc == -ECANCELED)
            return rc;
        bool answered = rc == 0 && resp.status < 500;
        printf("%d ms: %s: %s\n", now_ms(), url, answered ? resp.body : "cannot");
        if (answered)
            return 0;
    }
    return -EIO;
}

int warmup(void)
{
    int rc = ask("/clock");
    printf("%d ms: %s\n", now_ms(), rc < 0 ? "nobody could" : "answered");
    return 0;
}
