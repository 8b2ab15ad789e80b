#include "fetcher.h"

#include <stdlib.h>

int fetch_url(struct co_session *session, const char *url, struct fetch_result *out)
{
    struct co_response resp;
    int rc = co_session_get(session, url, &resp);
    out->url = url;
    out->error = rc;
    out->status = rc < 0 ? 0 : resp.status;
    out->length = rc < 0 ? 0 : resp.length;
    co_response_free(&resp);
    return rc == -ECANCELED ? -ECANCELED : 0;
}

struct order {
    const char *const *urls;
    size_t n;
    uint32_t per_host;
    struct fetch_result *out;
    fetch_progress *on_progress;
    void *arg;
    size_t done;
    struct co_session *session;
};

struct line {
    struct order *order;
    size_t i;
};

static int serve(void *arg)
{
    struct line *line = arg;
    struct order *order = line->order;
    struct fetch_result *result = &order->out[line->i];
    int rc = fetch_url(order->session, order->urls[line->i], result);
    if (rc == 0 && order->on_progress)
        order->on_progress(result, ++order->done, order->n, order->arg);
    return rc;
}

static int boss(void *arg)
{
    struct order *order = arg;
    CO_SESSION(session, order->per_host > 100 ? 100 : order->per_host);
    order->session = &session;
    struct line *lines = malloc(order->n * sizeof *lines);
    if (!lines)
        return -ENOMEM;
    int rc;
    {
        CO_GROUP(workers);
        for (size_t i = 0; i < order->n; i++) {
            lines[i].order = order;
            lines[i].i = i;
            co_task *task = co_spawn(&workers, serve, &lines[i]);
            if (task)
                co_set_name(task, "server");
        }
        rc = co_join(&workers);
    }
    free(lines);
    return rc;
}

int fetch_all(const char *const urls[], size_t n, uint32_t per_host, struct fetch_result out[],
              fetch_progress *on_progress, void *arg)
{
    struct order order = {urls, n, per_host, out, on_progress, arg, 0, NULL};
    if (n == 0)
        return 0;
    CO_GROUP(office);
    co_task *task = co_spawn(&office, boss, &order);
    int its_rc = 0;
    int rc = co_await(task, &its_rc);
    if (rc < 0) {
        co_cancel(task);
        int joined = co_join(&office);
        return joined < 0 ? joined : rc;
    }
    return its_rc;
}
