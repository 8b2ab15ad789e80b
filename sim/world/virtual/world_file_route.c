/* world_file_route.c - a route of a site, as the world file says it. */
#include "world_file.h"

#include <stdlib.h>
#include <string.h>

static bool read_path(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    if (!vw_is_word(value) || json_string_value(value)[0] != '/' || strchr(json_string_value(value), '#'))
        return vw_refuse(reader, place, "a path such as \"/index.html\"", value);
    return vw_read_text(reader, place, value, into);
}

static bool read_method(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    const char *text = json_string_value(value);
    if (!vw_is_word(value) || strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != strlen(text))
        return vw_refuse(reader, place, "a method such as \"GET\"", value);
    return vw_read_text(reader, place, value, into);
}

static bool read_latency(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    struct route *route = into;
    if (!json_is_array(value)) {
        if (!vw_read_time(reader, place, value, &route->latency_lo))
            return false;
        route->latency_hi = route->latency_lo;
        return true;
    }
    const struct place lo = {.in = place, .index = 0}, hi = {.in = place, .index = 1};
    if (json_array_size(value) == 2) {
        if (!vw_read_time(reader, &lo, json_array_get(value, 0), &route->latency_lo)
            || !vw_read_time(reader, &hi, json_array_get(value, 1), &route->latency_hi))
            return false;
        if (route->latency_lo <= route->latency_hi)
            return true;
    }
    return vw_refuse(reader, place, "two times, the shorter one first, such as [\"100ms\",\"500ms\"]", value);
}

/* Whether the answer's body is the request's. */
static bool read_echo(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    if (!json_is_true(value))
        return vw_refuse(reader, place, "true", value);
    *(bool *)into = true;
    return true;
}

/* Header lines, at least one. */
static bool read_lines(struct reader *reader, const struct place *place, const json_t *value, const char *example,
                       char **into)
{
    struct bytes lines = {0};
    if (!json_is_object(value) || json_object_size(value) == 0)
        return vw_refuse(reader, place, example, value);
    bool ok = vw_read_header_lines(reader, place, value, &lines);
    vw_append(&lines, "", 1);
    if (ok && lines.failed)
        ok = vw_refuse_memory(reader);
    *into = lines.at;
    return ok;
}

static bool read_require(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    return read_lines(reader, place, value, "an object such as {\"Authorization\":\"Bearer 1\"}", into);
}

static bool read_trailers(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    return read_lines(reader, place, value, "an object such as {\"X-Lines\":\"7\"}", into);
}

/* What a chunked body has, and an echo has not. */
static bool check_framing(struct reader *reader, const struct place *place, const struct route *route)
{
    if (route->trailers && route->answer.framing != FRAMED_CHUNKED)
        return vw_refuse_because(reader, &(struct place){.in = place, .key = "trailers"},
                                 "expected \"framing\":\"chunked\" beside it: no other body has trailers");
    if (route->echo && route->answer.framing != FRAMED_LENGTH)
        return vw_refuse_because(reader, place, "expected only one of echo and framing");
    return true;
}

static const struct field route_fields[] = {
    {"path", read_path, offsetof(struct route, path)},
    {"method", read_method, offsetof(struct route, method)},
    {"latency", read_latency, 0},
    {"bandwidth", vw_read_from_1, offsetof(struct route, bandwidth)},
    {"chunk", vw_read_from_1, offsetof(struct route, chunk)},
    {"cpu", vw_read_time, offsetof(struct route, cpu)},
    {"require", read_require, offsetof(struct route, require)},
    {"echo", read_echo, offsetof(struct route, echo)},
    {"etag", vw_read_etag, offsetof(struct route, version.etag)},
    {"last_modified", vw_read_date, offsetof(struct route, version.modified)},
    {"ranges", vw_read_bool, offsetof(struct route, version.ranges)},
    {"framing", vw_read_framing, offsetof(struct route, answer.framing)},
    {"trailers", read_trailers, offsetof(struct route, trailers)},
    {"answers", vw_read_turns, 0},
    ANSWER_FIELDS,
    {"fault", vw_read_ignored, 0},          /* read when the answer is known */
};

bool vw_read_route(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    struct route *route = into;
    route->bandwidth = -1;   /* not given: the site's */
    route->chunk = VW_UNLIMITED;
    if (!vw_read_object(reader, place, value, route_fields, LENGTH(route_fields), route))
        return false;
    if (!route->path)
        return vw_refuse(reader, &(struct place){.in = place, .key = "path"}, "a path such as \"/index.html\"", NULL);
    bool ok = check_framing(reader, place, route) && vw_make_version(reader, place, value, route)
        && vw_read_answer(reader, place, value, route->echo, route->version.lines, &route->answer, &route->bytes);
    const json_t *fault = json_object_get(value, "fault");
    const struct place fault_at = {.in = place, .key = "fault"};
    return ok && (!fault || (vw_read_fault(reader, &fault_at, fault, true, &route->fault)
                             && vw_check_after(reader, &fault_at, fault, route)));
}
