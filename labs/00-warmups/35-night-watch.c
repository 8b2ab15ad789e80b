/* 35 - The sensor sends a line a second, for ever: no limit on the whole makes sense. What counts is silence: 2 s
 * without a line. So there is one timeout, and each line moves its end. See the alarm 2 s after the last line. */
#include "warmup.h"

static int listen(struct co_stream *stream, struct co_timeout *silence)
{
    char line[32];
    int rc;
    while ((rc = co_stream_read_line(stream, line, sizeof line)) > 0) {
        printf("%d ms: %s\n", now_ms(), line);
        /* TODO: from now on 2 s of silence are allowed again */
        (void)silence;
    }
    return rc;
}

int warmup(void)
{
    struct co_timeout silence;
    CO_STREAM(stream);
    int rc = co_stream_open(&(struct co_request){.url = "http://sensor.test/"}, &stream);
    if (rc < 0)
        return rc;
    co_timeout_begin(&silence, CO_SEC(2));
    rc = listen(&stream, &silence);
    rc = co_timeout_end(&silence, rc);
    printf("%d ms: %s\n", now_ms(), rc == -ETIMEDOUT ? "alarm" : "switched off");
    return 0;
}
