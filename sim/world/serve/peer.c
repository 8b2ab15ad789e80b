/* peer.c - one client's connection: reads its requests, asks the world, writes the answers.
 *
 * Requests on a connection follow each other; what comes while one is under way waits in `in`. Only what clients of
 * this kit send is understood: a request line, header lines, and a body whose Content-Length is given.
 */
#define _GNU_SOURCE     /* mempcpy, memmem */
#include "peer.h"

#include "../virtual/connection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What may wait to be written: beyond that, and what the kernels take, a client that reads slowly stops its server. */
enum { MOST_IN = 256 << 20, MOST_OUT = 256 << 10 };

struct peer {
    uv_tcp_t socket;
    uv_timer_t idle;                /* rings when the server closes it, as nothing was asked    */
    struct peer *next, *prev;       /* all of them                                              */
    struct served *served;
    struct clock *clock;
    struct site *site;
    uint32_t session;               /* its number in the world                                  */
    uint64_t id;                    /* the request under way; 0: none                           */
    bool is_ours;                   /* its client is one of this kit                            */
    bool kept;                      /* it lies idle behind its last answer                      */
    bool ending;                    /* all is written, and no further request is taken          */
    bool closing;                   /* the socket is                                            */
    bool chunked;                   /* the body under way is                                    */
    bool head_only;                 /* and was asked for with HEAD: it has none                 */
    const struct route *route;      /* where the request under way goes; NULL: nowhere          */
    size_t rest;                    /* of the body of a request that was refused for its size: still to come */
    int open;                       /* handles that libuv still has                             */
    char *in;                       /* what has come and was not asked yet                      */
    size_t size, room;
};

struct writing {
    uv_write_t request;
    struct peer *peer;
    uint64_t id;                    /* whose body these bytes are                               */
    uint32_t body;                  /* how many of them                                         */
    char bytes[];
};

/* ---- Closing -------------------------------------------------------------------------------------- */

/* A peer is freed when its socket is closed and the world has ended what it asked for. */
static void free_if_over(struct peer *peer)
{
    if (peer->open || peer->id)
        return;
    struct clock *clock = peer->clock;
    struct world_request request = {.op = WORLD_SESSION_CLOSE, .session = peer->session};
    clock->world->submit(clock->world, &request);
    if (peer->prev)
        peer->prev->next = peer->next;
    else
        peer->served->peers = peer->next;
    if (peer->next)
        peer->next->prev = peer->prev;
    free(peer->in);
    free(peer);
    clock_catch_up(clock);              /* somebody may have waited for its place */
}

static void on_close(uv_handle_t *handle)
{
    struct peer *peer = handle->data;
    peer->open--;
    free_if_over(peer);
}

/* The client is gone, or is done with: what it asked for is given up at this instant. */
static void hang_up(struct peer *peer, bool reset)
{
    if (peer->closing)
        return;
    peer->closing = true;
    uv_close((uv_handle_t *)&peer->idle, on_close);
    if (peer->id) {
        clock_catch_up(peer->clock);
        if (peer->id)
            peer->clock->world->cancel(peer->clock->world, peer->id);
    }
    if (!reset || uv_tcp_close_reset(&peer->socket, on_close) != 0)
        uv_close((uv_handle_t *)&peer->socket, on_close);
    clock_catch_up(peer->clock);
}

static void on_idle(uv_timer_t *idle);

/* A socket closed with bytes unread is reset, and the client may lose the answer: what is still to come is read first,
 * if it comes within five seconds (as nginx has it). */
static void on_shutdown(uv_shutdown_t *request, int status)
{
    enum { LINGER = 5000 };
    struct peer *peer = request->handle->data;
    (void)status;
    free(request);
    if (peer->rest > 0 && !peer->closing)
        uv_timer_start(&peer->idle, on_idle, LINGER, 0);
    else
        hang_up(peer, false);
}

/* Closes once all that was written is out. */
static void close_politely(struct peer *peer)
{
    if (peer->ending || peer->closing)
        return;
    peer->ending = true;
    uv_shutdown_t *request = malloc(sizeof *request);
    if (!request || uv_shutdown(request, (uv_stream_t *)&peer->socket, on_shutdown) < 0) {
        free(request);
        hang_up(peer, false);
    }
}

static void on_idle(uv_timer_t *idle)
{
    struct peer *peer = idle->data;
    if (peer->ending)
        hang_up(peer, false);
    else
        close_politely(peer);
}

/* The client may ask again, for as long as the server keeps idle connections. */
static void lie_idle(struct peer *peer)
{
    int64_t most = peer->site->keep_idle;
    peer->kept = true;
    if (most == VW_UNLIMITED)
        return;
    uv_update_time(peer->idle.loop);
    uv_timer_start(&peer->idle, on_idle, (uint64_t)(most / 1000000), 0);
}

void peers_settle(struct clock *clock)
{
    struct served *served = (struct served *)clock;
    for (struct peer *peer = served->peers, *next; peer; peer = next) {
        next = peer->next;
        if (peer->kept && !peer->id && !vw_session_has_idle(peer->site, peer->session))
            close_politely(peer);
    }
}

/* ---- Writing -------------------------------------------------------------------------------------- */

/* The kernel has it: there is room for more of the body. */
static void on_written(uv_write_t *request, int status)
{
    struct writing *writing = (struct writing *)(void *)request;
    struct peer *peer = writing->peer;
    struct world_request more = {.op = WORLD_HTTP_READ, .id = writing->id, .count = writing->body};
    bool wanted = status == 0 && writing->body && peer->id == writing->id;
    free(writing);
    if (!wanted)
        return;
    clock_catch_up(peer->clock);
    if (peer->id != more.id)
        return;
    peer->clock->world->submit(peer->clock->world, &more);
    clock_catch_up(peer->clock);
}

/* id: of the request whose body they are; 0: they are none. */
static void write_for(struct peer *peer, const void *bytes, size_t size, uint64_t id)
{
    struct writing *writing = size ? malloc(sizeof *writing + size) : NULL;
    if (!writing)
        return;
    writing->peer = peer;
    writing->id = id;
    writing->body = id ? (uint32_t)size : 0;
    memcpy(writing->bytes, bytes, size);
    uv_buf_t buffer = uv_buf_init(writing->bytes, (unsigned)size);
    if (uv_write(&writing->request, (uv_stream_t *)&peer->socket, &buffer, 1, on_written) < 0)
        free(writing);
}

static void write_bytes(struct peer *peer, const void *bytes, size_t size)
{
    write_for(peer, bytes, size, 0);
}

/* A piece of the body. */
static void write_piece(struct peer *peer, const char *bytes, size_t size)
{
    char line[24];
    if (peer->chunked)
        write_bytes(peer, line, (size_t)sprintf(line, "%zx\r\n", size));
    write_for(peer, bytes, size, peer->id);
    if (peer->chunked)
        write_bytes(peer, "\r\n", 2);
}

static void write_lines(struct peer *peer, const char *lines)
{
    for (const char *end; *lines; lines = end + 1) {
        end = strchr(lines, '\n');
        write_bytes(peer, lines, (size_t)(end - lines));
        write_bytes(peer, "\r\n", 2);
    }
}

/* The last chunk, and what stands behind it. */
static void end_chunks(struct peer *peer)
{
    write_bytes(peer, "0\r\n", 3);
    if (peer->route && peer->route->trailers)
        write_lines(peer, peer->route->trailers);
    write_bytes(peer, "\r\n", 2);
}

/* What the whole answer will cost the client's CPU: known when its head goes out. */
static int64_t cpu_of(const struct peer *peer, const struct world_completion *completion)
{
    const struct world *world = (const struct world *)peer->clock->world;
    if (completion->parts & WORLD_END)
        return completion->cpu;
    const struct operation *operation = vw_operation_find(world, completion->id);
    return operation ? vw_exchange_cpu((const struct exchange *)operation, 0) : 0;
}

#define CHUNKED "Transfer-Encoding: chunked\n"     /* as the world writes it */

/* The head as it goes over the wire: "Name: value\n" becomes "Name: value\r\n". What the answer costs the client's CPU
 * goes along, for a client that wants to pay it. */
static void write_head(struct peer *peer, const struct world_completion *completion)
{
    const char *from = completion->data, *end = from + completion->head;
    size_t lines = 0;
    for (const char *c = from; c < end; c++)
        lines += *c == '\n';
    char *head = malloc(completion->head + lines + 128), *to = head;
    if (!head)
        return;
    peer->chunked = !peer->head_only && memmem(from, completion->head, CHUNKED, strlen(CHUNKED)) != NULL;
    to += sprintf(to, "HTTP/1.1 %d %s\r\n", completion->status, completion->status < 400 ? "OK" : "No");
    for (; from < end; from++) {
        if (*from == '\n')
            *to++ = '\r';
        *to++ = *from;
    }
    int64_t cpu = cpu_of(peer, completion);
    if (cpu > 0)
        to += sprintf(to, "Looplab-Cpu: %lld\r\n", (long long)cpu);
    to += sprintf(to, "\r\n");
    write_bytes(peer, head, (size_t)(to - head));
    free(head);
}

static void read_requests(struct peer *peer);

/* The connection was refused, which a server can do only so late: a client of this kit is told, others are hung up. */
static void refuse(struct peer *peer, int32_t rc)
{
    char text[96];
    int length = snprintf(text, sizeof text, "HTTP/1.1 503 No\r\nLooplab-Refused: %d\r\nContent-Length: 0\r\n\r\n",
                          -rc);
    if (!peer->is_ours) {
        hang_up(peer, true);
        return;
    }
    write_bytes(peer, text, (size_t)length);
    close_politely(peer);
}

static void end_request(struct peer *peer, const struct world_completion *completion)
{
    int32_t rc = completion->rc;
    peer->id = 0;
    if (peer->closing) {
        free_if_over(peer);
    } else if (rc == -ECONNREFUSED || rc == -ENXIO) {
        refuse(peer, rc);
    } else if (rc == -EPROTO || (rc == 0 && completion->parts & WORLD_CLOSES)) {
        close_politely(peer);           /* -EPROTO: truncated, it ends before all has come */
    } else if (rc == 0) {
        lie_idle(peer);
        read_requests(peer);
    } else {
        hang_up(peer, true);            /* -ECONNRESET: "fault": "reset" */
    }
}

void peer_deliver(const struct world_completion *completion)
{
    struct peer *peer = (struct peer *)(uintptr_t)completion->user;     /* NOLINT: what submit was given */
    if (completion->parts & WORLD_HEAD && !peer->closing)
        write_head(peer, completion);
    if (completion->parts & WORLD_BODY && !peer->closing)
        write_piece(peer, (const char *)completion->data + completion->head, completion->size - completion->head);
    if (completion->parts & WORLD_END && completion->rc == 0 && peer->chunked && !peer->closing)
        end_chunks(peer);
    if (completion->parts & WORLD_END)
        end_request(peer, completion);
}

/* ---- Reading -------------------------------------------------------------------------------------- */

/* One request at the beginning of `in`. */
struct parsed {
    const char *method, *target, *fields, *body;
    size_t method_length, target_length, fields_length, body_length;
    size_t rest;                    /* of a body that is too large: what is not asked of the world */
    size_t length;                  /* of all of it; 0: it is not all there yet                 */
};

static size_t content_length(const char *fields, size_t length)
{
    for (const char *line = fields; line < fields + length; line = strchr(line, '\n') + 1)
        if (strncasecmp(line, "Content-Length:", strlen("Content-Length:")) == 0)
            return strtoul(line + strlen("Content-Length:"), NULL, 10);
    return 0;
}

/* False: this is no request. `in` ends with a '\0'. */
static bool parse(const struct peer *peer, struct parsed *parsed)
{
    const char *in = peer->in, *end = strstr(in, "\r\n\r\n"), *line = strstr(in, "\r\n");
    *parsed = (struct parsed){0};
    if (!end)
        return peer->size < MOST_IN;
    const char *blank = memchr(in, ' ', (size_t)(line - in));
    const char *second = blank ? memchr(blank + 1, ' ', (size_t)(line - blank - 1)) : NULL;
    if (!second || blank[1] != '/')
        return false;
    *parsed = (struct parsed){.method = in, .method_length = (size_t)(blank - in), .target = blank + 1,
                              .target_length = (size_t)(second - blank - 1), .fields = line + 2, .body = end + 4};
    parsed->fields_length = (size_t)(end + 2 - parsed->fields);
    parsed->body_length = content_length(parsed->fields, parsed->fields_length);
    if ((int64_t)parsed->body_length > peer->site->most_body) {     /* so much of it is enough to refuse it */
        parsed->rest = parsed->body_length - (size_t)peer->site->most_body - 1;
        parsed->body_length -= parsed->rest;
    }
    size_t length = (size_t)(parsed->body - in) + parsed->body_length;
    parsed->length = length <= peer->size ? length : 0;
    return length < MOST_IN;
}

/* Method, URL, headers, body: as a program would have asked for them. */
static void submit(struct peer *peer, const struct parsed *parsed)
{
    struct co_world *world = peer->clock->world;
    struct url where;
    int32_t status;
    size_t site = strlen(peer->site->url), url = site + parsed->target_length;
    char *data = malloc(parsed->method_length + url + parsed->fields_length + parsed->body_length + 1), *to = data;
    if (!data)
        return;
    to = mempcpy(to, parsed->method, parsed->method_length);
    to = mempcpy(to, peer->site->url, site);
    to = mempcpy(to, parsed->target, parsed->target_length);
    char *fields = to;
    for (size_t i = 0; i < parsed->fields_length; i++)
        if (parsed->fields[i] != '\r')
            *to++ = parsed->fields[i];
    size_t fields_length = (size_t)(to - fields);
    to = mempcpy(to, parsed->body, parsed->body_length);
    peer->head_only = parsed->method_length == 4 && memcmp(parsed->method, "HEAD", 4) == 0;
    peer->route = vw_url_parse(&where, data + parsed->method_length, url)
        ? vw_route_find(peer->site, &where, parsed->method, parsed->method_length, &status) : NULL;
    struct world_request request = {.op = WORLD_HTTP, .user = (uintptr_t)peer, .session = peer->session,
                                    .max_per_host = 1, .sending = WORLD_ONCE_KEPT, .window = MOST_OUT,
                                    .lengths = {(uint32_t)parsed->method_length, (uint32_t)url, (uint32_t)fields_length,
                                                (uint32_t)parsed->body_length},
                                    .data = data, .size = (size_t)(to - data)};
    peer->is_ours = memmem(fields, fields_length, "User-Agent: looplab/1\n", strlen("User-Agent: looplab/1\n")) != NULL;
    peer->id = world->submit(world, &request);
    free(data);
}

/* What comes of a body that is not wanted. */
static void skip_rest(struct peer *peer)
{
    size_t skipped = peer->size < peer->rest ? peer->size : peer->rest;
    peer->rest -= skipped;
    peer->size -= skipped;
    memmove(peer->in, peer->in + skipped, peer->size + 1);
    if (peer->rest == 0 && peer->ending && uv_is_active((uv_handle_t *)&peer->idle))
        hang_up(peer, false);
}

static void read_requests(struct peer *peer)
{
    struct parsed parsed;
    if (peer->rest > 0 && peer->size > 0) {
        skip_rest(peer);
        return;
    }
    if (peer->id || peer->closing || peer->size == 0)
        return;
    if (peer->ending) {                 /* too late: the connection was closed when this set out */
        hang_up(peer, true);
        return;
    }
    if (!parse(peer, &parsed)) {
        hang_up(peer, true);
        return;
    }
    if (parsed.length == 0)
        return;
    uv_timer_stop(&peer->idle);
    peer->kept = false;
    peer->rest = parsed.rest;
    submit(peer, &parsed);
    peer->size -= parsed.length;
    memmove(peer->in, peer->in + parsed.length, peer->size + 1);
}

static void on_room(uv_handle_t *socket, size_t suggested, uv_buf_t *buffer)
{
    struct peer *peer = socket->data;
    if (peer->size + suggested + 1 > peer->room && peer->room < MOST_IN) {
        size_t room = 2 * (peer->size + suggested + 1);
        char *in = realloc(peer->in, room);
        if (in)
            peer->in = in, peer->room = room;
    }
    *buffer = uv_buf_init(peer->in + peer->size, peer->room > peer->size ? (unsigned)(peer->room - peer->size - 1) : 0);
}

static void on_read(uv_stream_t *socket, ssize_t size, const uv_buf_t *buffer)
{
    struct peer *peer = socket->data;
    (void)buffer;
    if (size < 0) {
        hang_up(peer, false);
        return;
    }
    peer->size += (size_t)size;
    peer->in[peer->size] = '\0';
    clock_catch_up(peer->clock);       /* the request comes now, not at the instant at which the world last looked */
    if (!peer->closing)
        read_requests(peer);
    clock_catch_up(peer->clock);
}

void peer_accept(uv_stream_t *socket, int status)
{
    struct listener *listener = socket->data;
    struct peer *peer = status == 0 ? calloc(1, sizeof *peer) : NULL;
    if (!peer)
        return;
    peer->served = listener->served;
    peer->clock = &listener->served->clock;
    peer->next = peer->served->peers;
    if (peer->next)
        peer->next->prev = peer;
    peer->served->peers = peer;
    peer->open = 2;
    peer->idle.data = peer;
    uv_timer_init(socket->loop, &peer->idle);
    peer->site = listener->site;
    peer->session = ++listener->served->sessions;
    peer->socket.data = peer;
    uv_tcp_init(socket->loop, &peer->socket);
    if (uv_accept(socket, (uv_stream_t *)&peer->socket) < 0
        || uv_read_start((uv_stream_t *)&peer->socket, on_room, on_read) < 0) {
        hang_up(peer, true);
        return;
    }
    uv_tcp_nodelay(&peer->socket, 1);
}
