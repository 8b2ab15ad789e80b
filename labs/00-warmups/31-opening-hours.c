/* 31 - A request ends in one of three ways: no answer at all (rc < 0), an answer that is no page (a status of 400
 * or more), or a page. Whoever looks only at rc takes a 404 for a page. And each answer holds memory that somebody
 * frees. */
#include "warmup.h"

static int look_up(const char *url)
{
    /* TODO: declare resp so that it frees itself at the end of the block */
    struct co_response resp = {0};
    int rc = co_http_get(url, &resp);
    if (rc < 0)
        printf("%d ms: no answer: %s\n", now_ms(), co_strerror(rc));
    /* TODO: the answer is no page */
    else if (resp.status == 0)
        printf("%d ms: no page: status %d\n", now_ms(), resp.status);
    else
        printf("%d ms: %s\n", now_ms(), resp.body);
    return rc == -ECANCELED ? rc : 0;
}

int warmup(void)
{
    int rc = look_up("http://museum.test/hours");
    rc = rc < 0 ? rc : look_up("http://museum.test/prices");
    return rc < 0 ? rc : look_up("http://closed.test/hours");
}
