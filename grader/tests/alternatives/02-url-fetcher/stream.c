/* Correct, by streams: the bodies are counted piece by piece and never held. The 30 s are kept with a timeout of its own. Jobs on the
 * stack, progress by a callback at the end of each task (co_on_done). */
#include "fetcher.h"

static int count(const struct co_request *request, int *status, size_t *length)
{
    CO_STREAM(stream);
    char piece[4096];
    int rc = co_stream_open(request, &stream);
    while (rc >= 0 && (rc = co_stream_read(&stream, piece, sizeof piece)) > 0)
        *length += (size_t)rc;
    *status = stream.status;
    return rc;
}

int fetch_url(struct co_session *session, const char *url, struct fetch_result *out)
{
    struct co_request request = {.url = url, .session = session, .timeout = CO_HTTP_TIMEOUT};
    struct co_timeout limit;
    int status = 0;
    size_t length = 0;

    co_timeout_begin(&limit, CO_HTTP_TIMEOUT);
    int rc = co_timeout_end(&limit, count(&request, &status, &length));
    out->url = url;
    out->error = rc;
    out->status = rc < 0 ? 0 : status;
    out->length = rc < 0 ? 0 : length;
    return rc == -ECANCELED ? rc : 0;
}

struct all {
    struct co_session *session;
    size_t done, n;
    fetch_progress *on_progress;
    void *arg;
};

struct one {
    struct all *all;
    const char *url;
    struct fetch_result *out;
};

static int fetch(void *arg)
{
    struct one *one = arg;
    return fetch_url(one->all->session, one->url, one->out);
}

static void tell(co_task *task, void *arg)
{
    struct one *one = arg;
    if (co_result(task) == 0)
        one->all->on_progress(one->out, ++one->all->done, one->all->n, one->all->arg);
}

int fetch_all(const char *const urls[], size_t n, uint32_t per_host, struct fetch_result out[],
              fetch_progress *on_progress, void *arg)
{
    CO_SESSION(session, per_host);
    struct all all = {&session, 0, n, on_progress, arg};
    struct one ones[n + 1];
    co_task *tasks[n + 1];
    CO_GROUP(group);
    for (size_t i = 0; i < n; i++) {
        ones[i] = (struct one){&all, urls[i], &out[i]};
        tasks[i] = co_spawn(&group, fetch, &ones[i]);
        int rc = on_progress ? co_on_done(tasks[i], tell, &ones[i]) : 0;
        if (rc < 0)
            return rc;
    }
    for (size_t i = 0; i < n; i++) {
        int rc = co_await(tasks[i], NULL);
        if (rc < 0) {
            co_group_cancel(&group);
            return rc;
        }
    }
    return 0;
}
