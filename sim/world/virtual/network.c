/* network.c - sites and routes: which one does a request mean? */
#include "draw.h"
#include "network.h"
#include "virtual.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- URLs ---------------------------------------------------------------------------------- */

/* Whether text[0..length) is the same as `small`, which has no capital letters. */
static bool is_same(const char *text, const char *small, size_t length)
{
    size_t i = 0;
    while (i < length && vw_lower(text[i]) == small[i])
        i++;
    return i == length;
}

static bool is_small_letter(char c)
{
    return (unsigned char)(c - 'a') < 26;
}

/* The port in text[0..length), 0 if it is none. */
static uint32_t parse_port(const char *text, size_t length)
{
    uint32_t port = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9' || port > 65535)
            return 0;
        port = 10 * port + (uint32_t)(text[i] - '0');
    }
    return port <= 65535 ? port : 0;
}

/* Where host and port end, and *host where the host does: before ":port", but a colon in [::1] is the host's own. */
static size_t site_end(const char *text, size_t from, size_t length, size_t *host)
{
    size_t at = from, colon = 0;
    for (; at < length; at++) {
        if (is_small_letter(text[at]))      /* nearly always */
            continue;
        if (text[at] == '/' || text[at] == '?' || text[at] == '#')
            break;
        if (text[at] == ':')
            colon = at;
        else if (text[at] == ']')
            colon = 0;
    }
    *host = colon ? colon : at;
    return at;
}

/* The first of four characters in text[from..length), or length. Short texts: no call is faster than this loop. */
static size_t find_any(const char *text, size_t from, size_t length, char a, char b, char c, char d)
{
    while (from < length && text[from] != a && text[from] != b && text[from] != c && text[from] != d)
        from++;
    return from;
}

CO_HOT bool vw_url_parse(struct url *url, const char *text, size_t length)
{
    bool is_http = length > 7 && memcmp(text, "http://", 7) == 0;   /* nearly always */
    size_t scheme = is_http ? 4 : find_any(text, 0, length, ':', '/', '?', '#');
    if (scheme == 0 || length - scheme < 3 || memcmp(text + scheme, "://", 3) != 0)
        return false;
    size_t origin, end = site_end(text, scheme + 3, length, &origin);
    if (origin == scheme + 3 || origin > VW_ORIGIN)
        return false;
    url->origin = text;
    url->origin_length = origin;
    if (origin + 1 < end)
        url->port = parse_port(text + origin + 1, end - origin - 1);
    else
        url->port = scheme == 5 && is_same(text, "https", 5) ? 443 : 80;
    url->path = text + end;
    url->path_length = find_any(text, end, length, '#', '#', '#', '#') - end;
    if (url->path_length == 0 || url->path[0] != '/') {   /* "http://a.test" and "http://a.test?q": the path is "/" */
        url->path = "/";
        url->path_length = 1;
    }
    url->query_at = find_any(url->path, 0, url->path_length, '?', '?', '?', '?');
    return url->port != 0;
}

/* ---- Finding ------------------------------------------------------------------------------- */

/* FNV-1a, of small letters and capital ones alike. */
static size_t origin_hash(const char *origin, size_t length, uint32_t port)
{
    uint64_t hash = 0xCBF29CE484222325u;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)(origin[i] | 32)) * 0x100000001B3u;
    return (size_t)(hash ^ port);
}

CO_HOT struct site *vw_site_find(const struct network *network, const struct url *url)
{
    if (!network->by_origin)
        return NULL;
    size_t at = origin_hash(url->origin, url->origin_length, url->port) & network->by_origin_mask;
    for (uint32_t index; (index = network->by_origin[at]); at = (at + 1) & network->by_origin_mask) {
        struct site *site = &network->sites[index - 1];
        if (site->port == url->port && site->origin_length == url->origin_length
            && (memcmp(url->origin, site->origin, url->origin_length) == 0      /* nearly always */
                || is_same(url->origin, site->origin, url->origin_length)))
            return site;
    }
    return NULL;
}

struct route *vw_path_find(const struct site *site, const char *path, size_t length)
{
    if (!site->by_path)
        return NULL;
    size_t at = (size_t)vw_key(path, length) & site->by_path_mask;
    for (uint32_t index; (index = site->by_path[at]); at = (at + 1) & site->by_path_mask) {
        struct route *route = &site->routes[index - 1];
        if (route->path_length == length && memcmp(route->path, path, length) == 0)
            return route;
    }
    return NULL;
}

CO_HOT struct route *vw_route_find(const struct site *site, const struct url *url, const char *method, size_t length,
                            int32_t *status)
{
    struct route *any = NULL, *first = vw_path_find(site, url->path, url->path_length);
    if (!first && url->query_at < url->path_length)
        first = vw_path_find(site, url->path, url->query_at);
    for (struct route *route = first; route; route = route->other_method) {
        if (!route->method)
            any = route;
        else if (strlen(route->method) == length && memcmp(route->method, method, length) == 0)
            return route;
    }
    *status = first ? 405 : 404;
    return any;
}

/* The value in line[0..length) = "Name: value" if that is its name (in any
 * case), without blanks round it; else NULL. */
static const char *header_value(const char *line, size_t length, const char *name, size_t name_length,
                                size_t *value_length)
{
    if (length <= name_length || line[name_length] != ':' || strncasecmp(line, name, name_length) != 0)
        return NULL;
    const char *from = line + name_length + 1, *to = line + length;
    while (from < to && (*from == ' ' || *from == '\t'))
        from++;
    while (to > from && (to[-1] == ' ' || to[-1] == '\t'))
        to--;
    *value_length = (size_t)(to - from);
    return from;
}

/* Where the line ends that begins at `at`: at its '\n', or with the last of them. */
static size_t line_end(const char *headers, size_t length, size_t at)
{
    const char *newline = memchr(headers + at, '\n', length - at);
    return newline ? (size_t)(newline - headers) : length;
}

/* Whether one of the lines has that name and that value (NULL: any). */
static bool has_header(const char *headers, size_t length, const char *name, size_t name_length, const char *value,
                       size_t value_length)
{
    for (size_t at = 0, end; at < length; at = end + 1) {
        size_t n;
        end = line_end(headers, length, at);
        const char *found = header_value(headers + at, end - at, name, name_length, &n);
        if (found && (!value || (n == value_length && memcmp(found, value, n) == 0)))
            return true;
    }
    return false;
}

const char *vw_header_find(const char *headers, size_t length, const char *name, size_t *value_length)
{
    const char *value = NULL;
    for (size_t at = 0, end; at < length && !value; at = end + 1) {
        end = line_end(headers, length, at);
        value = header_value(headers + at, end - at, name, strlen(name), value_length);
    }
    return value;
}

size_t vw_implied_headers(const struct url *url, char *out, size_t size)
{
    bool is_https = vw_lower(url->origin[4]) == 's';
    int scheme = is_https ? 8 : 7, length = (int)url->origin_length - scheme;       /* it has no '\0' behind it */
    char port[8] = "";
    if (url->port != (is_https ? 443 : 80))
        snprintf(port, sizeof port, ":%u", (unsigned)url->port);
    return (size_t)snprintf(out, size, "Host: %.*s%s\nUser-Agent: looplab/1\nAccept: */*\n", length,
                            url->origin + scheme, port);
}

bool vw_route_allows(const struct route *route, const char *headers, size_t length, const char *implied)
{
    for (const char *line = route->require, *end; line && *line; line = end + 1) {
        size_t name = strcspn(line, ":"), n = 0;
        end = strchr(line, '\n');
        const char *value = header_value(line, (size_t)(end - line), line, name, &n);
        bool by_itself = !has_header(headers, length, line, name, NULL, 0);
        if (!has_header(by_itself ? implied : headers, by_itself ? strlen(implied) : length, line, name, value, n))
            return false;
    }
    return true;
}

int32_t vw_site_too_large(const struct site *site, const struct url *url, const char *headers, size_t length,
                          int64_t body)
{
    if ((int64_t)url->path_length > site->most_url)
        return 414;
    for (size_t at = 0, end; at < length; at = end + 1) {
        end = line_end(headers, length, at);
        if ((int64_t)(end - at) > site->most_line)
            return 400;
    }
    return body > site->most_body ? 413 : 0;
}

/* ---- Indexes ------------------------------------------------------------------------------- */

/* Slots for an open-addressing index of n entries, at most half full. */
static uint32_t *new_index(size_t n, size_t *mask)
{
    size_t size = 2;
    while (size < 2 * n)
        size *= 2;
    *mask = size - 1;
    return calloc(size, sizeof(uint32_t));
}

static void enter(uint32_t *index, size_t mask, size_t hash, size_t entry)
{
    size_t at = hash & mask;
    while (index[at])
        at = (at + 1) & mask;
    index[at] = (uint32_t)entry + 1;
}

bool vw_site_index(struct site *site)
{
    site->by_path = new_index(site->route_count, &site->by_path_mask);
    if (!site->by_path)
        return false;
    for (size_t i = 0; i < site->route_count; i++)
        site->routes[i].path_length = strlen(site->routes[i].path);
    for (size_t i = 0; i < site->route_count; i++) {
        struct route *route = &site->routes[i], *first = vw_path_find(site, route->path, route->path_length);
        if (first) {
            route->other_method = first->other_method;
            first->other_method = route;
        } else {
            enter(site->by_path, site->by_path_mask, (size_t)vw_key(route->path, route->path_length), i);
        }
    }
    return true;
}

static const char *host_of(const struct site *site)
{
    return strstr(site->origin, "://") + 3;
}

/* Tells each site which is the first one of its host. False: no memory. */
static bool find_namesakes(struct network *network)
{
    size_t mask;
    uint32_t *by_host = new_index(network->site_count, &mask);
    if (!by_host)
        return false;
    for (size_t i = 0; i < network->site_count; i++) {
        struct site *site = &network->sites[i];
        const char *host = host_of(site);
        size_t at = origin_hash(host, strlen(host), 0) & mask;
        while (by_host[at] && strcmp(host_of(&network->sites[by_host[at] - 1]), host) != 0)
            at = (at + 1) & mask;
        if (!by_host[at])
            by_host[at] = (uint32_t)i + 1;
        site->namesake = &network->sites[by_host[at] - 1];
    }
    free(by_host);
    return true;
}

bool vw_network_index(struct network *network)
{
    if (!find_namesakes(network))
        return false;
    network->by_origin = new_index(network->site_count, &network->by_origin_mask);
    if (!network->by_origin)
        return false;
    for (size_t i = 0; i < network->site_count; i++) {
        struct site *site = &network->sites[i];
        site->origin_length = strlen(site->origin);
        enter(network->by_origin, network->by_origin_mask, origin_hash(site->origin, site->origin_length, site->port),
              i);
    }
    return true;
}

/* ---- Its memory ---------------------------------------------------------------------------- */

void vw_pattern_fill(char *bytes, size_t size)
{
    static const char pattern[VW_PATTERN + 1] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-\n";
    for (size_t i = 0; i < size; i++)
        bytes[i] = pattern[i % VW_PATTERN];
}

static void free_site(struct site *site)
{
    for (size_t i = 0; i < site->route_count; i++) {
        free(site->routes[i].path);
        free(site->routes[i].method);
        free(site->routes[i].bytes);
        free(site->routes[i].require);
        free(site->routes[i].trailers);
        free(site->routes[i].version.etag);
        free(site->routes[i].version.modified);
        free(site->routes[i].version.lines);
        for (size_t j = 0; j < site->routes[i].turn_count; j++)
            free(site->routes[i].turns[j].bytes);
        free(site->routes[i].turns);
    }
    free(site->routes);
    free(site->by_path);
    free(site->rate.accepted);
    free(site->origin);
    free(site->url);
}

void vw_network_free(struct network *network)
{
    for (size_t i = 0; i < network->site_count; i++)
        free_site(&network->sites[i]);
    free(network->sites);
    free(network->by_origin);
    free(network->pattern);
    *network = (struct network){0};
}
