/* Correct, in one big function and a task: the session on the heap and closed by hand, a linked list of jobs; what is finished comes
 * through a queue, and is told from there. */
#include "fetcher.h"

#include <stdlib.h>

int fetch_url(struct co_session *session, const char *url, struct fetch_result *out)
{
    struct co_response r;
    int e = co_session_get(session, url, &r);
    out->url = url, out->error = e, out->status = r.status, out->length = r.length;
    co_response_free(&r);
    if (e == -ECANCELED)
        return e;
    return 0;
}

struct shared {
    struct co_session *session;
    struct co_queue finished;          /* of results, in the order in which they come */
};

struct node {
    struct shared *shared;
    const char *url;
    struct fetch_result *result;
    struct node *next;
};

static int visit(void *p)
{
    struct node *node = p;
    int rc = fetch_url(node->shared->session, node->url, node->result);
    if (rc == 0)
        rc = co_queue_put(&node->shared->finished, node->result);
    return rc;
}

int fetch_all(const char *const urls[], size_t n, uint32_t per_host, struct fetch_result out[],
              fetch_progress *on_progress, void *arg)
{
    int rc = 0;
    struct node *first = NULL, **end = &first;
    struct shared shared = {.session = calloc(1, sizeof *shared.session)};
    if (!shared.session)
        return -ENOMEM;
    shared.session->max_per_host = per_host;
    co_queue_init(&shared.finished, 0);

    for (size_t i = 0; i < n && rc == 0; i++) {
        *end = malloc(sizeof **end);
        if (*end == NULL) {
            rc = -ENOMEM;
            break;
        }
        **end = (struct node){&shared, urls[i], &out[i], NULL};
        end = &(*end)->next;
    }
    if (rc == 0) {
        CO_GROUP(group);
        for (struct node *node = first; node; node = node->next)
            co_spawn(&group, visit, node);
        for (size_t done = 1; done <= n && rc == 0; done++) {
            void *result;
            rc = co_queue_get(&shared.finished, &result);
            if (rc == 0 && on_progress)
                on_progress(result, done, n, arg);
        }
        int joined = co_join(&group);
        if (rc == 0)
            rc = joined;
    }
    while (first) {
        struct node *next = first->next;
        free(first);
        first = next;
    }
    co_queue_destroy(&shared.finished);
    co_session_close(shared.session);
    free(shared.session);
    return rc;
}
