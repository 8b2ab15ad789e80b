/* 62 - A download that breaks off goes on where it stopped: Range asks for the rest, If-Range for the rest of the same
 * version only (206; were it another one, 200 and all of it). Notice what the third request costs, which asks whether
 * the file has changed: a round trip and no byte. asyncio: the same headers in session.get(). */
#include "co.h"

#include <stdio.h>
#include <string.h>

enum { MOST = 1000000 };

struct map {
    char bytes[MOST];
    size_t length;
    char version[32];                           /* its ETag */
};

/* Reads what there is behind the map's own bytes; an error leaves what has come. */
static int download(struct map *map)
{
    char headers[128];
    CO_STREAM(stream);
    snprintf(headers, sizeof headers, "Range: bytes=%zu-\nIf-Range: %s\n", map->length, map->version);
    int rc = co_stream_open(&(struct co_request){.url = "http://maps.test/city",
                                                 .headers = map->length ? headers : NULL}, &stream);
    if (rc < 0)
        return rc;
    if (stream.status != 206)
        map->length = 0;
    const char *etag = strstr(stream.headers, "ETag: ");
    if (etag)
        snprintf(map->version, sizeof map->version, "%.*s", (int)strcspn(etag + 6, "\n"), etag + 6);
    while ((rc = co_stream_read(&stream, map->bytes + map->length, MOST - map->length)) > 0)
        map->length += (size_t)rc;
    printf("%4lld ms  %d: %6zu bytes here, %s\n", (long long)(co_now() / CO_MS(1)), stream.status, map->length,
           rc < 0 ? co_strerror(rc) : "complete");
    return rc;
}

static int keep_map(void *job)
{
    struct map *map = job;
    char headers[64];
    CO_RESPONSE(resp);
    int rc = download(map);
    while (rc == -EPROTO || rc == -ECONNRESET)
        rc = download(map);
    snprintf(headers, sizeof headers, "If-None-Match: %s\n", map->version);
    if (rc == 0)
        rc = co_http_request(&(struct co_request){.url = "http://maps.test/city", .headers = headers}, &resp);
    if (rc == 0)
        printf("%4lld ms  %d: it is still the same\n", (long long)(co_now() / CO_MS(1)), resp.status);
    return rc;
}

int main(void)
{
    static struct map map;
    struct co_options options = {.world_file = "sim/examples/62-resume.json"};
    return co_run(keep_map, &map, &options) < 0;
}
