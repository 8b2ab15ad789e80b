/* peer.c - one client's connection: reads its requests, asks the world, writes the answers.
 *
 * Requests on a connection follow each other; what comes while one is under way waits in `in`. Only what clients of
 * this kit send is understood: a request line, header lines, and a body whose Content-Length is given.
 */
#define _GNU_SOURCE     /* mempcpy */
#include "peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST_IN = 8 << 20 };

struct peer {
    uv_tcp_t socket;
    struct clock *clock;
    struct site *site;
    uint32_t session;               /* its number in the world                                  */
    uint64_t id;                    /* the request under way; 0: none                           */
    bool closing;                   /* the socket is; and closed, once libuv has said so        */
    bool closed;
    char *in;                       /* what has come and was not asked yet                      */
    size_t size, room;
};

struct writing {
    uv_write_t request;
    char bytes[];
};

/* ---- Closing -------------------------------------------------------------------------------------- */

/* A peer is freed when its socket is closed and the world has ended what it asked for. */
static void free_if_over(struct peer *peer)
{
    if (!peer->closed || peer->id)
        return;
    struct world_request request = {.op = WORLD_SESSION_CLOSE, .session = peer->session};
    peer->clock->world->submit(peer->clock->world, &request);
    free(peer->in);
    free(peer);
}

static void on_close(uv_handle_t *socket)
{
    struct peer *peer = socket->data;
    peer->closed = true;
    free_if_over(peer);
}

/* The client is gone, or is done with: what it asked for is given up at this instant. */
static void hang_up(struct peer *peer, bool reset)
{
    if (peer->closing)
        return;
    peer->closing = true;
    if (peer->id) {
        clock_catch_up(peer->clock);
        if (peer->id)
            peer->clock->world->cancel(peer->clock->world, peer->id);
    }
    if (!reset || uv_tcp_close_reset(&peer->socket, on_close) != 0)
        uv_close((uv_handle_t *)&peer->socket, on_close);
    clock_catch_up(peer->clock);
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
    struct peer *peer = request->handle->data;
    (void)status;
    free(request);
    hang_up(peer, false);
}

/* Closes once all that was written is out. */
static void close_politely(struct peer *peer)
{
    uv_shutdown_t *request = malloc(sizeof *request);
    if (!request || uv_shutdown(request, (uv_stream_t *)&peer->socket, on_shutdown) < 0) {
        free(request);
        hang_up(peer, false);
    }
}

/* ---- Writing -------------------------------------------------------------------------------------- */

static void on_written(uv_write_t *request, int status)
{
    (void)status;
    free(request);
}

static void write_bytes(struct peer *peer, const void *bytes, size_t size)
{
    struct writing *writing = size ? malloc(sizeof *writing + size) : NULL;
    if (!writing)
        return;
    memcpy(writing->bytes, bytes, size);
    uv_buf_t buffer = uv_buf_init(writing->bytes, (unsigned)size);
    if (uv_write(&writing->request, (uv_stream_t *)&peer->socket, &buffer, 1, on_written) < 0)
        free(writing);
}

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
    to += sprintf(to, "HTTP/1.1 %d %s\r\n", completion->status, completion->status < 400 ? "OK" : "No");
    for (; from < end; from++) {
        if (*from == '\n')
            *to++ = '\r';
        *to++ = *from;
    }
    if (completion->cpu > 0)
        to += sprintf(to, "Looplab-Cpu: %lld\r\n", (long long)completion->cpu);
    to += sprintf(to, "\r\n");
    write_bytes(peer, head, (size_t)(to - head));
    free(head);
}

static void read_requests(struct peer *peer);

static void end_request(struct peer *peer, int32_t rc)
{
    peer->id = 0;
    if (peer->closing)
        free_if_over(peer);
    else if (rc == 0)
        read_requests(peer);
    else if (rc == -EPROTO)
        close_politely(peer);           /* truncated: it ends before all has come */
    else
        hang_up(peer, true);            /* reset; or the connection was refused, which a server can do only so late */
}

void peer_deliver(const struct world_completion *completion)
{
    struct peer *peer = (struct peer *)(uintptr_t)completion->user;     /* NOLINT: what submit was given */
    if (completion->parts & WORLD_HEAD && !peer->closing)
        write_head(peer, completion);
    if (completion->parts & WORLD_BODY && !peer->closing)
        write_bytes(peer, (const char *)completion->data + completion->head, completion->size - completion->head);
    if (completion->parts & WORLD_END)
        end_request(peer, completion->rc);
}

/* ---- Reading -------------------------------------------------------------------------------------- */

/* One request at the beginning of `in`. */
struct parsed {
    const char *method, *target, *fields, *body;
    size_t method_length, target_length, fields_length, body_length;
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
    size_t length = (size_t)(parsed->body - in) + parsed->body_length;
    parsed->length = length <= peer->size ? length : 0;
    return length < MOST_IN;
}

/* Method, URL, headers, body: as a program would have asked for them. */
static void submit(struct peer *peer, const struct parsed *parsed)
{
    struct co_world *world = peer->clock->world;
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
    struct world_request request = {.op = WORLD_HTTP, .user = (uintptr_t)peer, .session = peer->session,
                                    .max_per_host = 1,
                                    .lengths = {(uint32_t)parsed->method_length, (uint32_t)url, (uint32_t)fields_length,
                                                (uint32_t)parsed->body_length},
                                    .data = data, .size = (size_t)(to - data)};
    peer->id = world->submit(world, &request);
    free(data);
}

static void read_requests(struct peer *peer)
{
    struct parsed parsed;
    if (peer->id || peer->closing || peer->size == 0)
        return;
    if (!parse(peer, &parsed)) {
        hang_up(peer, true);
        return;
    }
    if (parsed.length == 0)
        return;
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
    peer->clock = &listener->served->clock;
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
