#include "fetcher.h"

#include <stdlib.h>
#include <string.h>

#define LOOP(i, n) for (size_t i = 0; i < (n); ++i)

int fetch_url(struct co_session *session, const char *url, struct fetch_result *out)
{
    struct co_request get = {.method = "GET", .url = url, .session = session};
    struct co_response answer = {0};
    int rc;

    memset(out, 0, sizeof *out);
    out->url = url;
    switch (rc = co_http_request(&get, &answer)) {
    case -ECANCELED:
        return rc;
    case 0:
        out->status = answer.status;
        out->length = answer.length;
        co_response_free(&answer);
        break;
    default:
        out->error = rc;
    }
    return 0;
}

typedef struct {
    struct co_session *session;
    const char *url;
    struct fetch_result *result;
} trip;

static int run_trip(void *arg)
{
    trip *e = arg;
    return fetch_url(e->session, e->url, e->result);
}

static int run_trips(trip *trips, size_t n, fetch_progress *progress, void *arg)
{
    CO_GROUP(group);
    co_task *task;
    size_t done = 0;
    LOOP(i, n)
        if (i == 0 || trips[i].url != trips[i - 1].url)
            co_spawn(&group, run_trip, trips + i);
    while (co_next_done(&group, &task) > 0) {
        trip *e = co_job(task);
        if (co_result(task) == 0 && progress != NULL)
            progress(e->result, ++done, n, arg);
    }
    for (size_t i = 1; i < n; i++)
        if (trips[i].url == trips[i - 1].url) {     /* the same page again */
            *trips[i].result = *trips[i - 1].result;
            if (progress != NULL)
                progress(trips[i].result, ++done, n, arg);
        }
    return co_join(&group);
}

int fetch_all(const char *const urls[], size_t n, uint32_t per_host, struct fetch_result out[],
              fetch_progress *on_progress, void *arg)
{
    int rc = 0;
    CO_SESSION(session, per_host);
    trip *trips = NULL;
    if (n == 0)
        goto end;
    rc = -ENOMEM;
    if ((trips = calloc(n, sizeof *trips)) == NULL)
        goto end;
    LOOP(i, n) {
        trips[i].session = &session;
        trips[i].url = urls[i];
        trips[i].result = &out[i];
    }
    rc = run_trips(trips, n, on_progress, arg);
end:
    free(trips);
    return rc;
}
