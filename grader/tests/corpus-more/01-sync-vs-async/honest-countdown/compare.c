#include "compare.h"

#include <stdlib.h>
#include <string.h>

struct whole {
    size_t missing;
    struct co_event complete;
};

struct part {
    struct whole *whole;
    const char *url;
    struct fetch_result *out;
};

/* The same for both: what became of it. */
static void finish(struct fetch_result *out, int rc, struct co_response *resp)
{
    memset(out, 0, sizeof *out);
    switch (rc) {
    case 0:
        out->status = resp->status;
        out->length = resp->length;
        break;
    default:
        out->error = rc;
    }
    co_response_free(resp);
}

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    for (const char *const *url = urls; url != urls + n; url++, out++) {
        struct co_response resp;
        finish(out, http_get_blocking(*url, &resp), &resp);
    }
    return 0;
}

static int get_part(void *arg)
{
    struct part *part = arg;
    struct co_response resp;
    int rc = co_http_get(part->url, &resp);
    finish(part->out, rc, &resp);
    if (--part->whole->missing == 0)
        co_event_set(&part->whole->complete);
    return rc == -ECANCELED ? rc : 0;
}

static int get_parts(struct part *parts, size_t n, struct whole *whole)
{
    CO_GROUP(group);
    for (size_t i = 0; i < n; i++)
        co_spawn(&group, get_part, parts + i);
    int rc = group.no_memory ? -ENOMEM : co_event_wait(&whole->complete);
    if (rc < 0)
        co_group_cancel(&group);
    int rc2 = co_join(&group);
    return rc < 0 ? rc : rc2;
}

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    struct whole whole = {n, CO_EVENT_INIT};
    struct part *parts;
    if (n == 0)
        return 0;
    parts = malloc(n * sizeof(struct part));
    if (!parts)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        parts[i] = (struct part){&whole, urls[i], out + i};
    int rc = get_parts(parts, n, &whole);
    free(parts);
    return rc;
}

int compare(const char *const urls[], size_t n, struct comparison *report)
{
    struct fetch_result *out = malloc((n + 1) * sizeof(struct fetch_result));
    if (!out)
        return -ENOMEM;
    report->n = n;
    report->sync_ns = co_now();
    int rc = fetch_sync(urls, n, out);
    report->async_ns = co_now();
    report->sync_ns = report->async_ns - report->sync_ns;
    if (rc == 0) {
        rc = fetch_async(urls, n, out);
        report->async_ns = co_now() - report->async_ns;
        report->speedup = report->async_ns > 0 ? (double)report->sync_ns / (double)report->async_ns : 1.0;
    }
    free(out);
    return rc;
}

enum bound explain(const struct comparison *report)
{
    static const enum bound table[2][2] = {{BOUND_UNKNOWN, BOUND_UNKNOWN}, {BOUND_CPU, BOUND_IO}};
    return table[report->n > 1][!(report->speedup < 1.5)];
}
