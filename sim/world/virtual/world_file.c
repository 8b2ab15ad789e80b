/* world_file.c - the world file: what it may say (world.schema.json says it too), and what it means. */
#include "field.h"
#include "virtual.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FORMAT "looplab/world/v1"
#define LENGTH(array) (sizeof(array) / sizeof(array)[0])
#define MAX_CPUS 1024            /* each costs a byte and a look at every start of a job */
#define MAX_RATE 1000000         /* each request of a rate limit's window is remembered  */

/* ---- Faults -------------------------------------------------------------------------------- */

static bool read_probability(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    struct fault *fault = into;
    double p = json_number_value(value);
    if (!json_is_number(value) || !(p >= 0 && p <= 1))
        return vw_refuse(reader, place, "a probability from 0 to 1", value);
    fault->by_chance = p > 0 && p < 1;
    fault->threshold = fault->by_chance ? vw_threshold(p) : 0;
    if (p == 0)
        fault->times = 0;
    return true;
}

#define FAULT(member) offsetof(struct fault, member)
#define EVERY_FAULT \
    {"kind", vw_read_ignored, 0}, {"times", vw_read_from_0, FAULT(times)}, {"probability", read_probability, 0}

static const struct field plain_fields[] = {EVERY_FAULT};
static const struct field after_fields[] = {EVERY_FAULT, {"after", vw_read_from_0, FAULT(after)}};
static const struct field drip_fields[] = {
    EVERY_FAULT, {"bytes", vw_read_from_1, FAULT(bytes)}, {"every", vw_read_time, FAULT(every)},
};

/* The kinds of faults, and which keys each has. */
static const struct {
    const char *name;
    enum fault_kind kind;
    bool of_sites, of_routes;
    const struct field *fields;
    size_t n;
} faults[] = {
    {"refused", FAULT_REFUSED, true, true, plain_fields, LENGTH(plain_fields)},
    {"unresolved", FAULT_UNRESOLVED, true, false, plain_fields, LENGTH(plain_fields)},
    {"reset", FAULT_RESET, false, true, after_fields, LENGTH(after_fields)},
    {"hang", FAULT_HANG, false, true, plain_fields, LENGTH(plain_fields)},
    {"drip", FAULT_DRIP, false, true, drip_fields, LENGTH(drip_fields)},
    {"truncate", FAULT_TRUNCATE, false, true, after_fields, LENGTH(after_fields)},
};

static bool read_fault(struct reader *reader, const struct place *place, const json_t *value, bool of_route,
                       struct fault *fault)
{
    const struct place kind_at = {.in = place, .key = "kind"};
    if (!json_is_object(value))
        return vw_refuse(reader, place, "an object", value);
    const json_t *kind = json_object_get(value, "kind");
    size_t i = 0;
    while (i < LENGTH(faults) && !((of_route ? faults[i].of_routes : faults[i].of_sites) && json_is_string(kind)
                                   && strcmp(json_string_value(kind), faults[i].name) == 0))
        i++;
    if (i == LENGTH(faults))
        return vw_refuse(reader, &kind_at,
                         of_route ? "refused, reset, hang, drip or truncate" : "refused or unresolved", kind);
    *fault = (struct fault){.kind = faults[i].kind, .times = VW_UNLIMITED, .bytes = 1};
    if (json_object_get(value, "times") && json_object_get(value, "probability"))
        return vw_refuse_because(reader, place, "expected either times or probability, not both");
    if (!vw_read_object(reader, place, value, faults[i].fields, faults[i].n, fault))
        return false;
    if (fault->kind == FAULT_DRIP && fault->every == 0)
        return vw_refuse(reader, &(struct place){.in = place, .key = "every"}, "a time above 0, such as \"1s\"",
                         json_object_get(value, "every"));
    return true;
}

/* Reset and truncate happen inside the body. */
static bool check_after(struct reader *reader, const struct place *place, const json_t *value,
                        const struct route *route)
{
    const struct fault *fault = &route->fault;
    int64_t most = fault->kind == FAULT_RESET ? route->answer.body : route->answer.body - 1, ignored;
    if (route->echo || (fault->kind != FAULT_RESET && fault->kind != FAULT_TRUNCATE) || fault->after <= most)
        return true;
    if (most < 0)
        return vw_refuse_because(reader, place, "expected a route with a body, as there is nothing to truncate");
    const struct place after = {.in = place, .key = "after"};
    return vw_read_between(reader, &after, json_object_get(value, "after"), 0, most, &ignored);
}

static bool read_site_fault(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    return read_fault(reader, place, value, false, into);
}

/* ---- Answers: headers and body ------------------------------------------------------------- */

/* Bytes that grow. */
struct bytes {
    char *at;
    size_t length, room;
    bool failed;
};

static void append(struct bytes *bytes, const char *data, size_t length)
{
    if (bytes->failed || length == 0)
        return;
    if (length > bytes->room - bytes->length) {
        size_t room = 2 * (bytes->length + length);
        char *at = realloc(bytes->at, room);
        if (!at) {
            bytes->failed = true;
            return;
        }
        bytes->at = at;
        bytes->room = room;
    }
    memcpy(bytes->at + bytes->length, data, length);
    bytes->length += length;
}

static void append_header(struct bytes *bytes, const char *name, const char *value, size_t length)
{
    append(bytes, name, strlen(name));
    append(bytes, ": ", 2);
    append(bytes, value, length);
    append(bytes, "\n", 1);
}

/* Whether the value is a text that fits into one line. */
static bool is_line(const json_t *value)
{
    const char *text = json_string_value(value);
    for (size_t i = 0; i < json_string_length(value); i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 127)
            return false;
    return text != NULL;
}

static bool is_header_name(const char *name)
{
    for (const char *c = name; *c; c++)
        if (*c <= ' ' || *c > '~' || *c == ':')
            return false;
    return *name != '\0';
}

/* Adds the members of an object as lines "Name: value". */
static bool read_header_lines(struct reader *reader, const struct place *place, const json_t *value,
                              struct bytes *bytes)
{
    const char *name;
    json_t *text;
    json_object_foreach((json_t *)value, name, text) {
        const struct place at = {.in = place, .key = name};
        if (!is_header_name(name))
            return vw_refuse_because(reader, &at, "expected a header's name, without blanks and colons");
        if (strcasecmp(name, "Content-Length") == 0)
            return vw_refuse_because(reader, &at, "unknown key, the world itself says how long the body is");
        if (!is_line(text))
            return vw_refuse(reader, &at, "a text of one line", text);
        append_header(bytes, name, json_string_value(text), json_string_length(text));
    }
    return true;
}

static bool read_headers(struct reader *reader, const struct place *place, const json_t *value, struct bytes *bytes)
{
    if (value && !json_is_object(value))
        return vw_refuse(reader, place, "an object such as {\"Content-Type\":\"text/html\"}", value);
    return !value || read_header_lines(reader, place, value, bytes);
}

static int base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* Decodes text[0..length) into out, which has room for 3 bytes of every 4.
 * Returns how many bytes, -1: it is no base64. */
static long decode_base64(const char *text, size_t length, char *out)
{
    size_t n = 0, padding = 0;
    while (padding < 2 && padding < length && text[length - padding - 1] == '=')
        padding++;
    uint32_t bits = 0;
    for (size_t i = 0; i < length - padding; i++) {
        int digit = base64_digit(text[i]);
        if (digit < 0)
            return -1;
        bits = bits << 6 | (uint32_t)digit;
        if (i % 4 != 0)
            out[n++] = (char)(bits >> (6 - 2 * (i % 4)));
    }
    return length % 4 == 0 ? (long)n : -1;
}

static bool read_base64(struct reader *reader, const struct place *place, const json_t *value, struct bytes *body)
{
    if (!json_is_string(value))
        return vw_refuse(reader, place, "a text in base64", value);
    size_t length = json_string_length(value);
    body->at = malloc(length + 1);
    if (!body->at)
        return vw_refuse_memory(reader);
    long n = decode_base64(json_string_value(value), length, body->at);
    if (n < 0)
        return vw_refuse(reader, place, "a text in base64", value);
    body->length = (size_t)n;
    return true;
}

/* Reads whichever of the four bodies there is (an echo's comes later). A small
 * one of a given size becomes bytes like any other. */
static bool read_body(struct reader *reader, const struct place *place, const json_t *value, struct answer *answer,
                      struct bytes *body)
{
    static const char *const keys[] = {"body", "body_base64", "body_size", "echo"};
    const char *key = NULL;
    for (size_t i = 0; i < LENGTH(keys); i++) {
        if (!json_object_get(value, keys[i]))
            continue;
        if (key)
            return vw_refuse_because(reader, place, "expected only one of %s and %s", key, keys[i]);
        key = keys[i];
    }
    const struct place at = {.in = place, .key = key};
    const json_t *member = key ? json_object_get(value, key) : NULL;
    if (key == keys[0]) {
        if (!json_is_string(member))
            return vw_refuse(reader, &at, "a text", member);
        append(body, json_string_value(member), json_string_length(member));
    } else if (key == keys[1]) {
        if (!read_base64(reader, &at, member, body))
            return false;
    } else if (key == keys[2]) {
        if (!vw_read_from_0(reader, &at, member, &answer->body))
            return false;
        answer->patterned = answer->body > VW_BLOCK;
        if (!answer->patterned) {
            body->at = malloc(VW_BLOCK);
            if (!body->at)
                return vw_refuse_memory(reader);
            body->length = (size_t)answer->body;
            vw_pattern_fill(body->at, body->length);
        }
    }
    if (!answer->patterned)
        answer->body = (int64_t)body->length;
    return true;
}

/* Whether the answer's body is the request's. */
static bool read_echo(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    if (!json_is_true(value))
        return vw_refuse(reader, place, "true", value);
    *(bool *)into = true;
    return true;
}

static bool read_require(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    struct bytes lines = {0};
    if (!json_is_object(value) || json_object_size(value) == 0)
        return vw_refuse(reader, place, "an object such as {\"Authorization\":\"Bearer 1\"}", value);
    bool ok = read_header_lines(reader, place, value, &lines);
    append(&lines, "", 1);
    if (ok && lines.failed)
        ok = vw_refuse_memory(reader);
    *(char **)into = lines.at;
    return ok;
}

static bool read_status(struct reader *reader, const struct place *place, const json_t *value, bool redirect,
                        int32_t *status)
{
    int lo = redirect ? 300 : 100, hi = redirect ? 399 : 599;
    *status = redirect ? 302 : 200;
    if (!value)
        return true;
    if (!json_is_integer(value) || json_integer_value(value) < lo || json_integer_value(value) > hi)
        return vw_refuse(reader, place, redirect ? "an HTTP status from 300 to 399, as this is a redirect"
                                                 : "an HTTP status from 100 to 599", value);
    *status = (int32_t)json_integer_value(value);
    return true;
}

/* Puts headers and body one behind the other. */
static bool read_answer(struct reader *reader, const struct place *place, const json_t *value, struct route *route,
                        struct bytes *bytes, struct bytes *body)
{
    struct answer *answer = &route->answer;
    json_t *redirect = json_object_get(value, "redirect");
    const struct place headers_at = {.in = place, .key = "headers"}, status_at = {.in = place, .key = "status"};
    if (!read_status(reader, &status_at, json_object_get(value, "status"), redirect != NULL, &answer->status)
        || !read_headers(reader, &headers_at, json_object_get(value, "headers"), bytes)
        || !read_body(reader, place, value, answer, body))
        return false;
    if (redirect && !vw_is_word(redirect))
        return vw_refuse(reader, &(struct place){.in = place, .key = "redirect"}, "a URL such as \"http://a.test/b\"",
                         redirect);
    if (redirect)
        append_header(bytes, "Location", json_string_value(redirect), json_string_length(redirect));
    char length[24];
    int digits = snprintf(length, sizeof length, "%lld", (long long)answer->body);
    if (!route->echo)           /* else it is known when the request is */
        append_header(bytes, "Content-Length", length, (size_t)digits);
    answer->head = (uint32_t)bytes->length;
    append(bytes, body->at ? body->at : "", body->length);
    return bytes->failed || body->failed ? vw_refuse_memory(reader) : true;
}

/* ---- Routes -------------------------------------------------------------------------------- */

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

static const struct field route_fields[] = {
    {"path", read_path, offsetof(struct route, path)},
    {"method", read_method, offsetof(struct route, method)},
    {"latency", read_latency, 0},
    {"bandwidth", vw_read_from_1, offsetof(struct route, bandwidth)},
    {"chunk", vw_read_from_1, offsetof(struct route, chunk)},
    {"cpu", vw_read_time, offsetof(struct route, cpu)},
    {"require", read_require, offsetof(struct route, require)},
    {"echo", read_echo, offsetof(struct route, echo)},
    /* These depend on each other, and are read by hand. */
    {"status", vw_read_ignored, 0},
    {"headers", vw_read_ignored, 0},
    {"body", vw_read_ignored, 0},
    {"body_base64", vw_read_ignored, 0},
    {"body_size", vw_read_ignored, 0},
    {"redirect", vw_read_ignored, 0},
    {"fault", vw_read_ignored, 0},
};

static bool read_route(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    struct route *route = into;
    route->bandwidth = -1;   /* not given: the site's */
    route->chunk = VW_UNLIMITED;
    if (!vw_read_object(reader, place, value, route_fields, LENGTH(route_fields), route))
        return false;
    if (!route->path)
        return vw_refuse(reader, &(struct place){.in = place, .key = "path"}, "a path such as \"/index.html\"", NULL);
    struct bytes bytes = {0}, body = {0};
    bool ok = read_answer(reader, place, value, route, &bytes, &body);
    free(body.at);
    route->bytes = bytes.at;
    route->answer.bytes = bytes.at;
    const json_t *fault = json_object_get(value, "fault");
    const struct place fault_at = {.in = place, .key = "fault"};
    return ok && (!fault || (read_fault(reader, &fault_at, fault, true, &route->fault)
                             && check_after(reader, &fault_at, fault, route)));
}

/* ---- Sites --------------------------------------------------------------------------------- */

static bool read_url(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    struct site *site = into;
    struct url url;
    const char *text = json_string_value(value), *host = text ? strstr(text, "://") : NULL;
    if (!vw_is_word(value) || !vw_url_parse(&url, text, strlen(text)) || strpbrk(host + 3, "/?#@"))
        return vw_refuse(reader, place, "a URL such as \"http://a.test\" or \"http://a.test:8080\"", value);
    site->port = url.port;
    site->origin = strndup(url.origin, url.origin_length);
    site->url = strdup(text);
    return site->origin && site->url ? true : vw_refuse_memory(reader);
}

static bool read_requests(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    return vw_read_between(reader, place, value, 1, MAX_RATE, into);
}

static const struct field rate_fields[] = {
    {"requests", read_requests, offsetof(struct rate_limit, requests)},
    {"per", vw_read_time, offsetof(struct rate_limit, per)},
};

static bool read_rate(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    struct rate_limit *rate = into;
    if (!vw_read_object(reader, place, value, rate_fields, LENGTH(rate_fields), rate))
        return false;
    const json_t *per = json_object_get(value, "per");
    if (!json_object_get(value, "requests"))
        return vw_refuse(reader, &(struct place){.in = place, .key = "requests"}, "a whole number from 1 to 1000000",
                         NULL);
    if (!per || rate->per == 0)
        return vw_refuse(reader, &(struct place){.in = place, .key = "per"}, "a time above 0, such as \"1s\"", per);
    rate->accepted = calloc((size_t)rate->requests, sizeof *rate->accepted);
    return rate->accepted ? true : vw_refuse_memory(reader);
}

static bool read_routes(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    struct site *site = into;
    void *routes = NULL;
    bool ok = vw_read_array(reader, place, value, read_route, sizeof *site->routes, &routes, &site->route_count);
    site->routes = routes;
    return ok;
}

static const struct field site_fields[] = {
    {"url", read_url, 0},
    {"rtt", vw_read_time, offsetof(struct site, rtt)},
    {"connect", vw_read_time, offsetof(struct site, connect)},
    {"resolve", vw_read_time, offsetof(struct site, resolve)},
    {"workers", vw_read_from_1, offsetof(struct site, workers)},
    {"max_connections", vw_read_from_1, offsetof(struct site, max_connections)},
    {"backlog", vw_read_from_0, offsetof(struct site, backlog)},
    {"rate_limit", read_rate, offsetof(struct site, rate)},
    {"bandwidth", vw_read_from_1, offsetof(struct site, bandwidth)},
    {"fault", read_site_fault, offsetof(struct site, fault)},
    {"routes", read_routes, 0},
};

/* No two routes may fit the same request. */
static bool check_routes(struct reader *reader, const struct place *place, const struct site *site)
{
    const struct place routes = {.in = place, .key = "routes"};
    for (size_t i = 0; i < site->route_count; i++) {
        const struct route *route = &site->routes[i], *other = vw_path_find(site, route->path, strlen(route->path));
        for (; other; other = other->other_method) {
            bool same = route->method && other->method ? strcmp(route->method, other->method) == 0
                                                       : route->method == other->method;
            if (same && other < route)
                return vw_refuse_because(reader, &(struct place){.in = &routes, .index = i},
                                         "the same path and method as routes/%zu", (size_t)(other - site->routes));
        }
    }
    return true;
}

/* Draws are by name: "http://a.test/path", with the method and a blank before it if the route has one. */
static bool make_keys(struct reader *reader, struct site *site)
{
    site->key = vw_key(site->url, strlen(site->url));
    for (size_t i = 0; i < site->route_count; i++) {
        struct route *route = &site->routes[i];
        struct bytes name = {0};
        if (route->method) {
            append(&name, route->method, strlen(route->method));
            append(&name, " ", 1);
        }
        append(&name, site->url, strlen(site->url));
        append(&name, route->path, strlen(route->path));
        if (!name.failed)
            route->key = vw_key(name.at, name.length);
        free(name.at);
        if (name.failed)
            return vw_refuse_memory(reader);
    }
    return true;
}

static bool read_site(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    struct site *site = into;
    site->connect = -1;   /* not given: as long as a round trip */
    site->workers = site->max_connections = site->backlog = site->bandwidth = site->rate.requests = VW_UNLIMITED;
    if (!vw_read_object(reader, place, value, site_fields, LENGTH(site_fields), site))
        return false;
    if (!site->url)
        return vw_refuse(reader, &(struct place){.in = place, .key = "url"}, "a URL such as \"http://a.test\"", NULL);
    if (site->connect < 0)
        site->connect = site->rtt;
    for (size_t i = 0; i < site->route_count; i++)
        if (site->routes[i].bandwidth < 0)
            site->routes[i].bandwidth = site->bandwidth;
    if (!vw_site_index(site))
        return vw_refuse_memory(reader);
    return check_routes(reader, place, site) && make_keys(reader, site);
}

/* ---- The whole file ------------------------------------------------------------------------ */

static bool read_version(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    (void)into;
    const char *text = json_string_value(value);
    return text && strcmp(text, FORMAT) == 0 ? true : vw_refuse(reader, place, "\"" FORMAT "\"", value);
}

static bool read_seed(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    int64_t seed;
    if (!vw_read_from_0(reader, place, value, &seed))
        return false;
    *(uint64_t *)into = (uint64_t)seed;
    return true;
}

static bool read_cpus(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    return vw_read_between(reader, place, value, 1, MAX_CPUS, into);
}

static bool read_sites(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    struct network *network = into;
    void *sites = NULL;
    bool ok = vw_read_array(reader, place, value, read_site, sizeof *network->sites, &sites, &network->site_count);
    network->sites = sites;
    if (!ok)
        return false;
    if (!vw_network_index(network))
        return vw_refuse_memory(reader);
    for (size_t i = 0; i < network->site_count; i++) {
        struct url url;
        vw_url_parse(&url, network->sites[i].url, strlen(network->sites[i].url));
        size_t first = (size_t)(vw_site_find(network, &url) - network->sites);
        const struct place at = {.in = place, .index = i}, url_at = {.in = &at, .key = "url"};
        if (first != i)
            return vw_refuse_because(reader, &url_at, "the same site as /sites/%zu", first);
    }
    return true;
}

static const struct field world_fields[] = {
    {"world", read_version, 0},
    {"seed", read_seed, offsetof(struct description, seed)},
    {"cpus", read_cpus, offsetof(struct description, cpus)},
    {"sites", read_sites, offsetof(struct description, network)},
    {"disk", vw_read_disk, offsetof(struct description, disk)},
    {"$schema", vw_read_ignored, 0},   /* where an editor finds world.schema.json */
};

static bool needs_pattern(const struct network *network)
{
    for (size_t i = 0; i < network->site_count; i++)
        for (size_t j = 0; j < network->sites[i].route_count; j++)
            if (network->sites[i].routes[j].answer.patterned)
                return true;
    return false;
}

static bool read_world(struct reader *reader, const json_t *value, struct description *description)
{
    struct network *network = &description->network;
    const struct place top = {0};
    if (json_is_object(value) && !json_object_get(value, "world"))
        return vw_refuse(reader, &(struct place){.in = &top, .key = "world"}, "\"" FORMAT "\"", NULL);
    if (!vw_read_object(reader, &top, value, world_fields, LENGTH(world_fields), description))
        return false;
    if (!needs_pattern(network))
        return true;
    network->pattern = malloc(VW_BLOCK + VW_PATTERN);
    if (!network->pattern)
        return vw_refuse_memory(reader);
    vw_pattern_fill(network->pattern, VW_BLOCK + VW_PATTERN);
    return true;
}

/* The file as JSON, to be decref'ed; NULL: refused. */
static json_t *load(struct reader *reader)
{
    enum { HOW = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL };
    json_error_t fault;
    bool is_text = reader->text;
    FILE *file = is_text ? NULL : fopen(reader->file, "rb");
    json_t *value = is_text ? json_loads(reader->text, HOW, &fault) : file ? json_loadf(file, HOW, &fault) : NULL;
    if (!is_text && (!file || ferror(file)))   /* a folder opens, but cannot be read */
        vw_refuse_because(reader, NULL, "cannot be read: %s", strerror(errno));
    else if (!value)
        vw_refuse_because(reader, NULL, "line %d, column %d: %s", fault.line, fault.column, fault.text);
    for (char *c = reader->error; !value && *c; c++)
        if ((unsigned char)*c < ' ')
            *c = '?';   /* Jansson quotes what it found there, and the message is one line */
    if (file)
        fclose(file);
    return value;
}

/* Jansson does not always tell when it gets no memory: it may take the file for a wrong one, or leave out a character
 * and read another world. So its allocations go by here while a world is read. */
static json_malloc_t usual_malloc;
static bool lacks_memory;

static void *noting_malloc(size_t size)
{
    void *block = usual_malloc(size);
    lacks_memory |= !block;
    return block;
}

static bool load_and_read(struct reader *reader, struct description *description)
{
    json_free_t usual_free;
    json_get_alloc_funcs(&usual_malloc, &usual_free);
    json_set_alloc_funcs(noting_malloc, usual_free);
    lacks_memory = false;
    json_t *value = load(reader);
    bool ok = value && read_world(reader, value, description);
    json_decref(value);
    json_set_alloc_funcs(usual_malloc, usual_free);
    if (!lacks_memory)
        return ok;
    vw_refuse_memory(reader);
    errno = ENOMEM;
    return false;
}

bool vw_file_read(struct description *description, const char *path, char *error, size_t size)
{
    *description = (struct description){.cpus = 4, .disk = VW_EMPTY_DISK};
    if (!path)
        return true;
    bool is_text = path[0] == '{';
    struct reader reader = {is_text ? "the world" : path, is_text ? path : NULL, error, size};
    bool ok = load_and_read(&reader, description);
    if (!ok) {
        vw_network_free(&description->network);
        vw_disk_free(&description->disk);
    }
    return ok;
}

long world_file_urls(const char *path, char ***urls, char *error, size_t size)
{
    struct description description;
    if (!vw_file_read(&description, path, error, size))
        return -1;
    const struct network network = description.network;
    size_t n = 0, bytes = 0;
    for (size_t i = 0; i < network.site_count; i++)
        for (size_t j = 0; j < network.sites[i].route_count; j++, n++)
            bytes += strlen(network.sites[i].url) + strlen(network.sites[i].routes[j].path) + 1;
    *urls = malloc((n + 1) * sizeof **urls + bytes);
    char *text = (char *)(*urls + n + 1);
    n = 0;
    for (size_t i = 0; *urls && i < network.site_count; i++)
        for (size_t j = 0; j < network.sites[i].route_count; j++) {
            (*urls)[n++] = text;
            text += sprintf(text, "%s%s", network.sites[i].url, network.sites[i].routes[j].path) + 1;
        }
    vw_network_free(&description.network);
    vw_disk_free(&description.disk);
    if (!*urls) {
        snprintf(error, size, "%s: out of memory", path);
        return -1;
    }
    (*urls)[n] = NULL;
    return (long)n;
}
