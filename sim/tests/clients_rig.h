/* clients_rig.h - what tests of servers share: a world with clients, and what these have seen. */
#ifndef CLIENTS_RIG_H
#define CLIENTS_RIG_H

#include "check.h"

#include "co_server.h"

#define WORLD(clients, more) "{\"world\":\"looplab/world/v1\",\"clients\":[" clients "]" more "}"
#define CLIENT(name, members, steps) \
    "{\"name\":\"" name "\",\"to\":\"app.test:8080\"," members "\"do\":[" steps "]}"
#define ONE(steps) WORLD(CLIENT("ada", "\"rtt\":\"10ms\",", steps), "")

/* Runs it in that world; what clients have seen is in the trace. Returns the trace; to be freed. */
static UNUSED char *trace_of(const char *world, co_fn fn, void *job)
{
    char path[64];
    write_temp(path, "");
    board_clear();
    assert_int_equal(run_with(world, fn, job, (struct co_options){.trace_file = path}, "main"), -EINTR);
    return take_file(path);
}

/* What the lines about clients say, one after the other: "100 ada got answer 200 hi". */
static UNUSED void clients_saw(const char *trace, char *out, size_t size)
{
    size_t at = 0;
    out[0] = '\0';
    for (const char *line = trace; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        const char *end = strchr(line, '\n'), *ev = strstr(line, "\"ev\":\"client.");
        long long t;
        if (!ev || !end || ev > end || sscanf(line, "{\"t\":%lld", &t) != 1)
            continue;
        assert_true(at + 4096 < size);
        at += (size_t)snprintf(out + at, size - at, "%lld ", t / 1000000);
        static const char *const keys[] = {"\"ev\":\"client.", "\"what\":\"", "\"status\":", "\"code\":",
            "\"text\":\""};
        for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
            const char *value = strstr(line, keys[i]);
            if (value && value < end) {
                value += strlen(keys[i]);
                int n = (int)strcspn(value, i == 2 || i == 3 ? ",}" : "\"");
                at += (size_t)snprintf(out + at, size - at, "%.*s ", n, value);
            }
        }
        at += (size_t)snprintf(out + at, size - at, "| ");
    }
}

static UNUSED void check_clients(const char *world, co_fn fn, void *job, const char *saw, const char *notes)
{
    static char text[1 << 16];
    char *trace = trace_of(world, fn, job);
    if (saw)
        clients_saw(trace, text, sizeof text);
    free(trace);
    if (saw)
        assert_string_equal(text, saw);
    if (notes)
        assert_string_equal(board->text, notes);
}

#endif
