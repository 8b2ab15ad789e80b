/* 32 - The same file lies on two servers, and nobody knows which is faster today. Ask both, take the first answer,
 * and give up the other: it must not go on downloading. See the whole end at the time of the faster one. */
#include "warmup.h"

struct mirror {
    const char *url;
    char text[32];
};

static int fetch(void *job)
{
    struct mirror *mirror = job;
    CO_RESPONSE(resp);
    int rc = co_http_get(mirror->url, &resp);
    if (rc == 0)
        snprintf(mirror->text, sizeof mirror->text, "%s", resp.body);
    return rc;
}

int warmup(void)
{
    struct mirror mirrors[] = {{"http://north.test/", ""}, {"http://south.test/", ""}};
    co_task *first = NULL;
    int rc = 0;
    CO_GROUP(race);
    for (int i = 0; i < 2; i++)
        co_spawn(&race, fetch, &mirrors[i]);
    /* TODO: take the first that is done, and give up the other */
    printf("%d ms: %s\n", now_ms(), first ? ((struct mirror *)co_job(first))->text : "nobody");
    return rc < 0 ? rc : 0;
}
