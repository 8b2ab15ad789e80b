/* network.h - sites and routes, as the world file describes them. */
#ifndef NETWORK_H
#define NETWORK_H

#include "name.h"
#include "operation.h"
#include "unit.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct exchange;
struct pool;

/* What may go wrong. */
enum fault_kind {
    FAULT_NONE, FAULT_REFUSED, FAULT_UNRESOLVED, FAULT_RESET, FAULT_CLOSE, FAULT_HANG, FAULT_DRIP, FAULT_TRUNCATE,
};

/* Which requests something happens to. */
struct when {
    /* So many of them, the first ones; VW_UNLIMITED: all. */
    int64_t times;
    /* Those whose draw of 64 bits is below this, */
    uint64_t threshold;
    /* which is asked only for a probability between 0 and 1, both excluded. */
    bool by_chance;
};

/* Something that goes wrong. */
struct fault {
    enum fault_kind kind;
    struct when when;
    /* Reset and truncate: after this many bytes of the body. */
    int64_t after;
    /* Drip: `bytes` bytes every `every` ns. */
    int64_t bytes, every;
};

/* How a client learns where a body ends: from its Content-Length, from the last of its chunks, or as the server closes
 * the connection behind it. */
enum framing { FRAMED_LENGTH, FRAMED_CHUNKED, FRAMED_CLOSE };

/* What a server sends. */
struct answer {
    int32_t status;
    enum framing framing;
    /* How many bytes of headers, "Name: value\n" each. */
    uint32_t head;
    /* The length of the body. */
    int64_t body;
    /* The headers and right behind them the body, so that both can go out as one piece without a copy.
     * If `patterned`, only the headers. */
    const char *bytes;
    /* The body is the network's pattern, repeated. */
    bool patterned;
    /* At which byte of the pattern it begins. */
    int64_t phase;
    /* The server closes the connection behind it ("Connection: close"). */
    bool closes;
    /* Its head is larger than a client takes. */
    bool too_large;
};

/* What of a route lets a client ask for less than the whole answer. */
struct version {
    /* How it names this state of its body, and when that arose; NULL: it says neither. */
    char *etag, *modified;
    /* It sends parts of its body. */
    bool ranges;
    /* The header lines that say so; NULL: there are none. */
    char *lines;
};

/* An answer that some requests get instead of the route's own. */
struct turn {
    struct answer answer;
    /* Its bytes, to be freed. */
    char *bytes;
    struct when when;
};

struct route {
    /* With its query, if it has one. Begins with '/'. */
    char *path;
    size_t path_length;
    /* NULL: any method. */
    char *method;
    /* The next route of this path, for another method; NULL: none. */
    struct route *other_method;
    /* From the arrival at a worker to the first byte of the answer: between lo and hi. */
    int64_t latency_lo, latency_hi;
    /* Bytes a second; VW_UNLIMITED: the body arrives with the head. */
    int64_t bandwidth;
    /* The body arrives in pieces of at most this; VW_UNLIMITED: in one. */
    int64_t chunk;
    /* What handling the answer costs the program's own CPU. */
    int64_t cpu;
    struct fault fault;
    /* The headers that a request must bring, "Name: value\n" each; NULL: none. */
    char *require;
    /* The answer's body is the request's. */
    bool echo;
    struct answer answer;
    /* The answer's bytes, to be freed. */
    char *bytes;
    struct version version;
    /* What stands behind a chunked body, "Name: value\n" each; NULL: nothing. Clients of this kit pass it over. */
    char *trailers;
    /* The answers that come before it, in the order in which they are looked at. */
    struct turn *turns;
    size_t turn_count;
    /* What its draws start from, besides the seed: made of names, so that other routes may come and go. */
    uint64_t key;
    /* How many requests have set out for it. */
    uint64_t requests;
};

/* "At most `requests` requests within `per`." */
struct rate_limit {
    /* VW_UNLIMITED: there is no such limit. */
    int64_t requests;
    int64_t per;
    /* When the last `requests` accepted ones came, a ring whose oldest lies at `oldest`. */
    int64_t *accepted;
    int64_t oldest, count;
};

/* A leaky bucket, in nginx's own units (ngx_http_limit_req_module): each request fills in 1000, and it leaks. */
struct bucket {
    /* How much it leaks a second; 0: there is no such limit. */
    int64_t rate;
    /* How much may be in it beyond the request that comes. */
    int64_t burst;
    /* Who comes too early is let in at once, as long as the burst lasts; else as late as the rate has it. */
    bool nodelay;
    /* What is in it, and since which millisecond; it is empty before the first request. */
    int64_t excess, last;
    bool was_used;
    /* What who does not fit in is answered, and whether that says when to come again. */
    int64_t status;
    bool tells;
};

/* At most so many requests in hand, each from its arrival until its answer is sent. */
struct hands {
    /* VW_UNLIMITED: there is no such limit. */
    int64_t most, busy;
    /* What one more is answered. */
    int64_t status;
};

/* One way of a link that the bodies of a site share (link.c). */
struct link {
    /* Bytes a second; 0: there is none. */
    int64_t rate;
    /* What a body that was always on it would have got, and up to when that is known. */
    __int128 served;
    int64_t at;
    /* Those on it, in the order in which they came. */
    struct exchange *first, *last;
    int64_t count;
};

/* The bodies of a site that leave it over its link, reckoned for the server's count of them (departure.c). */
struct departures {
    /* As a link's. */
    __int128 served;
    int64_t at;
    struct exchange *first;
    int64_t count;
};

struct site {
    /* As the file has it, without a path: "http://a.test:8080". */
    char *url;
    /* Scheme and host in lower case, "http://a.test", and the port; together they say which site is meant. */
    char *origin;
    size_t origin_length;
    uint32_t port;
    /* There and back; half of it (rounded down) is the way there. */
    int64_t rtt;
    /* How long it takes to find the address, and to set up a connection to it. */
    int64_t resolve, connect;
    /* The same where its host has several addresses, not all of which answer: how long until one does, or until it is
     * known that none does; and 0, -ECONNREFUSED or -ETIMEDOUT. */
    int64_t reach;
    int32_t reach_rc;
    /* What is known of its host's name; held by the first site of that host, whatever its port. */
    struct site *namesake;
    struct name name;
    /* How long an idle connection is kept, and for how many requests. */
    int64_t keep_idle, keep_requests;
    /* How many requests are worked on at a time (VW_UNLIMITED: all), and by how many workers now. */
    int64_t workers, working;
    /* How many connections may be open, how many are, and how many more may stand in line. */
    int64_t max_connections, open, backlog;
    /* Bytes a second, for routes that say nothing of their own. */
    int64_t bandwidth;
    /* Of answers, and of requests: neither takes anything from the other. */
    struct link link, up;
    struct departures departures;
    struct rate_limit rate;
    struct bucket bucket;
    struct hands hands;
    /* The most bytes a request's path and query, each of its header lines, and its body may have, */
    int64_t most_url, most_line, most_body;
    /* and whether any of these is said. */
    bool has_sizes;
    /* It does not notice that a client has given up: it works on, and the place stays taken. */
    bool works_on;
    /* One of its limits, or its workers, may hold a request up or turn it away. */
    bool is_gated;
    struct fault fault;
    struct route *routes;
    size_t route_count;
    /* Routes by path: index + 1, 0 = free. */
    uint32_t *by_path;
    size_t by_path_mask;
    /* Connections that wait to be accepted, and requests that wait for a worker. */
    struct line arriving, queue;
    /* The sessions' connections to this site, the newest pool first. */
    struct pool *pools;
    /* What the draws of its own fault start from, and how many connections were tried, or
     * questions for its name asked. */
    uint64_t key, attempts;
};

struct network {
    /* In the file's order. */
    struct site *sites;
    size_t site_count;
    /* Sites by origin and port: index + 1, 0 = free. */
    uint32_t *by_origin;
    size_t by_origin_mask;
    /* How many connections and open files the program may have at a time (0: no limit), and how many connections it
     * has, or tries to get. */
    int64_t descriptors, sockets;
    /* VW_BLOCK + VW_PATTERN bytes of the pattern; NULL: no body needs it. */
    char *pattern;
};

/* A URL, taken apart. */
struct url {
    /* Scheme and host, in the text that was parsed: "http://a.test", in small letters or others. No '\0' follows. */
    const char *origin;
    size_t origin_length;
    uint32_t port;
    /* Path and query, in the text that was parsed or "/". */
    const char *path;
    size_t path_length;
    /* The length of the path alone. */
    size_t query_at;
};

enum { VW_ORIGIN = 272 };       /* the most bytes of scheme and host */

/* ASCII only, whatever the locale says. */
static inline char vw_lower(char c)
{
    return (unsigned char)(c - 'A') < 26 ? (char)(c | 32) : c;
}

bool vw_url_parse(struct url *url, const char *text, size_t length);
struct site *vw_site_find(const struct network *network, const struct url *url);
/* The routes of that path (the first of other_method's chain), or NULL. */
struct route *vw_path_find(const struct site *site, const char *path, size_t length);
/* The header lines that a client of this kit sends where the program says none of that name. Returns their length,
 * below VW_IMPLIED, which is `size`. */
size_t vw_implied_headers(const struct url *url, char *out, size_t size);
enum { VW_IMPLIED = 400 };
/* Whether `headers` ("Name: value\n" lines, not ended by '\0') have all that the route requires; for a name that none
 * of them has, those of `implied` count. */
bool vw_route_allows(const struct route *route, const char *headers, size_t length, const char *implied);
/* What a request is refused with whose path and query, headers or body are too large for the site: 414, 400, 413; 0: it
 * is not. */
int32_t vw_site_too_large(const struct site *site, const struct url *url, const char *headers, size_t length,
                          int64_t body);
/* The value of the first header of that name (in any case), without blanks round it; NULL: there is none. */
const char *vw_header_find(const char *headers, size_t length, const char *name, size_t *value_length);
/* The route of a request. NULL: none, and *status says 404 or 405. */
struct route *vw_route_find(const struct site *site, const struct url *url, const char *method, size_t length,
                            int32_t *status);
/* Build the two indexes. False: no memory. */
bool vw_site_index(struct site *site);
bool vw_network_index(struct network *network);
void vw_network_free(struct network *network);
/* Fills in the pattern: what a body given by its size consists of. */
void vw_pattern_fill(char *bytes, size_t size);

#endif
