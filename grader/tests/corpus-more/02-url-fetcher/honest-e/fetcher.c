/* Lab 02: awaits its tasks one by one after all of them were started; the tasks tell. Session closed by hand. */
#include "fetcher.h"
#include <stdlib.h>

static void keep(struct fetch_result *r, const char *url, int error, const struct co_response *resp)
{
    r->url = url;
    r->error = error;
    r->status = error ? 0 : resp->status;
    r->length = error ? 0 : resp->length;
}

int fetch_url(struct co_session *session, const char *url, struct fetch_result *out)
{
    struct co_response resp;
    int rc = co_session_get(session, url, &resp);
    if (rc != -ECANCELED) {
        keep(out, url, rc, &resp);
        co_response_free(&resp);
        rc = 0;
    }
    return rc;
}

struct shared { struct co_session session; size_t n, done; fetch_progress *cb; void *cb_arg; };
struct item { struct shared *shared; const char *url; struct fetch_result *res; co_task *task; };

static int item_run(void *arg)
{
    struct item *it = arg;
    struct shared *s = it->shared;
    int rc = fetch_url(&s->session, it->url, it->res);
    if (rc < 0)
        goto out;
    s->done++;
    if (s->cb)
        s->cb(it->res, s->done, s->n, s->cb_arg);
out:
    return rc;
}

static int wait_all(struct item *items, size_t n)
{
    CO_GROUP(group);
    for (size_t i = 0; i < n; i++)
        items[i].task = co_spawn(&group, item_run, &items[i]);
    for (size_t i = 0; i < n; i++) {
        int task_rc;
        int rc = co_await(items[i].task, &task_rc);
        if (rc == 0)
            rc = task_rc;
        if (rc < 0) {
            co_group_cancel(&group);
            int joined = co_join(&group);
            return joined == -ENOMEM ? joined : rc;
        }
    }
    return 0;
}

int fetch_all(const char *const urls[], size_t n, uint32_t per_host, struct fetch_result out[],
              fetch_progress *on_progress, void *arg)
{
    struct shared shared = {.session = {.max_per_host = per_host}, .n = n, .cb = on_progress, .cb_arg = arg};
    struct item *items = malloc(sizeof *items * n + 1);
    if (!items)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        items[i] = (struct item){.shared = &shared, .url = urls[i], .res = &out[i]};
    int rc = wait_all(items, n);
    co_session_close(&shared.session);
    free(items);
    return rc;
}
