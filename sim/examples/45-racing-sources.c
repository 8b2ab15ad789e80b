/* 45 - Ask several sources, take the first good answer, send the others home. Notice that the very first answer is of
 * no use (a 503), that the second one ends the race at 350 ms, and that nobody waits for the slow ones: they are
 * cancelled. asyncio: as_completed(), or wait(FIRST_COMPLETED), then cancel(). */
#include "co.h"

#include <stdio.h>

struct source {
    const char *url;
    char found[32];                             /* the result */
};

static int fetch(void *job)
{
    struct source *source = job;
    CO_RESPONSE(resp);
    int rc = co_http_get(source->url, &resp);
    printf("%3lld ms    %s: %s, status %d\n", (long long)(co_now() / CO_MS(1)), source->url, co_strerror(rc),
           resp.status);
    if (rc < 0)
        return rc;
    if (resp.status != 200)
        return -ENODATA;                        /* an answer, but none that helps */
    snprintf(source->found, sizeof source->found, "%s", resp.body);
    return 0;
}

/* Waits for the first source that succeeds. 0 and the winner, or the last error. */
static int first_good(struct source sources[], int n, const struct source **winner)
{
    int rc, result = -ENOENT;
    co_task *done;
    CO_GROUP(race);
    for (int i = 0; i < n; i++)
        co_spawn(&race, fetch, &sources[i]);
    while ((rc = co_next_done(&race, &done)) > 0 && (result = co_result(done)) < 0)
        continue;
    if (rc < 0)
        return rc;
    *winner = rc > 0 ? co_job(done) : NULL;
    co_group_cancel(&race);
    rc = co_join(&race);
    return rc < 0 ? rc : result;
}

static int tell_time(void *job)
{
    struct source sources[] = {{.url = "http://tower.test"}, {.url = "http://station.test"},
                               {.url = "http://church.test"}, {.url = "http://harbour.test"}};
    const struct source *winner;
    int rc = first_good(sources, 4, &winner);
    if (rc == 0)
        printf("%3lld ms  %s says %s\n", (long long)(co_now() / CO_MS(1)), winner->url, winner->found);
    return rc;
}

int main(void)
{
    struct co_options options = {.world_file = "sim/examples/45-racing-sources.json"};
    return co_run(tell_time, NULL, &options) < 0;
}
