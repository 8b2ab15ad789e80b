#include "fetcher.h"

#include <stdlib.h>

struct call {
    struct co_session session;
    fetch_progress *progress;
    void *arg;
    size_t n, done;
};

struct node {
    struct node *next;
    struct call *call;
    const char *url;
    struct fetch_result *out;
};

int fetch_url(struct co_session *session, const char *url, struct fetch_result *out)
{
    CO_RESPONSE(page);
    out->url = url;
    out->error = co_session_get(session, url, &page);
    if (out->error == -ECANCELED)
        return -ECANCELED;
    if (out->error < 0)
        return 0;
    out->status = page.status;
    out->length = page.length;
    return 0;
}

static int fetch_node(void *job)
{
    struct node *node = job;
    return fetch_url(&node->call->session, node->url, node->out);
}

static void ended(co_task *task, void *arg)
{
    struct node *node = arg;
    struct call *call = node->call;
    if (co_result(task) < 0)
        return;
    call->done++;
    if (call->progress)
        call->progress(node->out, call->done, call->n, call->arg);
}

static struct node *make_list(struct call *call, const char *const urls[], struct fetch_result out[])
{
    struct node *first = NULL;
    for (size_t i = call->n; i-- > 0;) {
        struct node *node = malloc(sizeof *node);
        if (!node) {
            for (; first; first = node) {
                node = first->next;
                free(first);
            }
            return NULL;
        }
        *node = (struct node){first, call, urls[i], &out[i]};
        first = node;
    }
    return first;
}

static int fetch_list(struct node *first)
{
    CO_GROUP(group);
    for (struct node *node = first; node; node = node->next) {
        co_task *task = co_spawn(&group, fetch_node, node);
        if (!task || co_on_done(task, ended, node) < 0) {
            co_group_cancel(&group);
            int rc = co_join(&group);
            (void)rc;
            return -ENOMEM;
        }
    }
    return co_join(&group);
}

int fetch_all(const char *const urls[], size_t n, uint32_t per_host, struct fetch_result out[],
              fetch_progress *on_progress, void *arg)
{
    struct call call = {.session.max_per_host = per_host, .progress = on_progress, .arg = arg, .n = n};
    struct node *list = make_list(&call, urls, out);
    if (!list && n > 0)
        return -ENOMEM;
    int rc = fetch_list(list);
    while (list) {
        struct node *next = list->next;
        free(list);
        list = next;
    }
    co_session_close(&call.session);
    return rc;
}
