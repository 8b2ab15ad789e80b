/* Correct: one half of the pages in a task of its own, the other half here, and so on down to a single page. */
#include "STEM.h"

struct part {
    const char *const *urls;
    size_t n, total;
};

static int total_of(void *arg)
{
    struct part *part = arg;
    if (part->n == 0)
        return 0;
    if (part->n == 1) {
        CO_RESPONSE(resp);
        (void)!co_http_get(part->urls[0], &resp);
        part->total = resp.length;
        return 0;
    }
    struct part first = {part->urls, part->n / 2, 0};
    struct part rest = {part->urls + first.n, part->n - first.n, 0};
    CO_GROUP(group);
    co_spawn(&group, total_of, &first);
    co_spawn(&group, total_of, &rest);
    int rc = co_join(&group);
    part->total = first.total + rest.total;
    return rc;
}

int total_length(const char *const urls[], size_t n, size_t *total)
{
    struct part all = {urls, n, 0};
    int rc = total_of(&all);
    *total = all.total;
    return rc;
}
