/* Correct: each task adds to the sum that they share. No lock is needed, as nothing waits between reading and writing
 * it. */
#include "STEM.h"

#include <stdlib.h>

struct job {
    const char *url;
    size_t *total;
};

static int add_one(void *arg)
{
    struct job *job = arg;
    CO_RESPONSE(resp);
    if (co_http_get(job->url, &resp) == 0)
        *job->total += resp.length;
    return 0;
}

int total_length(const char *const urls[], size_t n, size_t *total)
{
    struct job *jobs = calloc(n + 1, sizeof *jobs);
    if (!jobs)
        return -ENOMEM;
    *total = 0;
    CO_GROUP(group);
    for (size_t i = 0; i < n; i++) {
        jobs[i].url = urls[i];
        jobs[i].total = total;
        co_spawn(&group, add_one, &jobs[i]);
    }
    int rc = co_join(&group);
    free(jobs);
    return rc;
}
