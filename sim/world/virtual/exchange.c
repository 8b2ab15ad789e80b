/* exchange.c - one HTTP request and its answer.
 *
 *     BEGIN ─resolve, connect─▶ CONNECT ─▶ ESTABLISH ─rtt/2─▶ ARRIVE ─latency─▶ SERVED ─rest of rtt─▶ HEAD ─▶ BODY …
 *       └──────────────── a connection of the session lies idle ──▶┘
 *
 * Each phase is a step: it does what is due, says what the next phase is, and returns how long until then.
 */
#include "virtual.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SECOND 1000000000

/* Instead of a duration: the exchange has ended, or somebody else will schedule its next step. */
#define NOT_BY_TIME (-1)

/* ---- Starting and ending ------------------------------------------------------------------- */

static void trace_start(const struct world *world, const struct exchange *exchange, const struct world_request *request)
{
    const char *method = request->data, *url = method + request->lengths[0];
    trace_begin(world->trace, world->now, TRACE_WORLD, "http.start");
    trace_int(world->trace, "op", (int64_t)exchange->operation.id);
    trace_int(world->trace, "task", request->task);
    trace_str(world->trace, "url", url, request->lengths[1]);
    trace_str(world->trace, "method", method, request->lengths[0]);
    if (request->session)
        trace_int(world->trace, "session", request->session);
    if (request->blocking)
        trace_int(world->trace, "blocking", 1);
    trace_end(world->trace);
}

static void trace_done(const struct world *world, const struct exchange *exchange, int32_t rc)
{
    int64_t cpu = vw_exchange_cpu(exchange, rc);
    trace_begin(world->trace, world->now, TRACE_WORLD, "http.end");
    trace_int(world->trace, "op", (int64_t)exchange->operation.id);
    trace_int(world->trace, "rc", rc);
    trace_int(world->trace, "status", exchange->phase >= PHASE_HEAD && exchange->answer ? exchange->answer->status : 0);
    trace_int(world->trace, "bytes", exchange->arrived);
    if (cpu > 0)
        trace_int(world->trace, "cpu", cpu);
    trace_end(world->trace);
}

int64_t vw_exchange_cpu(const struct exchange *exchange, int32_t rc)
{
    bool handled = rc == 0 && exchange->route && exchange->answer == &exchange->route->answer;
    return handled ? exchange->route->cpu : 0;
}

static int64_t work(struct exchange *exchange);

/* Gives back the server's worker; who gets it next begins to be served. */
static void stop_work(struct world *world, struct exchange *exchange)
{
    struct exchange *next = vw_server_release_worker(exchange);
    int64_t duration = next ? work(next) : NOT_BY_TIME;
    if (duration != NOT_BY_TIME)
        vw_event_set(world, &next->operation, vw_later(world->now, duration));
}

static int64_t end(struct world *world, struct exchange *exchange, int32_t rc)
{
    if (world->trace)
        trace_done(world, exchange, rc);
    vw_result_end(world, &exchange->operation, rc);
    if (rc == 0)
        vw_connection_keep(world, exchange);
    else
        vw_connection_drop(world, exchange);
    return NOT_BY_TIME;
}

/* Answers with a status of the world's own, and no body. */
static void answer_exception(struct exchange *exchange, int32_t status, int64_t retry_after)
{
    int length = status == 429
        ? snprintf(exchange->text, sizeof exchange->text, "Retry-After: %lld\nContent-Length: 0\n", (long long)retry_after)
        : snprintf(exchange->text, sizeof exchange->text, "Content-Length: 0\n");
    exchange->exception = (struct answer){.status = status, .head = (uint32_t)length, .bytes = exchange->text};
    exchange->answer = &exchange->exception;
    exchange->fault = NULL;
}

/* ---- Setting out --------------------------------------------------------------------------- */

/* What chance has in store for this request. Asked once, when it sets out. */
static void draw(struct world *world, struct exchange *exchange)
{
    struct route *route = exchange->route;
    if (exchange->drawn || !route)
        return;
    exchange->drawn = true;
    uint64_t k = ++route->requests;
    if (vw_draw_fault(world, &route->fault, route->key, k))
        exchange->fault = &route->fault;
    if (exchange->fault && exchange->fault->kind == FAULT_REFUSED)
        exchange->connect_rc = -ECONNREFUSED;
    exchange->latency = vw_draw_latency(world, route, k);
}

/* The same for the site, each time a connection is tried. */
static void draw_connection(struct world *world, struct exchange *exchange)
{
    struct site *site = exchange->site;
    if (!vw_draw_fault(world, &site->fault, site->key, ++site->attempts))
        return;
    exchange->connect_rc = site->fault.kind == FAULT_UNRESOLVED ? -ENXIO : -ECONNREFUSED;
}

static int64_t begin(struct world *world, struct exchange *exchange)
{
    const struct site *site = exchange->site;
    draw(world, exchange);
    if (exchange->connection && exchange->connect_rc)
        vw_connection_close(world, exchange);   /* who refuses us will not go on talking either */
    exchange->phase = PHASE_ESTABLISH;
    if (exchange->connection)
        return 0;
    exchange->phase = PHASE_CONNECT;
    draw_connection(world, exchange);
    return exchange->connect_rc == -ENXIO ? site->resolve : vw_later(site->resolve, site->connect);
}

static int64_t connect(struct world *world, struct exchange *exchange)
{
    if (exchange->connect_rc)
        return end(world, exchange, exchange->connect_rc);
    exchange->phase = PHASE_ESTABLISH;
    int accepted = vw_server_accept(exchange);
    if (accepted < 0)
        return end(world, exchange, accepted);
    return accepted ? 0 : NOT_BY_TIME;
}

/* ---- At the server ------------------------------------------------------------------------- */

/* The connection is there: the request travels. Where nothing can hold it up, that and what follows are one step. */
static int64_t establish(struct world *world, struct exchange *exchange)
{
    const struct site *site = exchange->site;
    vw_connection_opened(world, exchange);
    if (site->workers != VW_UNLIMITED || site->rate.requests != VW_UNLIMITED) {
        exchange->phase = PHASE_ARRIVE;
        return site->rtt / 2;
    }
    int64_t duration = work(exchange);
    if (duration == NOT_BY_TIME)
        return NOT_BY_TIME;
    exchange->phase = PHASE_HEAD;
    return vw_later(site->rtt, duration);
}

static int64_t way_back(const struct site *site)
{
    return site->rtt - site->rtt / 2;
}

static int64_t arrive(struct world *world, struct exchange *exchange)
{
    int64_t free_in = vw_server_rate(world, exchange->site);
    if (free_in > 0) {
        answer_exception(exchange, 429, free_in / SECOND + (free_in % SECOND != 0));
        exchange->phase = PHASE_HEAD;
        return way_back(exchange->site);
    }
    return vw_server_take_worker(exchange) ? work(exchange) : NOT_BY_TIME;
}

/* A worker takes the request up. Returns how long it takes. */
static int64_t work(struct exchange *exchange)
{
    bool hangs = exchange->fault && exchange->fault->kind == FAULT_HANG;
    exchange->phase = hangs ? PHASE_HUNG : PHASE_SERVED;
    return hangs ? NOT_BY_TIME : exchange->latency;
}

static int64_t served(struct world *world, struct exchange *exchange)
{
    stop_work(world, exchange);
    exchange->phase = PHASE_HEAD;
    return way_back(exchange->site);
}

/* ---- The answer ---------------------------------------------------------------------------- */

/* How much of the body will come before the end. */
static int64_t bytes_to_come(const struct exchange *exchange)
{
    const struct fault *fault = exchange->fault;
    if (exchange->head_only)
        return 0;
    if (fault && (fault->kind == FAULT_RESET || fault->kind == FAULT_TRUNCATE))
        return fault->after;
    return exchange->answer->body;
}

static int32_t rc_at_end(const struct exchange *exchange)
{
    enum fault_kind kind = exchange->fault ? exchange->fault->kind : FAULT_NONE;
    return kind == FAULT_RESET ? -ECONNRESET : kind == FAULT_TRUNCATE ? -EPROTO : 0;
}

static bool drips(const struct exchange *exchange)
{
    return exchange->fault && exchange->fault->kind == FAULT_DRIP;
}

/* How long after the head the first `bytes` bytes of the body are there. */
static int64_t transfer(const struct exchange *exchange, int64_t bytes)
{
    if (drips(exchange))
        return vw_scale(bytes / exchange->fault->bytes + (bytes % exchange->fault->bytes != 0), exchange->fault->every, 1);
    if (exchange->route && exchange->route->bandwidth != VW_UNLIMITED)
        return vw_scale(bytes, SECOND, exchange->route->bandwidth);
    return 0;
}

/* How much of the body is there when the next piece is. */
static int64_t next_piece(const struct exchange *exchange)
{
    int64_t piece = drips(exchange) ? exchange->fault->bytes : exchange->route ? exchange->route->chunk : VW_UNLIMITED;
    return piece < exchange->coming - exchange->arrived ? exchange->arrived + piece : exchange->coming;
}

/* When the next piece of the body will be there; the end, when there is none. */
static int64_t await_piece(struct world *world, struct exchange *exchange)
{
    if (exchange->arrived == exchange->coming)
        return end(world, exchange, rc_at_end(exchange));
    int64_t at = vw_later(exchange->head_at, transfer(exchange, next_piece(exchange)));
    exchange->phase = PHASE_BODY;
    return at == VW_UNLIMITED ? NOT_BY_TIME : at - world->now;
}

static int64_t head(struct world *world, struct exchange *exchange)
{
    vw_result_head(world, exchange);
    exchange->head_at = world->now;
    exchange->coming = bytes_to_come(exchange);
    if (exchange->coming > 0 && transfer(exchange, exchange->coming) == 0) {
        vw_result_body(world, exchange, 0, exchange->coming);
        exchange->arrived = exchange->coming;
    }
    return await_piece(world, exchange);
}

static int64_t body(struct world *world, struct exchange *exchange)
{
    int64_t from = exchange->arrived;
    exchange->arrived = next_piece(exchange);
    vw_result_body(world, exchange, from, exchange->arrived);
    return await_piece(world, exchange);
}

/* ---- Submit, step, cancel ------------------------------------------------------------------ */

void vw_exchange_step(struct world *world, struct exchange *exchange)
{
    static int64_t (*const steps[])(struct world *, struct exchange *) = {
        [PHASE_BEGIN] = begin, [PHASE_CONNECT] = connect, [PHASE_ESTABLISH] = establish, [PHASE_ARRIVE] = arrive,
        [PHASE_SERVED] = served, [PHASE_HEAD] = head, [PHASE_BODY] = body,
    };
    int64_t duration;
    do
        duration = steps[exchange->phase](world, exchange);
    while (duration == 0);
    if (duration != NOT_BY_TIME)
        vw_event_set(world, &exchange->operation, vw_later(world->now, duration));
}

/* Finds where the request goes. Returns 0, -EINVAL or -ENXIO. */
static int32_t address(struct world *world, struct exchange *exchange, const struct world_request *request)
{
    struct url url;
    const char *method = request->data;
    uint32_t length = request->lengths[0];
    if (!vw_url_parse(&url, method + length, request->lengths[1]))
        return -EINVAL;
    exchange->site = vw_site_find(&world->network, &url);
    if (!exchange->site)
        return -ENXIO;
    int32_t status;
    exchange->route = vw_route_find(exchange->site, &url, method, length, &status);
    exchange->head_only = length == 4 && memcmp(method, "HEAD", 4) == 0;
    if (exchange->route)
        exchange->answer = &exchange->route->answer;
    else
        answer_exception(exchange, status, 0);
    return 0;
}

uint64_t vw_exchange_submit(struct world *world, const struct world_request *request)
{
    assert((uint64_t)request->lengths[0] + request->lengths[1] <= request->size);
    struct exchange *exchange = (struct exchange *)vw_operation_new(world, WORLD_HTTP, request);
    if (!exchange)
        return 0;
    uint64_t id = exchange->operation.id;
    exchange->max_per_host = request->max_per_host;
    int32_t rc = address(world, exchange, request);
    if (rc == 0 && !vw_pool_join(exchange, request->session)) {
        vw_operation_undo(world, &exchange->operation);
        return 0;
    }
    if (world->trace)
        trace_start(world, exchange, request);
    if (rc < 0)
        end(world, exchange, rc);
    else if (vw_pool_enter(exchange))
        vw_exchange_step(world, exchange);
    return id;
}

/* Gives back everything it holds, wherever it is. */
void vw_exchange_cancel(struct world *world, struct exchange *exchange)
{
    if (world->trace) {
        trace_begin(world->trace, world->now, TRACE_WORLD, "http.cancelled");
        trace_int(world->trace, "op", (int64_t)exchange->operation.id);
        trace_end(world->trace);
    }
    vw_event_clear(world, &exchange->operation);
    if (exchange->operation.line) {
        if (exchange->operation.line == &exchange->site->arriving && exchange->pool)
            exchange->pool->arriving--;
        vw_line_remove(&exchange->operation);
    }
    if (exchange->at_work)
        stop_work(world, exchange);
    vw_result_end(world, &exchange->operation, -ECANCELED);
    vw_connection_drop(world, exchange);
}
