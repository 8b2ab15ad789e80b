#include "fetcher.h"

#include <stdlib.h>

int fetch_url(struct co_session *session, const char *url, struct fetch_result *out)
{
    CO_RESPONSE(resp);
    int rc = co_session_get(session, url, &resp);
    if (rc == -ECANCELED)
        return rc;
    *out = (struct fetch_result){.url = url, .error = rc};
    if (rc == 0) {
        out->status = resp.status;
        out->length = resp.length;
    }
    return 0;
}

static void nobody(const struct fetch_result *result, size_t done, size_t n, void *arg)
{
    (void)result, (void)done, (void)n, (void)arg;
}

struct all {
    struct co_session *session;
    struct co_event over;
    const char *const *urls;
    struct fetch_result *out;
    size_t n, left;
    fetch_progress *progress;
    void *arg;
};

struct one {
    struct all *all;
    size_t at;
};

static int do_one(void *arg)
{
    struct one one = *(const struct one *)arg;
    struct all *all = one.all;
    int rc = fetch_url(all->session, all->urls[one.at], all->out + one.at);
    if (rc == 0) {
        all->left--;
        all->progress(all->out + one.at, all->n - all->left, all->n, all->arg);
        if (all->left == 0)
            co_event_set(&all->over);
    }
    return rc;
}

int fetch_all(const char *const urls[], size_t n, uint32_t per_host, struct fetch_result out[],
              fetch_progress *on_progress, void *arg)
{
    if (n == 0)
        return 0;
    struct one ones[n];
    struct co_session *session = calloc(1, sizeof *session);
    if (!session)
        return -ENOMEM;
    session->max_per_host = (uint8_t)per_host;
    struct all all = {session, CO_EVENT_INIT, urls, out, n, n, on_progress ? on_progress : nobody, arg};
    int rc;
    {
        CO_GROUP(group);
        for (size_t i = 0; i < n; i++) {
            ones[i].all = &all;
            ones[i].at = i;
            co_spawn(&group, do_one, &ones[i]);
        }
        rc = co_event_wait(&all.over);
        int joined = co_join(&group);
        rc = rc < 0 ? rc : joined;
    }
    co_session_close(session);
    free(session);
    return rc;
}
