/* http.c - requests in the virtual world. */
#include "bench.h"

#include <stdbool.h>

const char bench_http_world[] =
    "{\"world\": \"looplab/world/v1\", \"sites\": [{\"url\": \"http://bench.test\", \"rtt\": \"20ms\","
    " \"routes\": [{\"path\": \"/\", \"latency\": [\"100ms\", \"500ms\"], \"body\": \"hello\"}]}]}\n";

struct clients {
    long left;                  /* requests still to be made */
};

static int fetch_often(void *arg)
{
    struct clients *clients = arg;
    int rc = 0;
    while (rc == 0 && clients->left > 0) {
        struct co_response response;
        clients->left--;
        rc = co_http_get("http://bench.test/", &response);
        bench_need(rc == 0 && response.status == 200 && response.length == 5, "request");
        co_response_free(&response);
    }
    return rc;
}

/* Counted: one GET, submitted, answered (a head and five bytes, after 140 to 540 ms) and freed, over a connection of
 * its own. A hundred are in flight all the time. */
int bench_http(void *arg)
{
    struct bench *bench = arg;
    struct clients clients = {bench->count};
    CO_GROUP(group);
    for (int i = 0; i < CROWD; i++)
        co_spawn(&group, fetch_often, &clients);
    bench_start(bench);
    int rc = co_join(&group);
    bench_stop(bench);
    return rc;
}
