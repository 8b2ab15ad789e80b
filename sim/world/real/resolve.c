/* resolve.c - names of hosts. curl would start a thread for each request; here each name is asked for once at a time,
 * by one of libuv's few threads, and whoever is given up waits for nothing. curl is told the answer.
 *
 * Numbers need no answer, localhost is curl's own business, and behind a proxy names are the proxy's.
 */
#include "real.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HOLDS 60000000000       /* ns that an answer is used for: as long as curl itself would */

/* ---- What a URL says --------------------------------------------------------------------------------- */

struct place { const char *host; size_t length; const char *port; size_t port_length; bool is_secure; };

static struct place place_of(const char *url)
{
    struct place place = {.is_secure = strncasecmp(url, "https:", 6) == 0};
    const char *at = strstr(url, "://") + 3, *end = at + strcspn(at, "/?#");
    for (const char *c = at; c < end; c++)
        if (*c == '@')
            at = c + 1;             /* a user's name and password stand before it */
    place.host = at;
    place.port = place.is_secure ? "443" : "80";
    place.port_length = strlen(place.port);
    const char *colon = end;
    while (colon > at && colon[-1] != ']' && colon[-1] != ':')
        colon--;
    bool has_port = colon > at && colon[-1] == ':';
    place.length = (size_t)((has_port ? colon - 1 : end) - at);
    if (has_port && colon < end) {
        place.port = colon;
        place.port_length = (size_t)(end - colon);
    }
    return place;
}

static bool is_name(const struct place *place)
{
    char text[64];
    struct in_addr number;
    static const char local[] = "localhost";
    if (place->host[0] == '[')
        return false;
    if (place->length >= strlen(local)
        && strncasecmp(place->host + place->length - strlen(local), local, strlen(local)) == 0)
        return false;
    if (place->length >= sizeof text)
        return true;
    memcpy(text, place->host, place->length);
    text[place->length] = '\0';
    return uv_inet_pton(AF_INET, text, &number) < 0;
}

/* ---- Asking ------------------------------------------------------------------------------------------ */

static struct host *host_of(struct real *world, const struct place *place)
{
    for (struct host *host = world->http.hosts; host; host = host->next)
        if (strncasecmp(host->name, place->host, place->length) == 0 && host->name[place->length] == '\0')
            return host;
    struct host *host = calloc(1, sizeof *host + place->length + 1);
    if (!host)
        return NULL;
    memcpy(host->name, place->host, place->length);
    host->world = world;
    host->next = world->http.hosts;
    world->http.hosts = host;
    return host;
}

/* The addresses as curl reads them. NULL: there are none, or no memory. */
static char *list_addresses(const struct addrinfo *first)
{
    size_t n = 0, length = 0;
    for (const struct addrinfo *at = first; at; at = at->ai_next)
        n++;
    char *list = n ? malloc(n * 80) : NULL;
    for (const struct addrinfo *at = first; list && at; at = at->ai_next) {
        char text[64];
        bool six = at->ai_family == AF_INET6;
        int rc = six ? uv_ip6_name((const struct sockaddr_in6 *)at->ai_addr, text, sizeof text)
                     : uv_ip4_name((const struct sockaddr_in *)at->ai_addr, text, sizeof text);
        if (rc == 0)
            length += (size_t)sprintf(list + length, six ? "%s[%s]" : "%s%s", length ? "," : "", text);
    }
    if (length == 0) {
        free(list);
        return NULL;
    }
    return list;
}

/* Tells curl what was found: "+host:port:addresses", which holds for as long as curl's own answers do. */
static int tell_curl(struct exchange *exchange, const struct place *place, const struct host *host)
{
    size_t size = place->length + place->port_length + strlen(host->addresses) + 4;
    char *entry = malloc(size);
    if (!entry)
        return -ENOMEM;
    snprintf(entry, size, "+%.*s:%.*s:%s", (int)place->length, place->host, (int)place->port_length, place->port,
             host->addresses);
    exchange->resolve = curl_slist_append(NULL, entry);
    free(entry);
    return exchange->resolve ? 1 : -ENOMEM;
}

static void on_answer(uv_getaddrinfo_t *question, int status, struct addrinfo *found)
{
    struct host *host = question->data;
    struct real *world = host->world;
    host->asking = false;
    host->addresses = status == 0 ? list_addresses(found) : NULL;
    host->until = rw_now(world) + HOLDS;
    uv_freeaddrinfo(found);
    for (struct exchange *exchange; (exchange = host->waiting.first);) {
        rw_line_remove(exchange);
        struct place place = place_of(exchange->url);
        int rc = host->addresses ? tell_curl(exchange, &place, host) : status == UV_EAI_MEMORY ? -ENOMEM : -ENXIO;
        if (rc < 0)
            rw_exchange_end(world, exchange, rc);
        else
            rw_exchange_start(world, exchange);
    }
}

static int ask(struct real *world, struct host *host)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    free(host->addresses);
    host->addresses = NULL;
    host->question.data = host;
    host->asking = uv_getaddrinfo(&world->loop, &host->question, on_answer, host->name, NULL, &hints) == 0;
    return host->asking ? 0 : -ENXIO;
}

int rw_resolve(struct real *world, struct exchange *exchange)
{
    struct place place = place_of(exchange->url);
    if (world->served.map) {
        char site[300];
        int length = snprintf(site, sizeof site, "%.*s:%.*s", (int)place.length, place.host, (int)place.port_length,
                              place.port);
        return length < (int)sizeof site ? rw_served_find(world, exchange, site, (size_t)length) : -ENXIO;
    }
    if (world->http.proxied || !is_name(&place))
        return 1;
    struct host *host = host_of(world, &place);
    if (!host)
        return -ENOMEM;
    if (!host->asking && host->addresses && rw_now(world) < host->until)
        return tell_curl(exchange, &place, host);
    int rc = host->asking ? 0 : ask(world, host);
    if (rc == 0)
        rw_line_add(&host->waiting, exchange);
    return rc;
}

/* Nobody waits any more; a question under way comes back, and only then its host may go. */
void rw_resolve_close(struct real *world)
{
    for (struct host *host = world->http.hosts; host; host = host->next)
        if (host->asking)
            uv_cancel((uv_req_t *)&host->question);
    uv_run(&world->loop, UV_RUN_NOWAIT);
    for (struct host *host; (host = world->http.hosts);) {
        while (host->asking)
            uv_run(&world->loop, UV_RUN_ONCE);
        world->http.hosts = host->next;
        free(host->addresses);
        free(host);
    }
}
