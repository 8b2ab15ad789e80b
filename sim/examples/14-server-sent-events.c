/* 14 - A stream of events: an answer without an end, of which each line is read when it has come. Notice that the
 * events come one by one while the answer is still under way, and that after the break we go on behind the last one we
 * saw. asyncio: async for line in response.content; the browser's EventSource. */
#include "co.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reads events until the stream ends or breaks; *last is the number of the newest one. */
static int listen_once(int *last)
{
    char url[64], line[64];
    snprintf(url, sizeof url, "http://ferry.test/events?after=%d", *last);
    CO_STREAM(stream);                          /* closed at the end of the block */
    int rc = co_stream_open(&(struct co_request){.url = url, .headers = "Accept: text/event-stream\n"}, &stream);
    if (rc < 0)
        return rc;
    printf("%4lld ms  listening after event %d\n", (long long)(co_now() / CO_MS(1)), *last);
    while ((rc = co_stream_read_line(&stream, line, sizeof line)) > 0) {
        if (strncmp(line, "id: ", 4) == 0)
            *last = atoi(line + 4);
        else if (strncmp(line, "data: ", 6) == 0)
            printf("%4lld ms    %d: %s\n", (long long)(co_now() / CO_MS(1)), *last, line + 6);
    }
    return rc;
}

static int wait_for_ferry(void *job)
{
    int last = 0, rc;
    while ((rc = listen_once(&last)) == -ECONNRESET) {
        printf("%4lld ms  %s\n", (long long)(co_now() / CO_MS(1)), co_strerror(rc));
        rc = co_sleep(CO_MS(300));              /* then again, behind the last event */
        if (rc < 0)
            return rc;
    }
    printf("%4lld ms  no more ferries: %s\n", (long long)(co_now() / CO_MS(1)), co_strerror(rc));
    return rc;
}

int main(void)
{
    struct co_options options = {.world_file = "sim/examples/14-server-sent-events.json"};
    return co_run(wait_for_ferry, NULL, &options) < 0;
}
