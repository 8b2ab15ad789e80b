/* 34 - The server keeps its answer open and sends a line at each goal. Whoever waits for the whole answer hears
 * all goals after the match; a stream hands out each line when it comes. Lines that begin with "data: " are goals. */
#include "warmup.h"

int warmup(void)
{
    char line[64];
    int goals = 0;
    CO_STREAM(stream);
    int rc = co_stream_open(&(struct co_request){.url = "http://match.test/live"}, &stream);
    if (rc < 0)
        return rc;
    /* TODO: for each line as it comes, until the end or an error, which stays in rc (the two lines below
     * are the loop's body) */
    if ((rc = 0, line[0] = '\0', false))
        if (strncmp(line, "data: ", 6) == 0)
            printf("%d ms: %s (%d)\n", now_ms(), line + 6, ++goals);
    printf("%d ms: it is over%s\n", now_ms(), rc < 0 ? ": the line is dead" : "");
    return 0;
}
