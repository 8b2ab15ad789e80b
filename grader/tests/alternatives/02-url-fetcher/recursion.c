/* Correct, by recursion: the first half of the URLs, then the second half, down to single ones. Each task owns its job, on the heap,
 * and frees it. Counter and callback are one struct. */
#include "fetcher.h"

#include <stdlib.h>

int fetch_url(struct co_session *session, const char *url, struct fetch_result *out)
{
    struct co_response resp = {0};
    const int rc = co_session_get(session, url, &resp);
    const struct fetch_result result = {.url = url, .error = rc, .status = resp.status, .length = resp.length};
    co_response_free(&resp);
    *out = result;
    return rc != -ECANCELED ? 0 : rc;
}

struct teller {
    size_t done, n;
    fetch_progress *on_progress;
    void *arg;
};

static void tell(struct teller *teller, const struct fetch_result *result)
{
    teller->done++;
    if (teller->on_progress)
        teller->on_progress(result, teller->done, teller->n, teller->arg);
}

struct leaf {
    struct co_session *session;
    struct teller *teller;
    const char *url;
    struct fetch_result *out;
};

static int run_leaf(void *job)
{
    struct leaf leaf = *(struct leaf *)job;
    free(job);
    int rc = fetch_url(leaf.session, leaf.url, leaf.out);
    if (rc == 0)
        tell(leaf.teller, leaf.out);
    return rc;
}

static int start(struct co_group *group, struct leaf leaf, const char *const urls[], size_t n)
{
    if (n == 0)
        return 0;
    if (n > 1) {
        int rc = start(group, leaf, urls, n / 2);
        leaf.out += n / 2;
        return rc < 0 ? rc : start(group, leaf, urls + n / 2, n - n / 2);
    }
    struct leaf *job = malloc(sizeof *job);
    if (!job)
        return -ENOMEM;
    leaf.url = urls[0];
    *job = leaf;
    if (!co_spawn(group, run_leaf, job))
        free(job);
    return 0;
}

int fetch_all(const char *const urls[], size_t n, uint32_t per_host, struct fetch_result out[],
              fetch_progress *on_progress, void *arg)
{
    struct teller teller = {0, n, on_progress, arg};
    CO_SESSION(session, per_host);
    CO_GROUP(group);
    int rc = start(&group, (struct leaf){&session, &teller, NULL, out}, urls, n);
    if (rc < 0)
        co_group_cancel(&group);
    int joined = co_join(&group);
    return rc < 0 ? rc : joined;
}
