/* world_file_site.c - the sites of a world file, and that no two of them, or of their routes, are the same. */
#include "draw.h"
#include "world_file.h"

#include <stdlib.h>
#include <string.h>

#define MAX_RATE 1000000         /* each request of a rate limit's window is remembered  */

static bool read_url(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    struct site *site = into;
    struct url url;
    const char *text = json_string_value(value), *host = text ? strstr(text, "://") : NULL;
    if (!vw_is_word(value) || !vw_url_parse(&url, text, strlen(text)) || strpbrk(host + 3, "/?#@"))
        return vw_refuse(reader, place, "a URL such as \"http://a.test\" or \"http://a.test:8080\"", value);
    site->port = url.port;
    site->origin = strndup(url.origin, url.origin_length);
    for (char *c = site->origin; c && *c; c++)
        *c = vw_lower(*c);
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
    bool ok = vw_read_array(reader, place, value, vw_read_route, sizeof *site->routes, &routes, &site->route_count);
    site->routes = routes;
    return ok;
}

static bool read_site_fault(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    return vw_read_fault(reader, place, value, false, into);
}

static const struct field keep_fields[] = {
    {"idle", vw_read_time, offsetof(struct site, keep_idle)},
    {"requests", vw_read_from_1, offsetof(struct site, keep_requests)},
};

static bool read_keep(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    return vw_read_object(reader, place, value, keep_fields, LENGTH(keep_fields), into);
}

/* "5r/s" or "30r/m", as nginx writes it. */
static bool read_leak(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    enum { MOST = 1000000, DIGITS = 7 };
    const char *text = vw_is_word(value) ? json_string_value(value) : "";
    size_t digits = strspn(text, "0123456789");
    int64_t requests = digits > 0 && digits <= DIGITS ? atol(text) : 0;
    bool by_second = strcmp(text + digits, "r/s") == 0, by_minute = strcmp(text + digits, "r/m") == 0;
    if (requests < 1 || requests > MOST || !(by_second || by_minute))
        return vw_refuse(reader, place, "a rate such as \"5r/s\" or \"30r/m\", from 1 to 1000000", value);
    *(int64_t *)into = requests * 1000 / (by_second ? 1 : 60);
    return true;
}

static bool read_burst(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    int64_t requests;
    if (!vw_read_between(reader, place, value, 0, MAX_RATE, &requests))
        return false;
    *(int64_t *)into = requests * 1000;
    return true;
}

static bool read_limit_status(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    return vw_read_between(reader, place, value, 400, 599, into);
}

static const struct field bucket_fields[] = {
    {"rate", read_leak, offsetof(struct bucket, rate)},
    {"burst", read_burst, offsetof(struct bucket, burst)},
    {"nodelay", vw_read_bool, offsetof(struct bucket, nodelay)},
    {"status", read_limit_status, offsetof(struct bucket, status)},
    {"retry_after", vw_read_bool, offsetof(struct bucket, tells)},
};

static bool read_bucket(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    struct bucket *bucket = into;
    bucket->status = 503;
    if (!vw_read_object(reader, place, value, bucket_fields, LENGTH(bucket_fields), bucket))
        return false;
    return bucket->rate > 0 ? true : read_leak(reader, &(struct place){.in = place, .key = "rate"}, NULL, into);
}

static const struct field hands_fields[] = {
    {"requests", vw_read_from_1, offsetof(struct hands, most)},
    {"status", read_limit_status, offsetof(struct hands, status)},
};

static bool read_hands(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    struct hands *hands = into;
    hands->status = 503;
    if (!vw_read_object(reader, place, value, hands_fields, LENGTH(hands_fields), hands))
        return false;
    return hands->most != VW_UNLIMITED
        || vw_refuse(reader, &(struct place){.in = place, .key = "requests"}, "a whole number from 1", NULL);
}

static const struct field size_fields[] = {
    {"url", vw_read_from_1, offsetof(struct site, most_url)},
    {"header", vw_read_from_1, offsetof(struct site, most_line)},
    {"body", vw_read_from_0, offsetof(struct site, most_body)},
};

static bool read_sizes(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    ((struct site *)into)->has_sizes = true;
    return vw_read_object(reader, place, value, size_fields, LENGTH(size_fields), into);
}

static bool read_link(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    struct site *site = into;
    bool ok = vw_read_between(reader, place, value, 1, 1000LL * 1000 * 1000 * 1000, &site->link.rate);
    site->up.rate = site->link.rate;
    return ok;
}

/* Either each body has a bandwidth, or all share a link. */
static bool check_link(struct reader *reader, const struct place *place, const struct site *site)
{
    const struct place routes = {.in = place, .key = "routes"};
    if (site->link.rate == 0)
        return true;
    if (site->bandwidth != VW_UNLIMITED)
        return vw_refuse_because(reader, place, "expected only one of link and bandwidth");
    for (size_t i = 0; i < site->route_count; i++) {
        const struct place route = {.in = &routes, .index = i}, at = {.in = &route, .key = "bandwidth"};
        if (site->routes[i].bandwidth >= 0)
            return vw_refuse_because(reader, &at, "expected none, as the site's bodies share a link");
    }
    return true;
}

static const struct field site_fields[] = {
    {"url", read_url, 0},
    {"rtt", vw_read_time, offsetof(struct site, rtt)},
    {"connect", vw_read_time, offsetof(struct site, connect)},
    {"resolve", vw_read_time, offsetof(struct site, resolve)},
    {"addresses", vw_read_ignored, 0},      /* read when `connect` is known */
    {"workers", vw_read_from_1, offsetof(struct site, workers)},
    {"works_on", vw_read_bool, offsetof(struct site, works_on)},
    {"max_connections", vw_read_from_1, offsetof(struct site, max_connections)},
    {"backlog", vw_read_from_0, offsetof(struct site, backlog)},
    {"keep_alive", read_keep, 0},
    {"rate_limit", read_rate, offsetof(struct site, rate)},
    {"limit_req", read_bucket, offsetof(struct site, bucket)},
    {"max_request", read_sizes, 0},
    {"limit_conn", read_hands, offsetof(struct site, hands)},
    {"bandwidth", vw_read_from_1, offsetof(struct site, bandwidth)},
    {"link", read_link, 0},
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
            vw_append(&name, route->method, strlen(route->method));
            vw_append(&name, " ", 1);
        }
        vw_append(&name, site->url, strlen(site->url));
        vw_append(&name, route->path, strlen(route->path));
        if (!name.failed)
            route->key = vw_key(name.at, name.length);
        free(name.at);
        if (name.failed)
            return vw_refuse_memory(reader);
    }
    return true;
}

static bool read_reach(struct reader *reader, const struct place *place, const json_t *value, struct site *site)
{
    int64_t addresses[2];
    size_t n;
    if (!value)
        return true;
    if (!vw_read_addresses(reader, place, value, addresses, &n))
        return false;
    vw_reach(site, addresses, n);
    return true;
}

static bool read_site(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    struct site *site = into;
    site->connect = -1;   /* not given: as long as a round trip */
    site->most_url = site->most_line = site->most_body = VW_UNLIMITED;
    site->keep_idle = site->keep_requests = site->hands.most = VW_UNLIMITED;
    site->workers = site->max_connections = site->backlog = site->bandwidth = site->rate.requests = VW_UNLIMITED;
    if (!vw_read_object(reader, place, value, site_fields, LENGTH(site_fields), site))
        return false;
    if (!site->url)
        return vw_refuse(reader, &(struct place){.in = place, .key = "url"}, "a URL such as \"http://a.test\"", NULL);
    if (!check_link(reader, place, site))
        return false;
    bool secure = strncmp(site->origin, "https:", strlen("https:")) == 0;
    if (site->connect < 0)              /* TLS 1.3 takes one round trip more than TCP */
        site->connect = secure && site->rtt < INT64_MAX / 2 ? 2 * site->rtt : site->rtt;
    site->reach = site->connect;
    const struct place addresses_at = {.in = place, .key = "addresses"};
    if (!read_reach(reader, &addresses_at, json_object_get(value, "addresses"), site))
        return false;
    site->is_gated = site->workers != VW_UNLIMITED || site->rate.requests != VW_UNLIMITED || site->bucket.rate > 0
        || site->hands.most != VW_UNLIMITED || site->works_on;
    for (size_t i = 0; i < site->route_count; i++)
        if (site->routes[i].bandwidth < 0)
            site->routes[i].bandwidth = site->bandwidth;
    if (!vw_site_index(site))
        return vw_refuse_memory(reader);
    return check_routes(reader, place, site) && make_keys(reader, site);
}

bool vw_read_sites(struct reader *reader, const struct place *place, const json_t *value, void *into)
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
