/* http.c - requests, from submit to the last completion.
 *
 *     submit ─▶ fresh ─▶ its turn (session.c) ─▶ its host is known (resolve.c) ─▶ in curl's hands (transfer.c) ─▶ over
 *
 * What has come is kept in one run of bytes, the head first, and handed over when there is something to do with it:
 * for an answer that is wanted whole, when it is complete or a good piece of it is there; with a window, at once, as
 * far as the window is open.
 */
#include "real.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { GOOD_PIECE = 64 * 1024 };

/* ---- The trace ----------------------------------------------------------------------------------- */

static void trace_start(const struct real *world, const struct exchange *exchange, const struct world_request *request)
{
    struct trace *trace = rw_trace(world, "http.start", exchange->operation.id);
    if (!trace)
        return;
    trace_int(trace, "task", request->task);
    trace_str(trace, "url", exchange->url, request->lengths[1]);
    trace_str(trace, "method", exchange->request, request->lengths[0]);
    if (request->session)
        trace_int(trace, "session", request->session);
    if (request->lengths[3])
        trace_int(trace, "sent", request->lengths[3]);
    if (request->blocking)
        trace_int(trace, "blocking", 1);
    trace_end(trace);
}

static void trace_end_of(const struct real *world, const struct exchange *exchange, int32_t rc)
{
    struct trace *trace = rw_trace(world, "http.end", exchange->operation.id);
    if (!trace)
        return;
    trace_int(trace, "rc", rc);
    trace_int(trace, "status", exchange->head_known ? exchange->status : 0);
    trace_int(trace, "bytes", (int64_t)exchange->received);
    trace_end(trace);
}

/* ---- Beginning ------------------------------------------------------------------------------------ */

/* Copies method, URL, headers and body, the first three with a '\0' after each. */
static bool take_request(struct exchange *exchange, const struct world_request *request)
{
    const char *from = request->data;
    char *to = exchange->request = malloc(request->size + 3);
    const char *parts[4];
    if (!to)
        return false;
    for (int i = 0; i < 4; i++) {
        parts[i] = to;
        memcpy(to, from, request->lengths[i]);
        from += request->lengths[i];
        to += request->lengths[i];
        if (i < 3)
            *to++ = '\0';
    }
    exchange->url = parts[1];
    exchange->fields = parts[2];
    exchange->body = parts[3];
    exchange->length = request->lengths[3];
    return true;
}

uint64_t rw_http_submit(struct real *world, const struct world_request *request)
{
    struct exchange *exchange = (struct exchange *)rw_operation_new(world, request, sizeof *exchange);
    if (!exchange)
        return 0;
    if (!take_request(exchange, request) || !(exchange->session = rw_session_find(world, request->session))) {
        rw_operation_undo(world, &exchange->operation);
        return 0;
    }
    exchange->session->requests++;
    exchange->window = request->window;
    exchange->once = request->sending == WORLD_ONCE;
    exchange->credit = request->window;
    exchange->opened[0] = exchange->opened[1] = CURL_SOCKET_BAD;
    trace_start(world, exchange, request);
    int rc = rw_site_enter(exchange, request->session ? request->max_per_host : 0);
    if (rc < 0)
        rw_exchange_end(world, exchange, rc);
    else if (rc > 0)
        rw_line_add(&world->http.fresh, exchange);
    return exchange->operation.id;
}

void rw_exchange_start(struct real *world, struct exchange *exchange)
{
    int rc = rw_transfer_begin(world, exchange);
    if (rc < 0)
        rw_exchange_end(world, exchange, rc);
}

static void begin_fresh(struct real *world)
{
    struct http *http = &world->http;
    for (struct exchange *exchange; (exchange = http->fresh.first);) {
        rw_line_remove(exchange);
        int rc = rw_resolve(world, exchange);
        if (rc < 0)
            rw_exchange_end(world, exchange, rc);
        else if (rc > 0)
            rw_exchange_start(world, exchange);
    }
    for (struct exchange *exchange; (exchange = http->resuming.first);) {
        rw_line_remove(exchange);
        rw_transfer_resume(exchange);
    }
}

/* curl sends at once; who is over by that gives others their turn. */
void rw_http_begin(struct real *world)
{
    do {
        begin_fresh(world);
        rw_sockets_act(world);
    } while (world->http.fresh.first);
}

/* ---- Ending --------------------------------------------------------------------------------------- */

/* Leaves everything it was in. */
static void leave(struct real *world, struct exchange *exchange)
{
    rw_line_remove(exchange);
    rw_transfer_stop(world, exchange);
    rw_site_leave(world, exchange);
    rw_session_leave(exchange->session);
}

void rw_exchange_end(struct real *world, struct exchange *exchange, int32_t rc)
{
    trace_end_of(world, exchange, rc);
    leave(world, exchange);
    rw_operation_end(world, &exchange->operation, rc);
}

void rw_http_cancel(struct real *world, struct exchange *exchange)
{
    struct trace *trace = rw_trace(world, "http.cancelled", exchange->operation.id);
    if (trace)
        trace_end(trace);
    leave(world, exchange);
    exchange->in.size = exchange->head = exchange->given = 0;      /* nobody wants it any more */
    exchange->head_handed = true;
    rw_operation_end(world, &exchange->operation, -ECANCELED);
}

void rw_http_forget(struct exchange *exchange)
{
    free(exchange->request);
    free(exchange->in.data);
}

/* ---- Handing over --------------------------------------------------------------------------------- */

void rw_http_given(struct exchange *exchange)
{
    struct bytes *in = &exchange->in;
    if (exchange->given == 0)
        return;
    memmove(in->data, in->data + exchange->given, in->size - exchange->given);
    in->size -= exchange->given;
    exchange->given = 0;
    exchange->head = 0;             /* it was the first of it */
}

/* Without a window, a head or a piece is handed over only if it is over, or large. */
static bool is_worth_it(const struct exchange *exchange)
{
    return exchange->operation.over || exchange->window || exchange->in.size >= GOOD_PIECE;
}

void rw_http_offer(struct exchange *exchange)
{
    if (is_worth_it(exchange))
        rw_operation_offer(exchange->session->world, &exchange->operation);
}

void rw_http_give(struct exchange *exchange, struct world_completion *out)
{
    rw_http_given(exchange);
    size_t body = exchange->in.size - exchange->head, allowed = body;
    if (exchange->window && allowed > exchange->credit)
        allowed = (size_t)exchange->credit;
    if (!is_worth_it(exchange))
        return;
    if (exchange->head_known && !exchange->head_handed) {
        exchange->head_handed = true;
        out->parts |= WORLD_HEAD;
        out->status = exchange->status;
        out->head = (uint32_t)exchange->head;
    }
    if (exchange->head_handed && allowed > 0)
        out->parts |= WORLD_BODY;
    out->data = exchange->in.data;
    out->size = exchange->given = exchange->head_handed ? exchange->head + allowed : 0;
    if (exchange->window)
        exchange->credit -= allowed;
    if (exchange->operation.over && (allowed == body || !exchange->head_known)) {
        out->parts |= WORLD_END;
        out->rc = exchange->operation.rc;
        out->cpu = out->rc == 0 ? rw_served_cpu(exchange->session->world, exchange) : 0;
    }
}

/* The program has read some: what the window held back can go on. */
void rw_http_read(struct real *world, struct exchange *exchange, uint64_t count)
{
    exchange->credit += count;
    if (!exchange->window || count == 0)
        return;
    if (exchange->in.size > exchange->given || exchange->operation.over)
        rw_operation_offer(world, &exchange->operation);
    if (exchange->paused && !exchange->line)
        rw_line_add(&world->http.resuming, exchange);
}

/* ---- Opening and closing --------------------------------------------------------------------------- */

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* Those that curl itself looks at. (HTTP_PROXY in capitals it leaves alone, as a web server's programs must.) */
static bool has_proxy(void)
{
    static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (variable(names[i]))
            return true;
    return false;
}

bool rw_http_open(struct real *world)
{
    struct http *http = &world->http;
    const char *own = variable("CO_CA_FILE");
    http->ca_file = own ? own : variable("SSL_CERT_FILE");
    http->ca_folder = http->ca_file ? NULL : variable("SSL_CERT_DIR");     /* a file curl can keep: transfer.c */
    http->proxied = has_proxy();
    http->share = curl_share_init();
    return http->share && curl_share_setopt(http->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) == CURLSHE_OK;
}

void rw_http_close(struct real *world)
{
    struct http *http = &world->http;
    http->closing = true;
    for (size_t i = 0; world->operations.slots && i <= world->operations.mask; i++) {
        struct operation *operation = world->operations.slots[i].thing;
        if (operation && operation->kind == WORLD_HTTP && !operation->over)
            rw_http_cancel(world, (struct exchange *)operation);
    }
    for (struct session *session = http->sessions; session; session = session->next)
        session->closed = true;
    rw_sessions_reap(world);
    rw_resolve_close(world);
    while (http->spares > 0)
        curl_easy_cleanup(http->spare[--http->spares]);
    curl_share_cleanup(http->share);
}
