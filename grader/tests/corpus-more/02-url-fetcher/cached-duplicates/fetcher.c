/* fetcher.c - lab 02 */
#include "fetcher.h"

#include <string.h>

struct everybody {
    struct co_session *session;
    size_t n, done;
    fetch_progress *tell;
    void *arg;
};

struct task {
    struct everybody *all;
    const char *url;
    struct fetch_result *result;
};

int fetch_url(struct co_session *session, const char *url, struct fetch_result *out)
{
    *out = (struct fetch_result){.url = url};
    CO_RESPONSE(resp);
    int rc = co_session_get(session, url, &resp);
    switch (rc) {
    case 0:
        out->status = resp.status;
        out->length = resp.length;
        return 0;
    case -ECANCELED:
        return -ECANCELED;
    default:
        out->error = rc;
        return 0;
    }
}

static int run_task(void *p)
{
    struct task *task = p;
    struct everybody *all = task->all;
    int rc = fetch_url(all->session, task->url, task->result);
    if (rc != 0)
        return rc;
    all->done++;
    if (all->tell != NULL)
        all->tell(task->result, all->done, all->n, all->arg);
    return 0;
}

int fetch_all(const char *const urls[], size_t n, uint32_t per_host, struct fetch_result out[],
              fetch_progress *on_progress, void *arg)
{
    if (n == 0)
        return 0;
    CO_SESSION(session, per_host);
    struct everybody all = {&session, n, 0, on_progress, arg};
    struct task tasks[n];
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (k < i && strcmp(urls[k], urls[i]) != 0)
            k++;
        if (k < i)
            continue;               /* that one is fetched already */
        tasks[m++] = (struct task){&all, urls[i], out + i};
    }
    int rc = co_gather(run_task, tasks, m, sizeof tasks[0], NULL);
    for (size_t i = 0; rc == 0 && i < n; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(urls[k], urls[i]) == 0) {
                out[i] = out[k];
                out[i].url = urls[i];
                all.done++;
                if (on_progress)
                    on_progress(&out[i], all.done, n, arg);
                break;
            }
    return rc;
}
