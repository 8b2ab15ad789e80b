/* world_rig.h - for tests of the virtual world: opens one from a text, and writes down what it does.
 *
 * World files are written with ' for ". What wait hands over becomes a line such as
 *     340ms #1 200 "hello" end
 * the time, the operation, the status, the body (its length, "+65536", if it is long), and the end with its error. */
#ifndef WORLD_RIG_H
#define WORLD_RIG_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../explore/tape.h"
#include "../trace/trace.h"
#include "../world/world.h"

#define MS(n) ((int64_t)(n) * 1000000)
#define WORLD(rest) "{'world':'looplab/world/v1'," rest "}"

struct rig {
    struct co_world *world;
    /* Where its lines go, and into which file; NULL: nowhere. */
    struct trace *trace;
    char trace_path[256];
    /* The time of the last completion. */
    int64_t t;
    /* What was handed over so far. */
    char log[32768];
    size_t length;
};

/* Makes a file of its own name that holds the text, ' replaced by ". */
static inline void rig_file(char path[256], const char *text)
{
    const char *folder = getenv("TMPDIR");
    snprintf(path, 256, "%s/looplab-world-XXXXXX", folder ? folder : "/tmp");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *file = fdopen(fd, "w");
    assert_non_null(file);
    for (const char *c = text; *c; c++)
        putc(*c == '\'' ? '"' : *c, file);
    assert_int_equal(fclose(file), 0);
}

static inline struct rig *rig_open_with(const char *json, uint64_t seed, struct tape *tape)
{
    struct rig *rig = calloc(1, sizeof *rig);
    char path[256], error[300] = "";
    assert_non_null(rig);
    rig_file(path, json);
    rig_file(rig->trace_path, "");
    rig->trace = trace_open(rig->trace_path, "test", seed);
    assert_non_null(rig->trace);
    rig->world = world_virtual_open(path, seed, rig->trace, tape, error, sizeof error);
    unlink(path);
    assert_string_equal(error, "");
    assert_non_null(rig->world);
    return rig;
}

static inline struct rig *rig_open(const char *json)
{
    return rig_open_with(json, 0, NULL);
}

/* The trace so far without its first line, shortened: {"t":20000000,"from":"world","ev":"http.closed","conn":1}
 * becomes 20ms http.closed conn=1. The caller frees it. */
static inline char *rig_trace(struct rig *rig)
{
    char *text = calloc(1, 65536), line[1024];
    assert_non_null(text);
    size_t length = 0;
    trace_flush(rig->trace);
    FILE *file = fopen(rig->trace_path, "r");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    while (fgets(line, sizeof line, file)) {
        long long t;
        int at = 0;
        assert_int_equal(sscanf(line, "{\"t\":%lld,\"from\":\"world\",\"ev\":%n", &t, &at), 1);
        if (at == 0)
            fail_msg("%s", line);
        length += (size_t)(t % 1000000 ? sprintf(text + length, "%lldns ", t)
                           : sprintf(text + length, "%lldms ", t / 1000000));
        for (const char *c = line + at; *c && strcmp(c, "}\n") != 0; c++)
            if (*c != '"')
                text[length++] = *c == ',' ? ' ' : *c == ':' && c[-1] == '"' ? '=' : *c;
        text[length++] = '\n';
    }
    fclose(file);
    return text;
}

/* Asserts what the trace is. */
static inline void rig_expect_trace(struct rig *rig, const char *expected)
{
    char *trace = rig_trace(rig);
    assert_string_equal(trace, expected);
    free(trace);
}

static inline void expect_last_lines(struct rig *rig, const char *expected)
{
    char *trace = rig_trace(rig);
    assert_true(strlen(trace) >= strlen(expected));
    assert_string_equal(trace + strlen(trace) - strlen(expected), expected);
    free(trace);
}

static inline void rig_close(struct rig *rig)
{
    rig->world->close(rig->world);
    trace_close(rig->trace);
    unlink(rig->trace_path);
    free(rig);
}

/* A request in one line. */
static inline uint64_t rig_request(struct rig *rig, const char *method, const char *url, uint32_t session,
                                   uint32_t max_per_host)
{
    char data[600];
    int size = snprintf(data, sizeof data, "%s%s", method, url);
    struct world_request request = {
        .op = WORLD_HTTP, .task = 1, .session = session, .max_per_host = max_per_host, .data = data,
            .size = (size_t)size,
        .lengths = {(uint32_t)strlen(method), (uint32_t)strlen(url)},
    };
    uint64_t id = rig->world->submit(rig->world, &request);
    memset(data, 'x', sizeof data);   /* the world must have copied what it needs */
    assert_true(id > 0);
    return id;
}

static inline uint64_t rig_get(struct rig *rig, const char *url)
{
    return rig_request(rig, "GET", url, 0, 0);
}

static inline uint64_t rig_get_in(struct rig *rig, const char *url, uint32_t session)
{
    return rig_request(rig, "GET", url, session, 0);
}

static inline const char *rig_error(int rc)
{
    switch (rc) {
    case -ECANCELED: return "ECANCELED";
    case -ECONNREFUSED: return "ECONNREFUSED";
    case -ECONNRESET: return "ECONNRESET";
    case -ENXIO: return "ENXIO";
    case -EPROTO: return "EPROTO";
    case -EINVAL: return "EINVAL";
    case -ENOENT: return "ENOENT";
    case -EEXIST: return "EEXIST";
    case -ENOSPC: return "ENOSPC";
    case -EIO: return "EIO";
    case -EACCES: return "EACCES";
    case -EBADF: return "EBADF";
    case -ENOMEM: return "ENOMEM";
    case -ETIMEDOUT: return "ETIMEDOUT";
    case -EMSGSIZE: return "EMSGSIZE";
    case -EMFILE: return "EMFILE";
    }
    return "?";
}

__attribute__((format(printf, 2, 3)))
static inline void rig_write(struct rig *rig, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    rig->length += (size_t)vsnprintf(rig->log + rig->length, sizeof rig->log - rig->length, format, arguments);
    va_end(arguments);
    assert_true(rig->length < sizeof rig->log);
}

static inline void rig_write_time(struct rig *rig, int64_t t)
{
    if (t % MS(1))
        rig_write(rig, "%lldns", (long long)t);
    else
        rig_write(rig, "%lldms", (long long)(t / MS(1)));
}

static inline void rig_write_completion(struct rig *rig, const struct world_completion *out)
{
    const char *body = (const char *)out->data + out->head;
    size_t size = out->size - out->head;
    assert_in_range(out->t, rig->t, rig->world->now(rig->world));   /* in the order in which they happened */
    rig->t = out->t;
    rig_write_time(rig, rig->world->now(rig->world));
    rig_write(rig, " #%llu", (unsigned long long)out->id);
    if (out->parts & WORLD_HEAD)
        rig_write(rig, " %d", out->status);
    if (out->parts & WORLD_BODY && size <= 20)
        rig_write(rig, " \"%.*s\"", (int)size, body);
    else if (out->parts & WORLD_BODY)
        rig_write(rig, " +%zu", size);
    else
        assert_int_equal(size, 0);
    if (out->parts & WORLD_END)
        rig_write(rig, " end");
    if (out->parts & WORLD_END && out->rc < 0)
        rig_write(rig, " %s", rig_error(out->rc));
    else if (out->rc > 0)
        rig_write(rig, " %d", out->rc);
    if (out->cpu)
        rig_write(rig, " cpu %lldns", (long long)out->cpu);
    rig_write(rig, "\n");
}

/* Calls wait once, with room for `max`; what it hands over goes to the log. Returns how many there were. */
static inline size_t rig_wait(struct rig *rig, int64_t until, size_t max)
{
    struct world_completion out[64];
    size_t n = rig->world->wait(rig->world, until, out, max);
    for (size_t i = 0; i < n; i++)
        rig_write_completion(rig, &out[i]);
    return n;
}

/* Lets time pass up to `until`; the log says what happened. */
static inline void rig_run_until(struct rig *rig, int64_t until)
{
    while (rig_wait(rig, until, 64) > 0)
        ;
}

/* Asserts what is handed over from now on until nothing more happens. */
static inline void rig_expect(struct rig *rig, const char *expected)
{
    rig->length = 0;
    rig->log[0] = '\0';
    rig_run_until(rig, INT64_MAX);
    assert_string_equal(rig->log, expected);
}

/* The same, up to `until`. */
static inline void rig_expect_until(struct rig *rig, int64_t until, const char *expected)
{
    rig->length = 0;
    rig->log[0] = '\0';
    rig_run_until(rig, until);
    assert_string_equal(rig->log, expected);
    assert_int_equal(rig->world->now(rig->world), until);
}

#endif
