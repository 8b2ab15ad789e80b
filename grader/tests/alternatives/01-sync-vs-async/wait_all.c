/* Correct, by co_wait on an array of tasks; the jobs are a linked list; the errors are returned by the tasks. */
#include "compare.h"

#include <stdlib.h>

typedef struct node {
    const char *url;
    struct fetch_result *to;
    struct node *next;
} node;

static void fill(struct fetch_result *to, int error, int status, size_t length)
{
    to->error = error;
    to->status = status;
    to->length = length;
}

static int visit(void *p)
{
    node *self = p;
    struct co_response answer = {0};
    int rc = co_http_get(self->url, &answer);
    fill(self->to, rc, answer.status, answer.length);
    co_response_free(&answer);
    return rc;
}

static void free_list(node *list)
{
    while (list) {
        node *next = list->next;
        free(list);
        list = next;
    }
}

static int start_and_wait(node *list, co_task **tasks)
{
    CO_GROUP(group);
    size_t n = 0;
    for (node *at = list; at; at = at->next)
        tasks[n++] = co_spawn(&group, visit, at);
    int done = co_wait(tasks, n, CO_ALL_COMPLETED, CO_FOREVER);
    return done < 0 ? done : 0;
}

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    for (size_t i = 0; i < n; i++) {
        struct co_response answer;
        int rc = http_get_blocking(urls[i], &answer);
        fill(&out[i], rc, answer.status, answer.length);
        co_response_free(&answer);
    }
    return 0;
}

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    int rc = -ENOMEM;
    node *list = NULL;
    co_task **tasks = malloc((n + 1) * sizeof *tasks);
    if (!tasks)
        goto out;
    for (size_t i = n; i-- > 0;) {
        node *first = malloc(sizeof *first);
        if (!first)
            goto out;
        *first = (node){urls[i], &out[i], list};
        list = first;
    }
    rc = n ? start_and_wait(list, tasks) : 0;
out:
    free_list(list);
    free(tasks);
    return rc;
}

int compare(const char *const urls[], size_t n, struct comparison *report)
{
    int rc;
    struct fetch_result *out = malloc(n ? n * sizeof *out : 1);
    if (!out)
        return -ENOMEM;
    report->n = n;
    report->speedup = 1.0;
    report->sync_ns = co_now();
    rc = fetch_sync(urls, n, out);
    report->sync_ns = co_now() - report->sync_ns;
    if (rc == 0) {
        report->async_ns = co_now();
        rc = fetch_async(urls, n, out);
        report->async_ns = co_now() - report->async_ns;
        if (report->async_ns)
            report->speedup = (double)report->sync_ns / report->async_ns;
    }
    free(out);
    return rc;
}

enum bound explain(const struct comparison *report)
{
    if (report->n < 2)
        return BOUND_UNKNOWN;
    if (report->speedup < 1.5)
        return BOUND_CPU;
    return BOUND_IO;
}
