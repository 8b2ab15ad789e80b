/* 38 - After three failures in a row there is no point in asking: for 10 s calls fail at once, without a request,
 * and the server has its rest. Then one is tried again. See 2 s of refusals, 10 s of quiet, and the light go on. */
#include "warmup.h"

struct fuse {
    int failures;
    int64_t open_until;
};

static int call(struct fuse *fuse)
{
    if (co_now() < fuse->open_until)
        return -EAGAIN;
    CO_RESPONSE(resp);
    int rc = co_http_get("http://lamp.test/on", &resp);
    fuse->failures = rc < 0 ? fuse->failures + 1 : 0;
    if (fuse->failures == 3) {
        fuse->open_until = co_now() + CO_SEC(10);
        fuse->failures = 0;
    }
    return rc;
}

int warmup(void)
{
    struct fuse fuse = {0};
    for (int i = 1, rc = 0; i <= 9; i++) {
        int called = call(&fuse);
        printf("%d ms: %s\n", now_ms(), called == -EAGAIN ? "not asked" : called < 0 ? "refused" : "light");
        if ((rc = co_sleep(CO_SEC(given("n", 2)))) < 0)
            return rc;
    }
    return 0;
}
