/* Correct, by co_next_done: the tasks only fetch; the function that started them tells of each as it ends (as_completed). */
#include "fetcher.h"

#include <stdlib.h>

typedef struct {
    struct co_session *session;
    const char *url;
    struct fetch_result *slot;
} item;

int fetch_url(struct co_session *session, const char *url, struct fetch_result *out)
{
    CO_RESPONSE(answer);
    struct co_request request = {.url = url, .session = session};
    int rc = co_http_request(&request, &answer);
    switch (rc) {
    case -ECANCELED:
        return rc;
    case 0:
        *out = (struct fetch_result){url, 0, answer.status, answer.length};
        return 0;
    default:
        *out = (struct fetch_result){url, rc, 0, 0};
        return 0;
    }
}

static int run_item(void *p)
{
    item *it = p;
    return fetch_url(it->session, it->url, it->slot);
}

/* A function of its own, so that the group and the session have ended when the items are freed. */
static int run_all(item *items, size_t n, uint32_t per_host, fetch_progress *on_progress, void *arg)
{
    CO_SESSION(session, per_host);
    CO_GROUP(group);
    for (item *it = items; it != items + n; it++) {
        it->session = &session;
        co_spawn(&group, run_item, it);
    }
    co_task *task;
    int rc;
    for (size_t done = 0; (rc = co_next_done(&group, &task)) > 0;) {
        const item *it = co_job(task);
        if (co_result(task) < 0)
            return co_result(task);
        done++;
        if (on_progress)
            on_progress(it->slot, done, n, arg);
    }
    return rc;
}

int fetch_all(const char *const urls[], size_t n, uint32_t per_host, struct fetch_result out[],
              fetch_progress *on_progress, void *arg)
{
    item *items = malloc(sizeof *items * (n + 1));
    if (!items)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        items[i].url = urls[i];
        items[i].slot = out + i;
    }
    int rc = run_all(items, n, per_host, on_progress, arg);
    free(items);
    return rc;
}
