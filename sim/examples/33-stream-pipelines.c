/* 33 - A pipeline: each stage is a generator that pulls from the one before, so that one item at a time goes through
 * all of them. Notice that nothing is read before somebody wants it, and that leaving the last loop closes the whole
 * chain, down to the connection, though the log goes on. asyncio: async generators over async generators. */
#include "co.h"

#include <stdio.h>
#include <string.h>

static void tell(const char *what, const char *line)
{
    printf("%4lld ms  %s%s\n", (long long)(co_now() / CO_MS(1)), what, line);
}

static int lines(struct co_gen *gen, void *job)
{
    char line[64];
    CO_STREAM(stream);
    int rc = co_stream_open(&(struct co_request){.url = job}, &stream);
    while (rc >= 0 && (rc = co_stream_read_line(&stream, line, sizeof line)) > 0) {
        tell("  read ", line);
        rc = co_gen_yield(gen, line);
    }
    tell("  connection closed", "");
    return rc;
}

static int only_alarms(struct co_gen *gen, void *job)
{
    struct co_gen *source = job;
    void *line;
    int rc;
    while ((rc = co_gen_next(source, &line)) > 0)
        if (strncmp(line, "alarm ", 6) == 0 && (rc = co_gen_yield(gen, line)) < 0)
            break;
    return rc;
}

static int without_first_word(struct co_gen *gen, void *job)
{
    struct co_gen *source = job;
    void *line;
    int rc;
    while ((rc = co_gen_next(source, &line)) > 0)
        if ((rc = co_gen_yield(gen, strchr(line, ' ') + 1)) < 0)
            break;
    return rc;
}

static int first_two_alarms(void *job)
{
    CO_GEN(all, lines, "http://plant.test/log");
    CO_GEN(alarms, only_alarms, &all);
    CO_GEN(texts, without_first_word, &alarms);
    void *text;
    int rc = 0;
    for (int i = 0; i < 2 && (rc = co_gen_next(&texts, &text)) > 0; i++)
        tell("ALARM: ", text);
    return rc < 0 ? rc : 0;
}

int main(void)
{
    struct co_options options = {.world_file = "sim/examples/33-stream-pipelines.json"};
    return co_run(first_two_alarms, NULL, &options) < 0;
}
