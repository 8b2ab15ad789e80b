/* world_file_client.c - the clients of a world file: when they come, and what they do. */
#include "world_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CLIENTS = 100000, MOST_NAME = 40, MOST_STEP_TIMES = 1000000, MOST_BODY = 64 << 20 };

/* ---- What is sent ----------------------------------------------------------------------------------- */

/* The bytes of a text that base64 stands for. */
static bool read_base64(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct step *step = into;
    const char *text = json_string_value(value);
    size_t length = json_string_length(value), n = 0;
    if (!text || length % 4 != 0)
        return vw_refuse(reader, place, "base64", value);
    char *bytes = malloc(length / 4 * 3 + 1);
    if (!bytes)
        return vw_refuse_memory(reader);
    for (size_t i = 0; i < length; i += 4) {
        uint32_t group = 0;
        int pads = 0;
        for (size_t k = 0; k < 4; k++) {
            const char *letter = text[i + k] ? strchr(letters, text[i + k]) : NULL;
            bool pad = text[i + k] == '=' && k >= 2 && i + 4 == length;
            pads += pad;
            if ((!letter && !pad) || (letter && pads)) {
                free(bytes);
                return vw_refuse(reader, place, "base64", value);
            }
            group = group << 6 | (letter ? (uint32_t)(letter - letters) : 0);
        }
        for (int k = 0; k < 3 - pads; k++)
            bytes[n++] = (char)(group >> (16 - 8 * k));
    }
    free(step->bytes);
    step->bytes = bytes;
    step->size = n;
    return true;
}

static bool read_bytes(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    struct step *step = into;
    if (!vw_read_text(reader, place, value, &step->bytes))
        return false;
    step->size = json_string_length(value);
    return true;
}

/* So many bytes: the pattern's. */
static bool read_size(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    struct step *step = into;
    int64_t size;
    if (!vw_read_between(reader, place, value, 0, MOST_BODY, &size))
        return false;
    free(step->bytes);
    step->bytes = malloc((size_t)size + 1);
    if (!step->bytes)
        return vw_refuse_memory(reader);
    vw_pattern_fill(step->bytes, (size_t)size);
    step->size = (size_t)size;
    return true;
}

static bool read_path(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    struct step *step = into;
    if (!vw_is_word(value) || json_string_value(value)[0] != '/' || strchr(json_string_value(value), '#'))
        return vw_refuse(reader, place, "a path such as \"/news\"", value);
    return vw_read_text(reader, place, value, &step->path);
}

static bool read_method(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    struct step *step = into;
    const char *method = vw_is_word(value) ? json_string_value(value) : "";
    if (!*method || method[strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")])
        return vw_refuse(reader, place, "a method such as \"PUT\"", value);
    return vw_read_text(reader, place, value, &step->method);
}

static bool read_headers(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    struct step *step = into;
    struct bytes lines = {0};
    if (!vw_read_header_lines(reader, place, value, &lines)) {
        free(lines.at);
        return false;
    }
    vw_append(&lines, "", 1);
    if (lines.failed) {
        free(lines.at);
        return vw_refuse_memory(reader);
    }
    step->headers = lines.at;
    return true;
}

/* ---- Steps --------------------------------------------------------------------------------------------- */

#define STEP(member) offsetof(struct step, member)

static bool read_code(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    return vw_read_between(reader, place, value, 1000, 4999, into);
}

static bool read_times(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    return vw_read_between(reader, place, value, 1, MOST_STEP_TIMES, into);
}

static bool read_vanish(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    static const char *const ways[] = {"fin", "rst", "silence"};
    return vw_read_choice(reader, place, value, ways, LENGTH(ways), "fin, rst or silence", into);
}

static bool read_true(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    (void)into;
    return json_is_true(value) ? true : vw_refuse(reader, place, "true", value);
}

/* The key that says what a step is, and those that go with it. */
static const struct { const char *key; enum step_kind kind; vw_read read; size_t offset; const char *with; } KINDS[] = {
    {"wait", STEP_WAIT, vw_read_time, STEP(time), ""},
    {"request", STEP_REQUEST, read_path, 0, " method headers body body_size stream times every "},
    {"websocket", STEP_WEBSOCKET, read_path, 0, " headers "},
    {"text", STEP_TEXT, read_bytes, 0, " times every "},
    {"binary", STEP_BINARY, read_base64, 0, " times every "},
    {"ping", STEP_PING, read_bytes, 0, " times every "},
    {"close", STEP_CLOSE, read_code, STEP(code), " reason "},
    {"send", STEP_SEND, read_bytes, 0, " times every "},
    {"send_base64", STEP_SEND, read_base64, 0, " times every "},
    {"receive", STEP_RECEIVE, read_times, STEP(times), ""},
    {"stall", STEP_STALL, vw_read_time, STEP(time), ""},
    {"vanish", STEP_VANISH, read_vanish, STEP(how), ""},
    {"stay", STEP_STAY, read_true, 0, ""},
};

static const struct field step_fields[] = {
    {"wait", vw_read_ignored, 0}, {"request", vw_read_ignored, 0}, {"websocket", vw_read_ignored, 0},
    {"text", vw_read_ignored, 0}, {"binary", vw_read_ignored, 0}, {"ping", vw_read_ignored, 0},
    {"close", vw_read_ignored, 0}, {"send", vw_read_ignored, 0}, {"send_base64", vw_read_ignored, 0},
    {"receive", vw_read_ignored, 0}, {"stall", vw_read_ignored, 0}, {"vanish", vw_read_ignored, 0},
    {"stay", vw_read_ignored, 0},
    {"method", read_method, 0}, {"headers", read_headers, 0}, {"body", read_bytes, 0}, {"body_size", read_size, 0},
    {"stream", vw_read_bool, STEP(stream)}, {"reason", read_bytes, 0}, {"times", read_times, STEP(times)},
    {"every", vw_read_time, STEP(every)},
};

/* Which of KINDS an object is; LENGTH(KINDS): none, or several. */
static size_t kind_of(const json_t *value)
{
    size_t found = LENGTH(KINDS);
    for (size_t i = 0; i < LENGTH(KINDS); i++)
        if (json_object_get(value, KINDS[i].key)) {
            if (found < LENGTH(KINDS))
                return LENGTH(KINDS);
            found = i;
        }
    return found;
}

static bool read_step(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    struct step *step = into;
    const char *key;
    json_t *member;
    char word[40];
    size_t kind = kind_of(value);
    step->times = 1;
    if (json_is_object(value) && kind == LENGTH(KINDS))
        return vw_refuse(reader, place, "one of wait, request, websocket, text, binary, ping, close, send, "
                         "send_base64, receive, stall, vanish and stay", value);
    if (!vw_read_object(reader, place, value, step_fields, LENGTH(step_fields), step))
        return false;
    json_object_foreach((json_t *)value, key, member) {
        snprintf(word, sizeof word, " %s ", key);
        if (strcmp(key, KINDS[kind].key) != 0 && !strstr(KINDS[kind].with, word))
            return vw_refuse_because(reader, &(struct place){.in = place, .key = key}, "does not go with %s",
                                     KINDS[kind].key);
    }
    if (json_object_get(value, "body") && json_object_get(value, "body_size"))
        return vw_refuse_because(reader, &(struct place){.in = place, .key = "body_size"}, "does not go with body");
    step->kind = KINDS[kind].kind;
    struct place at = {.in = place, .key = KINDS[kind].key};
    if (!KINDS[kind].read(reader, &at, json_object_get(value, KINDS[kind].key), (char *)step + KINDS[kind].offset))
        return false;
    if (step->kind == STEP_CLOSE && !pt_ws_may_send((int)step->code))
        return vw_refuse(reader, &at, "a code that may be sent", json_object_get(value, "close"));
    return true;
}

static bool read_steps(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    struct script *script = into;
    void *steps = NULL;
    bool ok = vw_read_array(reader, place, value, read_step, sizeof *script->steps, &steps, &script->step_count);
    script->steps = steps;
    return ok;
}

/* ---- Clients ---------------------------------------------------------------------------------------------- */

static bool read_name(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    struct script *script = into;
    if (!vw_is_word(value) || json_string_length(value) > MOST_NAME)
        return vw_refuse(reader, place, "a name of at most 40 characters, without blanks", value);
    return vw_read_text(reader, place, value, &script->name);
}

static bool read_to(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    struct script *script = into;
    const char *text = vw_is_word(value) ? json_string_value(value) : "", *colon = strrchr(text, ':');
    size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;
    script->port = digits > 0 && digits < 6 && !colon[1 + digits] ? atol(colon + 1) : 0;
    if (colon == text || script->port < 1 || script->port > 65535 || strpbrk(text, "/?@") || strlen(text) > 120)
        return vw_refuse(reader, place, "a host and a port such as \"app.test:8080\"", value);
    return vw_read_text(reader, place, value, &script->host);
}

static bool read_count(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    return vw_read_between(reader, place, value, 1, MOST_CLIENTS, into);
}

static bool read_window(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    return vw_read_between(reader, place, value, 1, 1 << 30, into);
}

#define SCRIPT(member) offsetof(struct script, member)
static const struct field client_fields[] = {
    {"name", read_name, 0}, {"to", read_to, 0}, {"at", vw_read_time, SCRIPT(at)}, {"rtt", vw_read_time, SCRIPT(rtt)},
    {"window", read_window, SCRIPT(window)}, {"reads", vw_read_from_1, SCRIPT(rate)},
    {"count", read_count, SCRIPT(count)}, {"every", vw_read_time, SCRIPT(every)}, {"do", read_steps, 0},
};

static bool read_client(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    struct script *script = into;
    *script = (struct script){.count = 1, .window = VW_BLOCK, .rate = VW_UNLIMITED};
    if (!vw_read_object(reader, place, value, client_fields, LENGTH(client_fields), script))
        return false;
    if (!script->name)
        return vw_refuse(reader, &(struct place){.in = place, .key = "name"}, "a name", NULL);
    if (!script->host)
        return vw_refuse(reader, &(struct place){.in = place, .key = "to"}, "a host and a port", NULL);
    if (!script->steps)
        return vw_refuse(reader, &(struct place){.in = place, .key = "do"}, "an array of steps", NULL);
    return true;
}

bool vw_read_clients(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    struct guests *guests = into;
    void *scripts = NULL;
    bool ok = vw_read_array(reader, place, value, read_client, sizeof *guests->scripts, &scripts,
                            &guests->script_count);
    int64_t all = 0;
    guests->scripts = scripts;
    for (size_t i = 0; ok && i < guests->script_count; i++) {
        const struct place at = {.in = place, .index = i};
        for (size_t j = 0; j < i; j++)
            if (strcmp(guests->scripts[i].name, guests->scripts[j].name) == 0)
                return vw_refuse_because(reader, &at, "expected a name of its own: number %zu has the same", j);
        if ((all += guests->scripts[i].count) > MOST_CLIENTS)
            return vw_refuse_because(reader, &at, "more than %d clients in all", MOST_CLIENTS);
    }
    return ok;
}

bool vw_read_stop(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    struct guests *guests = into;
    guests->has_stop = true;
    return vw_read_time(reader, place, value, &guests->stop);
}
