/* mock.c - the world of a test (co_test.h): made of mocks at its first use, and watched. What the loop is given only
 * notes requests and their ends; all else is the virtual world's, which it passes everything on to.
 */
#define _GNU_SOURCE
#include "test.h"

#include "runtime/state/loop.h"
#include "world.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One request that the world saw. */
struct seen {
    uint64_t id;
    char *url;
    int64_t begun, ended;           /* ended -1: in flight */
    int rc, status;
    bool given_up;
};

/* The world of the test under way. There is one at a time: the mocks are called without any handle. */
static struct {
    const struct co_test *test;     /* NULL: none */
    struct co_world world;          /* what the loop is given: it passes everything on to `inner` */
    struct co_world *inner;         /* NULL: nobody has used it yet, so mocks may still be added */
    json_t *sites;
    struct seen *seen;
    size_t count, room;
    int in_flight, peak;
    int64_t took;                   /* the clock when the loop ended */
    bool waiting;                   /* time passes by itself; workers work */
    bool blocked;                   /* a task has stopped the loop */
} now;

/* ---- Mocks ------------------------------------------------------------------------------------- */

/* Fails the test: as an assertion that stands at that place. */
static _Noreturn __attribute__((format(printf, 3, 4))) void refuse(const char *file, int line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\n[   LINE   ] --- %s:%d: error: Failure!\n", file, line);
    abort();
}

static json_t *time_json(int64_t ns)
{
    return json_sprintf("%lldns", (long long)ns);
}

/* The site that a URL belongs to, in now.sites; made if it is new. *path is what
 * follows it in the URL; NULL: it is no URL. */
static json_t *site_of(const char *url, const char **path)
{
    const char *host = strstr(url, "://");
    host = host ? host + 3 : NULL;
    *path = NULL;
    if (!host || !*host || *host == '/')
        return NULL;
    *path = host + strcspn(host, "/?#");
    size_t i;
    json_t *site;
    json_array_foreach (now.sites, i, site) {
        const char *known = json_string_value(json_object_get(site, "url"));
        if (strlen(known) == (size_t)(*path - url) && strncasecmp(known, url, (size_t)(*path - url)) == 0)
            return site;
    }
    site = json_pack("{s:s%, s:[]}", "url", url, (size_t)(*path - url), "routes");
    json_array_append_new(now.sites, site);
    return site;
}

/* Any bytes. As text where they are text, for the sake of those who read a world. */
static void put_body(json_t *route, const char *body, size_t length)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    json_t *text = json_stringn(body, length);
    if (text) {
        json_object_set_new(route, "body", text);
        return;
    }
    char *coded = malloc(length / 3 * 4 + 5), *at = coded;
    for (size_t i = 0; coded && i < length; i += 3) {
        unsigned char in[3] = {0};
        size_t n = length - i < 3 ? length - i : 3;
        memcpy(in, body + i, n);
        unsigned bits = (unsigned)in[0] << 16 | (unsigned)in[1] << 8 | in[2];
        for (size_t k = 0; k < 4; k++)
            *at++ = k > n ? '=' : digits[bits >> (18 - 6 * k) & 63];
    }
    if (coded)
        json_object_set_new(route, "body_base64", json_stringn(coded, (size_t)(at - coded)));
    free(coded);
}

/* How many bytes are sent behind the head. */
static size_t body_length(const struct mock *mock)
{
    if (!mock->body || mock->status == 204 || mock->status == 304)
        return 0;
    return mock->length ? mock->length : strlen(mock->body);
}

/* A fault inside the body, half-way: that needs a body. */
static json_t *fault_in_body(json_t *route, const char *kind, size_t length)
{
    if (length == 0)
        json_object_set_new(route, "body_size", json_integer(length = 64));
    return json_pack("{s:s, s:I}", "kind", kind, "after", (json_int_t)(length / 2));
}

void mock_get_at(const char *url, struct mock mock, const char *file, int line)
{
    const char *path;
    if (!now.test)
        return;
    if (now.inner)
        refuse(file, line,
               "mock_get comes too late: a request was made already, or time has passed. Mock everything first");
    json_t *site = site_of(url, &path);
    if (!site)
        refuse(file, line, "mock_get: \"%s\" is no URL such as \"http://a.test/page\"", url);
    json_t *route = json_pack("{s:s+, s:s}", "path", *path == '/' ? "" : "/", path, "method", "GET");
    if (!route)
        refuse(file, line, "mock_get: the path of a URL is ASCII");
    size_t i, length = body_length(&mock);
    json_t *other, *routes = json_object_get(site, "routes"), *fault = NULL;
    json_array_foreach (routes, i, other)
        if (json_equal(json_object_get(other, "path"), json_object_get(route, "path")))
            refuse(file, line, "mock_get: \"%s\" is mocked already", url);
    if (mock.delay < 0 || mock.every < 0)
        refuse(file, line, "mock_get: a delay is 0 or more");
    bool no_host = mock.error == -CO_ENOHOST;
    if (json_array_size(routes) > 0 && no_host != !!json_object_get(site, "fault"))
        refuse(file, line, "mock_get: \"%s\": either a host exists, or all of its mocks say -CO_ENOHOST", url);

    if (mock.status)
        json_object_set_new(route, "status", json_integer(mock.status));
    if (mock.redirect)
        json_object_set_new(route, "redirect", json_string(mock.redirect));
    if (length)
        put_body(route, mock.body, length);
    if (mock.delay == CO_FOREVER)
        fault = json_pack("{s:s}", "kind", "hang");
    else
        json_object_set_new(route, "latency", time_json(mock.delay));
    if (mock.every && mock.delay != CO_FOREVER)
        fault = json_pack("{s:s, s:i, s:o}", "kind", "drip", "bytes", 1, "every", time_json(mock.every));
    if (mock.error && fault)
        refuse(file, line, "mock_get: an error, or no answer, or a body that drips: one of them");
    switch (mock.error) {
    case 0: break;
    case -ECONNREFUSED: fault = json_pack("{s:s}", "kind", "refused"); break;
    case -CO_ENOHOST: json_object_set_new(site, "fault", json_pack("{s:s}", "kind", "unresolved")); break;
    case -ECONNRESET: fault = fault_in_body(route, "reset", length); break;
    case -EPROTO: fault = fault_in_body(route, "truncate", length); break;
    default:
        refuse(file, line,
               "mock_get: .error is 0, -ECONNREFUSED, -CO_ENOHOST, -ECONNRESET or -EPROTO (.delay = CO_FOREVER for a "
               "page that never answers), not %d", mock.error);
    }
    if (fault)
        json_object_set_new(route, "fault", fault);
    json_array_append_new(routes, route);
}

/* ---- The world, as its users see it ----------------------------------------------------------- */

static struct seen *find_seen(uint64_t id)
{
    for (size_t i = now.count; i-- > 0;)
        if (now.seen[i].id == id)
            return &now.seen[i];
    return NULL;
}

/* Opens it, if this is the first use: the mocks are complete then. */
static struct co_world *inner(void)
{
    if (now.inner)
        return now.inner;
    char error[512];
    json_t *world = json_pack("{s:s, s:O}", "world", "looplab/world/v1", "sites", now.sites);
    char *text = json_dumps(world, JSON_COMPACT);
    now.inner = text ? world_virtual_open(text, 0, co__loop->open_trace, co__loop->tape, error, sizeof error) : NULL;
    free(text);
    json_decref(world);
    if (!now.inner)
        refuse(now.test->file, now.test->line, "the mocks of this test make no world: %s",
               text ? error : "out of memory");
    return now.inner;
}

static int64_t world_now(struct co_world *world)
{
    (void)world;
    return now.inner ? now.inner->now(now.inner) : 0;
}

static void see(uint64_t id, const char *url, size_t length)
{
    if (now.count == now.room) {
        size_t room = now.room ? 2 * now.room : 64;
        struct seen *seen = realloc(now.seen, room * sizeof *seen);
        if (!seen)
            return;
        now.seen = seen;
        now.room = room;
    }
    now.seen[now.count++] = (struct seen){.id = id, .url = strndup(url, length), .begun = world_now(NULL), .ended = -1};
    if (++now.in_flight > now.peak)
        now.peak = now.in_flight;
}

static uint64_t world_submit(struct co_world *world, const struct world_request *request)
{
    (void)world;
    now.blocked = now.blocked || (request->op == WORLD_HTTP && request->blocking);
    uint64_t id = inner()->submit(inner(), request);
    if (id && request->op == WORLD_HTTP)
        see(id, (const char *)request->data + request->lengths[0], request->lengths[1]);
    return id;
}

static void world_cancel(struct co_world *world, uint64_t id)
{
    (void)world;
    inner()->cancel(inner(), id);
    struct seen *seen = find_seen(id);
    if (seen && seen->ended < 0) {
        seen->given_up = true;
        seen->ended = world_now(NULL);
        seen->rc = -ECANCELED;
        now.in_flight--;
    }
}

static size_t world_wait(struct co_world *world, int64_t until, struct world_completion out[], size_t max)
{
    (void)world;
    now.waiting = true;
    size_t n = inner()->wait(inner(), until, out, max);
    now.waiting = false;
    for (size_t i = 0; i < n; i++) {
        struct seen *seen = find_seen(out[i].id);
        if (!seen)
            continue;
        if (out[i].parts & WORLD_HEAD)
            seen->status = out[i].status;
        if (!(out[i].parts & WORLD_END))
            continue;
        now.in_flight -= seen->ended < 0;
        seen->ended = out[i].t;
        seen->rc = out[i].rc;
        /* Else its answer was there in the instant in which it was given up. */
        seen->given_up = out[i].rc == -ECANCELED;
    }
    return n;
}

static void world_block(struct co_world *world, int64_t ns)
{
    (void)world;
    now.blocked = now.blocked || (ns > 0 && !now.waiting);
    inner()->block(inner(), ns);
}

static void world_close(struct co_world *world)
{
    now.took = world_now(world);
    if (now.inner)
        now.inner->close(now.inner);
    now.inner = NULL;
}

/* ---- What the world saw ------------------------------------------------------------------------ */

/* Is this a request for that URL? A URL without a path is the one with "/". */
static bool is_for(const struct seen *seen, const char *url)
{
    if (!url || (seen->url && strcmp(seen->url, url) == 0))
        return true;
    size_t length = strlen(url);
    const char *host = strstr(url, "://");
    return seen->url && host && !strchr(host + 3, '/') && strncmp(seen->url, url, length) == 0
        && strcmp(seen->url + length, "/") == 0;
}

int mock_requests(const char *url)
{
    int n = 0;
    for (size_t i = 0; i < now.count; i++)
        n += is_for(&now.seen[i], url);
    return n;
}

int mock_given_up(const char *url)
{
    int n = 0;
    for (size_t i = 0; i < now.count; i++)
        n += is_for(&now.seen[i], url) && now.seen[i].given_up;
    return n;
}

int mock_in_flight(const char *url)
{
    int n = 0;
    for (size_t i = 0; i < now.count; i++)
        n += is_for(&now.seen[i], url) && now.seen[i].ended < 0;
    return n;
}

int mock_peak(void)
{
    return now.peak;
}

int64_t mock_begun_at(const char *url)
{
    for (size_t i = 0; i < now.count; i++)
        if (is_for(&now.seen[i], url))
            return now.seen[i].begun;
    return -1;
}

int64_t mock_ended_at(const char *url)
{
    int64_t last = -1;
    for (size_t i = 0; i < now.count; i++) {
        const struct seen *seen = &now.seen[i];
        if (!is_for(seen, url))
            continue;
        if (seen->ended < 0)
            return -1;
        last = seen->ended > last ? seen->ended : last;
    }
    return last;
}

/* ---- From test to test -------------------------------------------------------------------------- */

struct co_world *mock_begin(const struct co_test *test)
{
    now.test = test;
    now.inner = NULL;
    now.sites = json_array();
    now.count = 0;
    now.in_flight = now.peak = 0;
    now.took = 0;
    now.waiting = now.blocked = false;
    now.world = (struct co_world){.now = world_now, .submit = world_submit, .cancel = world_cancel, .wait = world_wait,
                                  .block = world_block, .close = world_close};
    return &now.world;
}

void mock_end(void)
{
    for (size_t i = 0; i < now.count; i++)
        free(now.seen[i].url);
    free(now.seen);
    json_decref(now.sites);
    now.test = NULL;
    now.seen = NULL;
    now.sites = NULL;
    now.count = now.room = 0;
}

struct mock_facts mock_facts(void)
{
    struct mock_facts facts = {.requests = now.count, .peak = now.peak, .blocked = now.blocked,
                               .took = now.took ? now.took : world_now(NULL)};
    for (size_t i = 0; i < now.count; i++) {
        const struct seen *seen = &now.seen[i];
        facts.errors += seen->rc < 0 && !seen->given_up;
        facts.given_up += seen->given_up;
        int k = 0;
        while (k < facts.status_count && facts.statuses[k] != seen->status)
            k++;
        if (k == facts.status_count && k < MOCK_STATUSES && seen->rc == 0 && seen->status)
            facts.statuses[facts.status_count++] = seen->status;
    }
    return facts;
}
