/* virtual.h - inside the virtual world: a network, a handful of CPUs, a disk and a clock that jumps.
 *
 * An operation is what one submit asked for: an exchange (HTTP), a job or an access (to the disk). It sits in up to
 * three places: in the table of operations under its id; in the heap of events, when it waits for a moment of time; in
 * a line, when it waits for something that others hold (a connection, a server's worker, a CPU, the disk). When
 * something of it reaches the program, that becomes a result, which the next wait hands over.
 *
 *     submit ──▶ operation ──▶ event … event ──▶ result ──▶ wait's completions
 *
 * Everything that several operations compete for is given in the order they asked; everything that
 * happens at one instant happens in the order it was scheduled. No order ever comes from an address.
 *
 * All memory is taken in submit and open. What happens as time passes can therefore not fail for want of it; only
 * accesses may, whose content grows as it comes: they then end with -ENOMEM, and nothing of them is done.
 * Names that other files of this folder use begin with vw_ (a student's program is linked with them).
 */
#ifndef VIRTUAL_H
#define VIRTUAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../explore/tape.h"
#include "../../trace/trace.h"
#include "../world.h"

#define VW_UNLIMITED INT64_MAX   /* as a count: no limit; as a time: never */
#define VW_PATTERN 64            /* a body given by its size repeats these many bytes...       */
#define VW_BLOCK 65536           /* ...and arrives in pieces of at most this                   */

struct world;
struct exchange;
struct line;

/* ---- operation.c: what submit asked for ---------------------------------------------------- */

/* What exchanges, jobs and accesses have in common; the first member of each. */
struct operation {
    /* What submit returned. */
    uint64_t id;
    /* The caller's mark, handed back with each completion. */
    uint64_t user;
    /* WORLD_HTTP: this is a struct exchange. WORLD_JOB: a struct job. WORLD_FILE: a struct access. */
    enum world_op kind;
    /* Its place in the heap of events, from 1; 0: it waits for no moment of time. */
    uint32_t place;
    /* The number of its newest result; below results.first: that one is handed over already. */
    uint64_t newest;
    /* Its last result is there: it holds nothing any more, and can no longer be cancelled. */
    bool ended;
    /* The line it stands in, or NULL. */
    struct line *line;
    /* Its neighbours in the line; next also links the free and the retired ones. */
    struct operation *next, *prev;
};

/* Operations that wait for the same thing, first come, first served. Zero-filled: nobody waits. */
struct line {
    /* Who waits, longest first; NULL: nobody. */
    struct operation *first, *last;
    /* How many wait. */
    int64_t length;
};

/* All operations that have not been handed over to the end, by id. */
struct operations {
    /* Open addressing with linear probing, at most half full. */
    struct operation **slots;
    /* Number of slots - 1, a power of two less one. 0: no slots yet. */
    size_t mask;
    /* How many there are, and how many heap, results and slots have room for. */
    size_t count, room;
    /* The newest id. */
    uint64_t last_id;
    /* Handed over by the last wait: their data must live until the next one. */
    struct operation *retired;
    /* Free objects, used again latest first (they are still in the cache). */
    struct operation *free_exchanges, *free_jobs, *free_accesses;
};

/* A zeroed operation of that kind under a new id, or NULL: no memory. */
struct operation *vw_operation_new(struct world *world, enum world_op kind, const struct world_request *request);
struct operation *vw_operation_find(const struct world *world, uint64_t id);
/* Takes it out of the table: its last completion has just been handed over. */
void vw_operation_retire(struct world *world, struct operation *operation);
/* Takes it back as if it had never been asked for: submit failed. */
void vw_operation_undo(struct world *world, struct operation *operation);
/* Makes the retired ones free again. */
void vw_operations_recycle(struct world *world);
void vw_operations_free(struct world *world);

void vw_line_add(struct line *line, struct operation *operation);
void vw_line_remove(struct operation *operation);
/* Removes and returns who has waited longest, or NULL. */
struct operation *vw_line_take(struct line *line);

/* ---- schedule.c: what will happen, and when ------------------------------------------------ */

struct event {
    /* When. */
    int64_t time;
    /* Rising with each scheduling: decides among events of one instant. */
    uint64_t order;
    /* What then takes its next step. */
    struct operation *operation;
};

/* A 4-ary heap, the earliest event on top: half as deep as a binary one, and four children lie in two cache lines. */
struct events {
    /* The first `count` are in use; NULL before the first operation. */
    struct event *heap;
    size_t count;
    /* The order of the newest event. */
    uint64_t order;
};

/* a + b, both from 0; VW_UNLIMITED (never) if that overflows. */
int64_t vw_later(int64_t a, int64_t b);
/* a * b / c rounded up, VW_UNLIMITED if that overflows; all from 0, c from 1. */
int64_t vw_scale(int64_t a, int64_t b, int64_t c);
/* The operation takes its next step at `time`; never, if that is VW_UNLIMITED. It must have no event yet. */
void vw_event_set(struct world *world, struct operation *operation, int64_t time);
/* Takes its event back, if it has one. */
void vw_event_clear(struct world *world, struct operation *operation);
/* Removes the earliest event and returns whose it is. There must be one. */
struct operation *vw_event_take(struct world *world);

/* ---- result.c: what has reached the program, until wait hands it over ---------------------- */

struct result {
    struct operation *operation;
    /* Which parts are still to be handed over, of enum world_part. */
    uint32_t parts;
    /* With WORLD_END: how it ended. */
    int32_t rc;
    /* When its newest part happened, in ns; if later results follow it, at most when the first of those did. */
    int64_t t;
    /* With WORLD_BODY: the body's bytes from..to are here. */
    int64_t from, to;
};

/* A ring in the order in which results arose. An operation has two in it at most: one that takes up all that
 * arrives, and its end. So a slow reader costs no memory, however long the program lets it lie. */
struct results {
    /* Result number n lies at ring[n & mask]; NULL before the first operation. */
    struct result *ring;
    size_t mask;
    /* The numbers of the oldest one still here and of the next new one. From 1. */
    uint64_t first, next;
};

void vw_result_head(struct world *world, struct exchange *exchange);
/* The body has arrived up to byte `to`; before, up to `from`. */
void vw_result_body(struct world *world, struct exchange *exchange, int64_t from, int64_t to);
void vw_result_end(struct world *world, struct operation *operation, int32_t rc);
/* Hands over up to max completions. */
size_t vw_results_take(struct world *world, struct world_completion out[], size_t max);

/* ---- network.c: sites and routes, as the world file describes them ------------------------- */

/* Something that goes wrong. */
enum fault_kind { FAULT_NONE, FAULT_REFUSED, FAULT_UNRESOLVED, FAULT_RESET, FAULT_HANG, FAULT_DRIP, FAULT_TRUNCATE };

struct fault {
    enum fault_kind kind;
    /* It strikes the first `times` requests; VW_UNLIMITED: all. */
    int64_t times;
    /* It strikes when a draw of 64 bits is below this (drawn_by_chance), */
    uint64_t threshold;
    /* which is asked only for a probability between 0 and 1, both excluded. */
    bool by_chance;
    /* Reset and truncate: after this many bytes of the body. */
    int64_t after;
    /* Drip: `bytes` bytes every `every` ns. */
    int64_t bytes, every;
};

/* What a server sends. */
struct answer {
    int32_t status;
    /* How many bytes of headers, "Name: value\n" each. */
    uint32_t head;
    /* The length of the body. */
    int64_t body;
    /* The headers and right behind them the body, so that both can go out as one piece without a copy.
     * If `patterned`, only the headers. */
    const char *bytes;
    /* The body is the network's pattern, repeated. */
    bool patterned;
};

struct route {
    /* With its query, if it has one. Begins with '/'. */
    char *path;
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

/* The connections of one session to one site. */
struct pool;

struct site {
    /* As the file has it, without a path: "http://a.test:8080". */
    char *url;
    /* Scheme and host in lower case, "http://a.test", and the port; together they say which site is meant. */
    char *origin;
    uint32_t port;
    /* There and back; half of it (rounded down) is the way there. */
    int64_t rtt;
    /* How long it takes to find the address, and to set up a connection to it. */
    int64_t resolve, connect;
    /* How many requests are worked on at a time (VW_UNLIMITED: all), and by how many workers now. */
    int64_t workers, working;
    /* How many connections may be open, how many are, and how many more may stand in line. */
    int64_t max_connections, open, backlog;
    /* Bytes a second, for routes that say nothing of their own. */
    int64_t bandwidth;
    struct rate_limit rate;
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
    /* What the draws of its own fault start from, and how many connections were tried. */
    uint64_t key, attempts;
};

struct network {
    /* In the file's order. */
    struct site *sites;
    size_t site_count;
    /* Sites by origin and port: index + 1, 0 = free. */
    uint32_t *by_origin;
    size_t by_origin_mask;
    /* VW_BLOCK + VW_PATTERN bytes of the pattern; NULL: no body needs it. */
    char *pattern;
};

/* A URL, taken apart. */
struct url {
    /* Scheme and host in lower case: "http://a.test". */
    char origin[272];
    size_t origin_length;
    uint32_t port;
    /* Path and query, in the text that was parsed or "/". */
    const char *path;
    size_t path_length;
    /* The length of the path alone. */
    size_t query_at;
};

bool vw_url_parse(struct url *url, const char *text, size_t length);
struct site *vw_site_find(const struct network *network, const struct url *url);
/* The routes of that path (the first of other_method's chain), or NULL. */
struct route *vw_path_find(const struct site *site, const char *path, size_t length);
/* Whether `headers` ("Name: value\n" lines, not ended by '\0') have all that the route requires. */
bool vw_route_allows(const struct route *route, const char *headers, size_t length);
/* The route of a request. NULL: none, and *status says 404 or 405. */
struct route *vw_route_find(const struct site *site, const struct url *url, const char *method, size_t length,
                            int32_t *status);
/* Build the two indexes. False: no memory. */
bool vw_site_index(struct site *site);
bool vw_network_index(struct network *network);
void vw_network_free(struct network *network);
/* Fills in the pattern: what a body given by its size consists of. */
void vw_pattern_fill(char *bytes, size_t size);

/* ---- draw.c: chance ------------------------------------------------------------------------ */

enum draw { DRAW_LATENCY = 1, DRAW_FAULT = 2 };

/* 64 bits that depend on these four alone. */
uint64_t vw_draw(uint64_t seed, uint64_t key, uint64_t k, enum draw what);
/* The key of a name. */
uint64_t vw_key(const char *text, size_t length);
/* The latency of the k-th request to a route. */
int64_t vw_draw_latency(struct world *world, const struct route *route, uint64_t k);
/* Whether a fault strikes the k-th time. */
bool vw_draw_fault(struct world *world, const struct fault *fault, uint64_t key, uint64_t k);
/* A probability between 0 and 1 as a threshold of 64 bits. */
uint64_t vw_threshold(double probability);

/* ---- exchange.c: one HTTP request and its answer ------------------------------------------- */

/* What an exchange does at its next step. */
enum phase {
    PHASE_BEGIN,       /* sets out: it has a connection of its session, or may open one */
    PHASE_CONNECT,     /* the server learns of the connection                       */
    PHASE_ESTABLISH,   /* the connection is there                                   */
    PHASE_ARRIVE,      /* the request reaches the server                            */
    PHASE_SERVED,      /* a worker has its answer ready                             */
    PHASE_HEAD,        /* the head of the answer reaches the program                */
    PHASE_BODY,        /* more of the body reaches it                               */
    PHASE_HUNG,        /* nothing, ever                                             */
};

struct exchange {
    struct operation operation;
    enum phase phase;
    /* Where it goes; NULL: a host that nobody has. */
    struct site *site;
    /* NULL: the site has no such path. */
    struct route *route;
    /* What the server sends: the route's answer, or one of `exceptions`. */
    const struct answer *answer;
    /* The route's fault, if it strikes this time; else NULL. */
    const struct fault *fault;
    /* What is wrong with the connection, if it must fail: -ECONNREFUSED, -ENXIO; else 0. */
    int32_t connect_rc;
    /* Its chances were drawn. */
    bool drawn;
    /* It was asked for with HEAD: the answer has no body. */
    bool head_only;
    /* The request lacks a header that the route requires. */
    bool unauthorized;
    /* It counts among its pool's connections; among its site's; among the site's busy workers. */
    bool in_pool, in_site, at_work;
    /* The number of its connection; 0: not yet, or no more. */
    uint64_t connection;
    /* The connections of its session to this site; NULL: it has one of its own, or has ended. */
    struct pool *pool;
    /* How many of those there may be; 0: no limit. */
    uint32_t max_per_host;
    /* How long it takes to send the request's body, and how long the worker takes. */
    int64_t upload, latency;
    /* How many bytes of the body have arrived, how many will have with the piece
     * on its way, and how many in the end. */
    int64_t arrived, on_its_way, coming;
    /* Since when the body flows without a stop, and from which byte on. */
    int64_t flow_at, flow_from;
    /* Up to which byte the server may send (VW_UNLIMITED: to the end); and whether it has come that far and stopped. */
    int64_t window_end;
    bool stopped;
    /* What `echoed` consists of, to be freed; NULL: nothing is echoed. */
    char *echo;
    /* The answer when it is nobody's: 401, 404, 405, 429, with its headers in `text`. */
    struct answer exception;
    char text[64];
    /* The answer that sends the request's body back. */
    struct answer echoed;
};

/* Starts the exchange the request asks for. Returns its id, 0: no memory. */
uint64_t vw_exchange_submit(struct world *world, const struct world_request *request);
/* Takes steps until one must wait for time to pass, or for somebody else. */
void vw_exchange_step(struct world *world, struct exchange *exchange);
void vw_exchange_cancel(struct world *world, struct exchange *exchange);
/* The program has read `count` bytes more of its body. */
void vw_exchange_read(struct world *world, struct exchange *exchange, uint64_t count);
/* What its answer costs the program's CPU, when it ended with rc. */
int64_t vw_exchange_cpu(const struct exchange *exchange, int32_t rc);

/* ---- server.c: what requests to one site compete for --------------------------------------- */

/* Whether the connection is accepted: 1 now; 0 not yet, it stands in line; -ECONNREFUSED. */
int vw_server_accept(struct exchange *exchange);
/* A connection is gone; the next in line gets its place. */
void vw_server_closed(struct world *world, struct site *site);
/* A request comes in. 0: accepted; else how long, in ns, until the limit would let it in. */
int64_t vw_server_rate(struct world *world, struct site *site);
/* Gives the exchange a worker, or lets it stand in line: false. */
bool vw_server_take_worker(struct exchange *exchange);
/* Gives the worker back; returns who gets it next, or NULL. */
struct exchange *vw_server_release_worker(struct exchange *exchange);

/* ---- connection.c: connections, and the sessions that keep them ---------------------------- */

struct pool {
    /* The site's next pool. */
    struct pool *next;
    struct site *site;
    /* Whose it is. */
    uint32_t session;
    /* The session was closed: connections that come back are closed, not kept. */
    bool closed;
    /* Its connections: in use, being opened, and idle. */
    int64_t count;
    /* How many of its exchanges stand in the site's line of connections. */
    int64_t arriving;
    /* The numbers of the idle connections; the latest used is taken first. */
    uint64_t *idle;
    int64_t idle_count, idle_room;
    /* Exchanges that wait for one of its connections. */
    struct line waiting;
};

/* Puts the exchange into its session's pool (session 0: none). False: no memory. */
bool vw_pool_join(struct exchange *exchange, uint32_t session);
/* Whether the exchange may set out: with an idle connection, or to open one. Else it stands in line. */
bool vw_pool_enter(struct exchange *exchange);
/* The connection is set up. */
void vw_connection_opened(struct world *world, struct exchange *exchange);
/* The exchange no longer needs its connection, which is in order: it goes back to the session, or is closed. */
void vw_connection_keep(struct world *world, struct exchange *exchange);
/* The same, when the connection is not in order, or not there yet. */
void vw_connection_drop(struct world *world, struct exchange *exchange);
/* Closes the connection and nothing else: the exchange goes on and opens another. */
void vw_connection_close(struct world *world, struct exchange *exchange);
void vw_session_close(struct world *world, uint32_t session);
void vw_pools_free(struct site *site);

/* ---- job.c: functions that run on workers -------------------------------------------------- */

/* Workers that share a line of jobs: the world's CPUs, or a pool that the program made. */
struct crew {
    /* The next pool. */
    struct crew *next;
    /* The pool's number; 0: the world's CPUs. */
    uint32_t pool;
    /* How many workers there are, which of them have a job, and how many have. */
    uint32_t workers;
    bool *busy;
    uint32_t working;
    /* Jobs that wait for a worker. */
    struct line waiting;
};

struct job {
    struct operation operation;
    /* The function and its argument. */
    int (*fn)(void *);
    void *argument;
    /* Whose workers run it; NULL: it has ended. */
    struct crew *crew;
    /* On which worker it runs, from 1; 0: it has none yet. */
    uint32_t worker;
    /* The function was called: from now on the job runs to its end. */
    bool begun;
    /* What the function returned. */
    int32_t rc;
    /* How long it kept its worker busy. */
    int64_t cost;
};

struct jobs {
    /* The world's CPUs. */
    struct crew cpus;
    /* The pools that have a job, the newest first. */
    struct crew *pools;
    /* The job whose function is being called, or NULL: its clock runs apart from the world's. */
    struct job *running;
};

/* Makes the CPUs. False: no memory. */
bool vw_jobs_open(struct jobs *jobs, uint32_t cpus);
void vw_jobs_free(struct jobs *jobs);
uint64_t vw_job_submit(struct world *world, const struct world_request *request);
void vw_job_step(struct world *world, struct job *job);
void vw_job_cancel(struct world *world, struct job *job);

/* ---- disk.c: files, in memory -------------------------------------------------------------- */

/* What is in a file. It lives as long as it has a path or is open. */
struct content {
    char *bytes;
    size_t length, room;
    /* Its path, and each opening. */
    size_t users;
    /* The program made it, wrote to it or renamed it. */
    bool touched;
};

/* A path, and what lies there. */
struct file {
    char *path;
    struct content *content;
};

/* A file that is open. */
struct opening {
    /* The id of the operation that opened it. */
    uint64_t number;
    enum world_file_mode mode;
    /* Up to where it is read or written. */
    size_t position;
    struct content *content;
    /* As it was when it was opened. */
    char path[];
};

/* Something that goes wrong with the disk. */
struct disk_fault {
    /* Bit n: it strikes calls of that enum world_file_call... */
    uint32_t calls;
    /* ...to paths that begin with this: */
    char *path;
    /* of these the nth, from 1, and those behind it, `times` of them altogether. */
    int64_t nth, times;
    /* How many there were. */
    int64_t seen;
    int32_t rc;
};

struct disk {
    /* How long each access takes, besides its bytes; how many bytes a second; VW_UNLIMITED: those take no time. */
    int64_t latency, bandwidth;
    /* How many bytes fit on it, and how many are there. */
    int64_t capacity, used;
    /* How many accesses go on at the same time at most, and how many do; further ones wait. */
    int64_t parallel, busy;
    struct line waiting;
    /* Sorted by path. */
    struct file *files;
    size_t file_count, file_room;
    /* Sorted by number. */
    struct opening **openings;
    size_t opening_count, opening_room;
    struct disk_fault *faults;
    size_t fault_count;
};

/* One call to the disk. */
struct access {
    struct operation operation;
    enum world_file_call call;
    enum world_file_mode mode;
    /* READ, WRITE: which opening; READ: how many bytes at most. */
    uint64_t number, count;
    /* What a fault, or a wrong argument, makes of it; 0: neither. */
    int32_t rc;
    /* It is one of the disk's busy ones. */
    bool at_work;
    /* Two paths, each with its '\0', and `size` bytes to be written. */
    char *request, *path, *to, *bytes;
    size_t size;
    /* What was found; NULL: nothing. */
    char *found;
    size_t found_size;
};

/* An empty disk of no latency and without limits. */
#define VW_EMPTY_DISK {.bandwidth = VW_UNLIMITED, .capacity = VW_UNLIMITED, .parallel = VW_UNLIMITED}

/* Puts a file there, as the world file has it. False: no memory. */
bool vw_disk_add(struct disk *disk, const char *path, const char *bytes, size_t size);
void vw_disk_free(struct disk *disk);
/* Starts the access that the request asks for; a CLOSE is done at once. Returns its id, 0: no memory. */
uint64_t vw_access_submit(struct world *world, const struct world_request *request);
void vw_access_step(struct world *world, struct access *access);
void vw_access_cancel(struct world *world, struct access *access);
/* Frees its bytes: its last completion is no longer needed. */
void vw_access_forget(struct access *access);
/* Puts the files that the program has touched into the trace. */
void vw_disk_trace(const struct world *world);

/* ---- world_file.c: the world file ---------------------------------------------------------- */

/* What a world file says. */
struct description {
    /* Where draws start from. */
    uint64_t seed;
    /* How many CPUs run jobs. */
    int64_t cpus;
    struct network network;
    struct disk disk;
};

/* Reads a world file. NULL: an empty world. False: one line in error[size], and nothing to free. */
bool vw_file_read(struct description *description, const char *path, char *error, size_t size);

/* ---- virtual.c ----------------------------------------------------------------------------- */

struct world {
    /* The five calls. First, so that a struct co_world * is a struct world *. */
    struct co_world calls;
    /* The clock, in ns. */
    int64_t now;
    /* What draws start from. */
    uint64_t seed;
    /* Where its lines go; NULL: nowhere. */
    struct trace *trace;
    /* What decides where more than one outcome is legal; NULL: the seed alone. */
    struct tape *tape;
    struct network network;
    struct jobs jobs;
    struct disk disk;
    struct operations operations;
    struct events events;
    struct results results;
    /* The number of the newest connection. */
    uint64_t connections;
};

#endif
