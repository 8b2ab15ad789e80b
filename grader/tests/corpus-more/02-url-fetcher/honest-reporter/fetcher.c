#include "fetcher.h"

#include <stdlib.h>

struct office {
    struct co_session session;
    struct co_queue news;           /* elements of out that are filled in */
    size_t n;
    fetch_progress *on_progress;
    void *arg;
};

struct trip {
    struct office *office;
    const char *url;
    struct fetch_result *out;
};

static struct fetch_result result_of(const char *url, int rc, const struct co_response *resp)
{
    struct fetch_result result = {.url = url, .error = rc};
    if (rc == 0) {
        result.status = resp->status;
        result.length = resp->length;
    }
    return result;
}

int fetch_url(struct co_session *session, const char *url, struct fetch_result *out)
{
    struct co_response resp = {0};
    int rc = co_session_get(session, url, &resp);
    if (rc != -ECANCELED)
        *out = result_of(url, rc, &resp);
    co_response_free(&resp);
    return rc == -ECANCELED ? rc : 0;
}

static int travel(void *job)
{
    struct trip *trip = job;
    int rc = fetch_url(&trip->office->session, trip->url, trip->out);
    return rc < 0 ? rc : co_queue_try_put(&trip->office->news, trip->out);
}

static int report(void *job)
{
    struct office *office = job;
    for (size_t done = 1; done <= office->n; done++) {
        void *out;
        int rc = co_queue_get(&office->news, &out);
        if (rc < 0)
            return rc;
        if (office->on_progress)
            office->on_progress(out, done, office->n, office->arg);
    }
    return 0;
}

static int all_trips(struct office *office, struct trip *trips)
{
    CO_GROUP(people);
    for (struct trip *trip = trips; trip < trips + office->n; trip++)
        co_spawn(&people, travel, trip);
    co_spawn(&people, report, office);
    return co_join(&people);
}

int fetch_all(const char *const urls[], size_t n, uint32_t per_host, struct fetch_result out[],
              fetch_progress *on_progress, void *arg)
{
    if (n == 0)
        return 0;
    struct office office = {.session = {.max_per_host = per_host}, .n = n, .on_progress = on_progress, .arg = arg};
    struct trip *trips = malloc(n * sizeof *trips);
    if (!trips)
        return -ENOMEM;
    co_queue_init(&office.news, 0);
    for (size_t i = 0; i < n; i++) {
        trips[i].office = &office;
        trips[i].url = urls[i];
        trips[i].out = out + i;
    }
    int rc = all_trips(&office, trips);
    co_queue_destroy(&office.news);
    co_session_close(&office.session);
    free(trips);
    return rc;
}
