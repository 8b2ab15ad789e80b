/* actor.c - plays a client's part from a script, in whatever world it is run in, and prints what came of it: the
 * same script in the virtual world and against real servers shows where the two differ
 * (grader/looplab/telling/differential.py).
 *
 *     actor SCRIPT.json [WORLD [TRACE]]          WORLD: a world file, or "real"; TRACE: where its trace goes
 *
 * The script: {"sessions": [max_per_host, ...], "requests": [{"at": ms, "url": "...", ...}, ...]}. Each request is
 * a task that sleeps until `at`. Besides: "session" (from 1; 0: none), "method", "headers", "body", "body_size",
 * "timeout" (ms), "redirects" (co.h's max_redirects), "cancel" (ms after `at`: the task is cancelled), "piece"
 * (bytes: read as a stream, so many at a time) and "pause" (ms before each piece), "most" (bytes: the stream is
 * closed after so many).
 *
 * One line of JSON a request, in the script's order: {"rc", "status", "length", "hash", "begun", "ended"}, both
 * times in ns from the start; "piece_at": when each piece of a stream was there.
 */
#include "co.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SESSIONS = 8, PIECE_MOST = 1 << 20, TOLD_PIECES = 64 };

struct part {
    struct co_request request;
    int64_t at, cancel, pause;              /* ns; cancel < 0: never                                  */
    char *filling;                          /* the body, if only its size is given                      */
    size_t piece, most;                     /* bytes; piece 0: not as a stream                        */
    int rc, status;
    size_t length;
    uint64_t hash;
    int64_t begun, ended;
    int64_t piece_at[TOLD_PIECES];
    size_t pieces;
    co_task *task;
};

struct play {
    struct part *parts;
    size_t n;
    size_t sessions;
    struct co_session session[MOST_SESSIONS];
    int64_t start;
};

static struct play the;

/* FNV-1a. */
static uint64_t hash_of(const char *bytes, size_t size, uint64_t hash)
{
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3u;
    return hash;
}

static void fetch_whole(struct part *part)
{
    CO_RESPONSE(resp);
    part->rc = co_http_request(&part->request, &resp);
    part->status = resp.status;
    part->length = resp.length;
    part->hash = hash_of(resp.body, resp.length, part->hash);
}

static void fetch_stream(struct part *part)
{
    CO_STREAM(stream);
    char *buffer = malloc(part->piece);
    part->rc = buffer ? co_stream_open(&part->request, &stream) : -ENOMEM;
    part->status = stream.status;
    while (part->rc >= 0 && part->length < part->most) {
        if (part->pause && (part->rc = co_sleep(part->pause)) < 0)
            break;
        if ((part->rc = co_stream_read(&stream, buffer, part->piece)) <= 0)
            break;
        if (part->pieces < TOLD_PIECES)
            part->piece_at[part->pieces++] = co_now() - the.start;
        part->length += (size_t)part->rc;
        part->hash = hash_of(buffer, (size_t)part->rc, part->hash);
        part->rc = 0;
    }
    free(buffer);
}

static int act(void *job)
{
    struct part *part = job;
    int rc = co_sleep(part->at);
    if (rc < 0)
        return rc;
    part->begun = co_now() - the.start;
    if (part->piece)
        fetch_stream(part);
    else
        fetch_whole(part);
    part->ended = co_now() - the.start;
    return 0;
}

static int cut_short(void *job)
{
    struct part *part = job;
    int rc = co_sleep(part->at + part->cancel);
    if (rc == 0 && !part->ended)
        co_cancel(part->task);
    return rc;
}

static int perform(void *job)
{
    (void)job;
    the.start = co_now();
    CO_GROUP(group);
    for (size_t i = 0; i < the.n; i++)
        the.parts[i].task = co_spawn(&group, act, &the.parts[i]);
    for (size_t i = 0; i < the.n; i++)
        if (the.parts[i].cancel >= 0)
            co_spawn(&group, cut_short, &the.parts[i]);
    int rc = co_join(&group);
    for (size_t i = 0; i < the.sessions; i++)
        co_session_close(&the.session[i]);
    return rc;
}

static int64_t number(const json_t *in, const char *name, int64_t usual)
{
    const json_t *value = json_object_get(in, name);
    return value ? (int64_t)json_integer_value(value) : usual;
}

static void read_part(const json_t *in, struct part *part)
{
    const json_t *body = json_object_get(in, "body");
    size_t size = (size_t)number(in, "body_size", 0);
    int64_t session = number(in, "session", 0);
    *part = (struct part){
        .request = {
            .method = json_string_value(json_object_get(in, "method")),
            .url = json_string_value(json_object_get(in, "url")),
            .headers = json_string_value(json_object_get(in, "headers")), .body = json_string_value(body),
            .length = json_string_length(body), .timeout = CO_MS(number(in, "timeout", 0)),
            .max_redirects = (int)number(in, "redirects", 0),
            .session = session > 0 ? &the.session[session - 1] : NULL,
        },
        .at = CO_MS(number(in, "at", 0)), .cancel = -1, .pause = CO_MS(number(in, "pause", 0)),
        .piece = (size_t)number(in, "piece", 0), .most = (size_t)number(in, "most", INT32_MAX),
        .hash = 0xcbf29ce484222325u, .rc = -EINPROGRESS,
    };
    if (size) {
        part->request.body = part->filling = calloc(1, size);
        part->request.length = part->filling ? size : 0;
    }
    if (json_object_get(in, "cancel"))
        part->cancel = CO_MS(number(in, "cancel", 0));
}

/* False: this is no script. */
static bool read_script(const json_t *script)
{
    const json_t *sessions = json_object_get(script, "sessions"), *requests = json_object_get(script, "requests");
    the.sessions = json_array_size(sessions);
    the.n = json_array_size(requests);
    the.parts = calloc(the.n + 1, sizeof *the.parts);
    if (!json_is_array(requests) || the.sessions > MOST_SESSIONS || !the.parts)
        return false;
    for (size_t i = 0; i < the.sessions; i++)
        the.session[i].max_per_host = (uint32_t)json_integer_value(json_array_get(sessions, i));
    for (size_t i = 0; i < the.n; i++) {
        const json_t *request = json_array_get(requests, i);
        if (number(request, "session", 0) > (int64_t)the.sessions || number(request, "piece", 0) > PIECE_MOST)
            return false;
        read_part(request, &the.parts[i]);
    }
    return true;
}

static void print_part(const struct part *part)
{
    printf("{\"rc\":%d,\"status\":%d,\"length\":%zu,\"hash\":\"%016llx\",\"begun\":%lld,\"ended\":%lld,"
           "\"piece_at\":[", part->rc, part->status, part->length, (unsigned long long)part->hash,
           (long long)part->begun, (long long)part->ended);
    for (size_t i = 0; i < part->pieces; i++)
        printf("%s%lld", i ? "," : "", (long long)part->piece_at[i]);
    printf("]}\n");
}

int main(int argc, char **argv)
{
    json_error_t fault;
    json_t *script = argc > 1 ? json_load_file(argv[1], 0, &fault) : NULL;
    const struct co_options options = {.program = "actor", .world_file = argc > 2 ? argv[2] : NULL,
                                       .trace_file = argc > 3 ? argv[3] : NULL};
    if (!script || !read_script(script)) {
        fprintf(stderr, "actor: no script\n");
        return 2;
    }
    int rc = co_run(perform, NULL, &options);
    for (size_t i = 0; i < the.n; i++)
        print_part(&the.parts[i]);
    for (size_t i = 0; i < the.n; i++)
        free(the.parts[i].filling);
    free(the.parts);
    json_decref(script);
    return rc < 0;
}
