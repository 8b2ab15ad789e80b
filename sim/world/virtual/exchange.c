/* exchange.c - one HTTP request and its answer.
 *
 *     BEGIN ─resolve, connect─▶ CONNECT ─▶ ESTABLISH ─rtt/2─▶ ARRIVE ─latency─▶ SERVED ─rest of rtt─▶ HEAD ─▶ BODY …
 *       └──────────────── a connection of the session lies idle ──▶┘
 *
 * Where the server closes a connection without a byte of an answer, that is LOST, and perhaps BEGIN once more.
 *
 * Each phase is a step: it does what is due, says what the next phase is, and returns how long until then.
 *
 * The request's body is sent before the request arrives: it takes as long as one of that length takes back. Over a link
 * that is a phase of its own, UPLOAD, as others there decide how long it takes.
 *
 * With a window the body is handed over up to window_end, and no further. When the program has read some, it goes on:
 * at once with what has come meanwhile (flow.c). The way of that news to the server is not modelled.
 */
#include "address.h"
#include "connection.h"
#include "departure.h"
#include "draw.h"
#include "exchange.h"
#include "exchange_trace.h"
#include "flow.h"
#include "link.h"
#include "server.h"
#include "virtual.h"

#include "explore/touch.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Instead of a duration: the exchange has ended, or somebody else will schedule its next step. */
#define NOT_BY_TIME (-1)

/* ---- Starting and ending ------------------------------------------------------------------- */

static int64_t work(struct exchange *exchange);

/* Gives back the server's worker; who gets it next begins to be served. */
static void stop_work(struct world *world, struct exchange *exchange)
{
    struct exchange *next = vw_server_release_worker(exchange);
    int64_t duration = next ? work(next) : NOT_BY_TIME;
    if (next && next->operation.lives_on && duration == NOT_BY_TIME)
        duration = 0;           /* it would hang: nobody is there whom that bothers */
    if (duration != NOT_BY_TIME)
        vw_event_set(world, &next->operation, vw_later(world->now, duration));
}

static bool breaks_connection(const struct exchange *exchange)
{
    return (exchange->fault && exchange->fault->kind == FAULT_RESET) || vw_flow_is_cut(exchange);
}

static void drop_hand(struct world *world, struct exchange *exchange)
{
    if (!exchange->has_hand)
        return;
    vw_departure_end(world, exchange);
    if (exchange->has_hand)
        vw_server_drop_hand(exchange);
}

CO_HOT static int64_t end(struct world *world, struct exchange *exchange, int32_t rc)
{
    if (world->trace)
        vw_exchange_trace_end(world, exchange, rc);
    drop_hand(world, exchange);
    vw_result_end(world, &exchange->operation, rc);
    exchange->closed = rc != 0 || exchange->answer->closes || breaks_connection(exchange)
        || exchange->uses + 1 >= exchange->site->keep_requests;
    if (exchange->closed)
        vw_connection_drop(world, exchange);
    else
        vw_connection_keep(world, exchange);
    return NOT_BY_TIME;
}

/* ---- Setting out --------------------------------------------------------------------------- */

/* What chance has in store for the connection: asked each time one is tried. */
static int32_t draw_connection(struct world *world, struct site *site)
{
    return site->fault.kind == FAULT_REFUSED && vw_draw_fault(world, &site->fault, site->key, ++site->attempts)
        ? -ECONNREFUSED : 0;
}

CO_HOT static int64_t begin(struct world *world, struct exchange *exchange)
{
    struct site *site = exchange->site;
    int64_t wait;
    vw_draw_request(world, exchange);
    bool refused = exchange->fault && exchange->fault->kind == FAULT_REFUSED;
    if (exchange->connection && refused)
        vw_connection_close(world, exchange);   /* who refuses us will not go on talking either */
    exchange->phase = PHASE_ESTABLISH;
    if (exchange->connection)
        return 0;
    exchange->phase = PHASE_CONNECT;
    exchange->connect_rc = vw_name_ask(world, site, &wait);
    if (exchange->connect_rc == 0)
        exchange->connect_rc = vw_socket_open(world, exchange);
    if (exchange->connect_rc)
        return wait;
    exchange->connect_rc = refused ? -ECONNREFUSED : draw_connection(world, site);
    if (exchange->connect_rc)
        return vw_later(wait, site->connect);
    exchange->connect_rc = site->reach_rc;
    return vw_later(wait, site->reach);
}

/* Nothing answers: the kernel asks again, as Linux does since 6.5 (tcp_syn_linear_timeouts), and gives up 131 s after
 * the first time. */
static int64_t knock_again(struct world *world, struct exchange *exchange)
{
    static const uint8_t waits[] = {1, 1, 1, 1, 1, 2, 4, 8, 16, 32, 64};        /* s */
    exchange->phase = PHASE_CONNECT;
    if (exchange->tries == sizeof waits)
        return end(world, exchange, -ETIMEDOUT);
    return (int64_t)VW_SECOND * waits[exchange->tries++];
}

static bool has_unsent(const struct exchange *exchange)
{
    return exchange->site->up.rate > 0 && exchange->unsent > 0;
}

/* The request's body leaves, whether the server has taken the connection up or not: its kernel has. */
static int64_t upload(struct world *world, struct exchange *exchange)
{
    int64_t bytes = exchange->unsent;
    exchange->unsent = 0;
    exchange->phase = PHASE_UPLOAD;
    return vw_link_want(world, &exchange->site->up, exchange, bytes);
}

static int64_t uploaded(struct world *world, struct exchange *exchange)
{
    vw_link_leave(world, exchange);
    exchange->phase = PHASE_ESTABLISH;
    exchange->connected_at = world->now;        /* as far as the way to the server goes */
    return exchange->operation.line ? NOT_BY_TIME : 0;
}

/* The kernel makes the connection; the server takes it up when it has room, and finds the request there. */
CO_HOT static int64_t connect(struct world *world, struct exchange *exchange)
{
    if (exchange->connect_rc)
        return end(world, exchange, exchange->connect_rc);
    exchange->phase = PHASE_ESTABLISH;
    int accepted = vw_server_accept(world, exchange);
    if (accepted < 0)
        return knock_again(world, exchange);
    if (accepted > 0)
        return 0;
    exchange->connected_at = world->now;
    vw_connection_opened(world, exchange);
    return has_unsent(exchange) ? upload(world, exchange) : NOT_BY_TIME;
}

/* ---- A connection that was closed --------------------------------------------------------------------- */

/* The server has closed the connection, and nothing of an answer came. Over one that was used before, the client cannot
 * know whether the server closed it before the request was there, or had carried it out: it sends it again. */
static int64_t lost(struct world *world, struct exchange *exchange)
{
    enum { MOST_AGAIN = 5 };        /* as libcurl */
    if (!exchange->reused || exchange->sending != WORLD_AGAIN || exchange->resent == MOST_AGAIN)
        return end(world, exchange, -ECONNRESET);
    exchange->resent++;
    if (world->trace)
        vw_exchange_trace(world, exchange, "http.resent");
    vw_pool_again(world, exchange);
    exchange->unsent = exchange->sends;
    exchange->drawn = false;
    exchange->fault = NULL;
    exchange->phase = PHASE_BEGIN;
    return 0;
}

static int64_t way_back(const struct site *site)
{
    return site->rtt - site->rtt / 2;
}

static bool closes_at_once(const struct exchange *exchange)
{
    return exchange->fault && exchange->fault->kind == FAULT_CLOSE;
}

/* ---- At the server ------------------------------------------------------------------------- */

/* The connection is there: the request travels. Where nothing can hold it up, that and what follows are one step. */
CO_HOT static int64_t establish(struct world *world, struct exchange *exchange)
{
    const struct site *site = exchange->site;
    bool has_waited = exchange->connected_at >= 0;
    if (!has_waited)
        vw_connection_opened(world, exchange);
    if (exchange->stale) {
        exchange->phase = PHASE_LOST;
        return site->rtt;
    }
    if (has_unsent(exchange))
        return upload(world, exchange);
    int64_t way = vw_later(site->rtt / 2, exchange->upload);
    if (has_waited) {               /* the request has set out meanwhile, or is there already */
        int64_t gone = world->now - exchange->connected_at;
        way = gone < way ? way - gone : 0;
        exchange->connected_at = -1;
    }
    if (exchange->early) {
        exchange->phase = PHASE_HEAD;
        return vw_later(way, way_back(site));
    }
    if (site->is_gated || closes_at_once(exchange)) {
        exchange->phase = PHASE_ARRIVE;
        return way;
    }
    int64_t duration = work(exchange);
    if (duration == NOT_BY_TIME)
        return NOT_BY_TIME;
    exchange->phase = PHASE_HEAD;
    return vw_later(vw_later(way, way_back(site)), duration);
}

/* It is answered as soon as it comes. `free_in`: ns until it would not be; 0: it is not told. */
static int64_t turn_away(struct exchange *exchange, int64_t status, int64_t free_in)
{
    vw_address_exception(exchange, (int32_t)status, free_in / VW_SECOND + (free_in % VW_SECOND != 0));
    exchange->phase = PHASE_HEAD;
    return way_back(exchange->site);
}

/* Nothing but the hands and the workers is between the request and its answer. */
static int64_t admit(struct world *world, struct exchange *exchange)
{
    struct site *site = exchange->site;
    if (site->hands.most != VW_UNLIMITED)
        vw_departures_settle(world, site);
    if (site->hands.most != VW_UNLIMITED && !vw_server_take_hand(exchange))
        return turn_away(exchange, site->hands.status, 0);
    return vw_server_take_worker(exchange) ? work(exchange) : NOT_BY_TIME;
}

static int64_t arrive(struct world *world, struct exchange *exchange)
{
    struct site *site = exchange->site;
    int64_t delay = 0, free_in = vw_server_rate(world, site);
    if (free_in > 0)
        return turn_away(exchange, 429, free_in);
    if (site->bucket.rate > 0)
        free_in = vw_server_leak(world, site, &delay);
    if (free_in > 0)
        return turn_away(exchange, site->bucket.status, site->bucket.tells ? free_in : 0);
    exchange->phase = PHASE_ADMIT;
    return delay > 0 ? delay : admit(world, exchange);
}

/* A worker takes the request up. Returns how long it takes. */
static int64_t work(struct exchange *exchange)
{
    bool hangs = exchange->fault && exchange->fault->kind == FAULT_HANG;
    exchange->phase = hangs ? PHASE_HUNG : PHASE_SERVED;
    return hangs ? NOT_BY_TIME : exchange->latency;
}

/* So many bytes of its body leave the server together with its head. */
static bool is_sent_at_once(const struct exchange *exchange, int64_t bytes)
{
    return bytes == 0 || (!vw_flow_is_linked(exchange)
                          && (vw_flow_is_at_once(exchange) || vw_flow_time(exchange, bytes) == 0));
}

static int64_t served(struct world *world, struct exchange *exchange)
{
    int64_t back = way_back(exchange->site), sending = VW_UNLIMITED;
    stop_work(world, exchange);
    exchange->phase = closes_at_once(exchange) ? PHASE_LOST : PHASE_HEAD;
    if (exchange->has_hand && vw_flow_fits(exchange))
        sending = vw_flow_time(exchange, vw_flow_length(exchange));
    if (exchange->has_hand && (closes_at_once(exchange) || sending == 0))
        vw_server_drop_hand(exchange);      /* all of it is sent */
    if (exchange->has_hand)
        vw_departure_begin(world, exchange);
    if (!exchange->has_hand || sending >= back)
        return back;
    exchange->phase = PHASE_SENT;
    return sending;
}

/* The last of the body leaves before the head is there. */
static int64_t sent(struct world *world, struct exchange *exchange)
{
    (void)world;
    vw_server_drop_hand(exchange);
    exchange->phase = PHASE_HEAD;
    return way_back(exchange->site) - vw_flow_time(exchange, vw_flow_length(exchange));
}

/* ---- The answer ---------------------------------------------------------------------------- */

/* A piece comes in `duration`, or none for now. The server has a hand free as soon as the last of the body has left it,
 * half a round trip before that is there: when the kernels take all, whether it is read or not. */
static int64_t await_sent(const struct world *world, struct exchange *exchange, int64_t duration)
{
    if (!exchange->has_hand || !vw_flow_fits(exchange))
        return duration;
    int64_t there = vw_flow_arrival(exchange, exchange->coming);
    int64_t left = there == VW_UNLIMITED ? VW_UNLIMITED : there - way_back(exchange->site) - world->now;
    if (left <= 0)
        vw_server_drop_hand(exchange);
    if (left <= 0 || left == VW_UNLIMITED || (duration != NOT_BY_TIME && duration <= left))
        return duration;
    exchange->phase = PHASE_ALL_SENT;
    return left;
}

/* When the next piece of the body will be there, if it does not wait for the program to read. */
static int64_t until_piece(const struct world *world, const struct exchange *exchange)
{
    if (exchange->stopped)
        return NOT_BY_TIME;
    int64_t at = vw_flow_arrival(exchange, exchange->on_its_way);
    if (at <= world->now)
        return 0;                       /* it waits in a kernel */
    return at == VW_UNLIMITED ? NOT_BY_TIME : at - world->now;
}

/* The same on a link, which brings more as long as the kernels take it. */
static int64_t await_linked(struct world *world, struct exchange *exchange)
{
    if (exchange->came == vw_flow_room(exchange) && exchange->link)
        vw_link_leave(world, exchange);
    if (exchange->came == exchange->coming)
        drop_hand(world, exchange);
    if (exchange->came == vw_flow_room(exchange))
        return NOT_BY_TIME;
    exchange->on_its_way = vw_flow_next_linked(exchange);
    return vw_link_want(world, &exchange->site->link, exchange, exchange->on_its_way - exchange->came);
}

/* When the next piece of the body will be there; the end, when there is none. */
CO_HOT static int64_t await_piece(struct world *world, struct exchange *exchange)
{
    exchange->stopped = exchange->arrived == exchange->window_end;
    if (exchange->arrived == exchange->coming) {
        if (exchange->link)
            vw_link_leave(world, exchange);
        return end(world, exchange, vw_flow_rc(exchange));
    }
    exchange->phase = PHASE_BODY;
    if (vw_flow_is_linked(exchange))
        return await_linked(world, exchange);
    if (!exchange->stopped)
        exchange->on_its_way = vw_flow_next(exchange);
    return await_sent(world, exchange, until_piece(world, exchange));
}

/* The last of the body leaves, and is not there yet. */
static int64_t all_sent(struct world *world, struct exchange *exchange)
{
    vw_server_drop_hand(exchange);
    exchange->phase = PHASE_BODY;
    return until_piece(world, exchange);
}

CO_HOT static int64_t head(struct world *world, struct exchange *exchange)
{
    if (exchange->answer->too_large && exchange->sending != WORLD_ONCE_KEPT)
        return end(world, exchange, -EMSGSIZE);
    vw_result_head(world, exchange);
    exchange->flow_at = world->now;
    exchange->coming = vw_flow_length(exchange);
    int64_t first = vw_flow_limit(exchange);
    if (first > 0 && is_sent_at_once(exchange, exchange->coming)) {
        vw_result_body(world, exchange, 0, first);
        exchange->arrived = first;
    }
    return await_piece(world, exchange);
}

/* Hands the program what has come, as far as it wants to have it. */
static void arrive_up_to(struct world *world, struct exchange *exchange, int64_t there)
{
    int64_t from = exchange->arrived, to = there < exchange->window_end ? there : exchange->window_end;
    if (to == from)
        return;
    exchange->arrived = to;
    vw_result_body(world, exchange, from, to);
}

static int64_t body(struct world *world, struct exchange *exchange)
{
    exchange->came = exchange->on_its_way;
    arrive_up_to(world, exchange, exchange->came);
    return await_piece(world, exchange);
}

/* What has come unread is there at once. The rest is cut anew: as far as the program wants it now, it is told of it. */
static int64_t read_linked(struct world *world, struct exchange *exchange)
{
    if (exchange->link)
        exchange->came = exchange->on_its_way - vw_link_left(world, exchange);
    arrive_up_to(world, exchange, exchange->came);
    if (!exchange->link)
        return await_piece(world, exchange);
    int64_t before = exchange->on_its_way;
    exchange->stopped = exchange->arrived == exchange->window_end;
    exchange->on_its_way = vw_flow_next_linked(exchange);
    return vw_link_want(world, exchange->link, exchange, exchange->on_its_way - before);
}

void vw_exchange_read(struct world *world, struct exchange *exchange, uint64_t count)
{
    exchange->window_end = vw_later(exchange->window_end, count < INT64_MAX ? (int64_t)count : INT64_MAX);
    if (exchange->phase > PHASE_SERVED && exchange->phase < PHASE_LOST)
        vw_departure_go_on(world, exchange);
    if (!exchange->stopped || count == 0 || exchange->operation.ended)
        return;
    vw_event_clear(world, &exchange->operation);        /* of what comes unread, perhaps */
    vw_flow_resume(exchange, world->now);
    int64_t duration = vw_flow_is_linked(exchange) ? read_linked(world, exchange) : await_piece(world, exchange);
    if (duration != NOT_BY_TIME)
        vw_event_set(world, &exchange->operation, vw_later(world->now, duration));
}

/* ---- A client that has given up ------------------------------------------------------------- */

/* The server has it, or soon will, and knows nothing of that. */
static bool goes_unnoticed(const struct exchange *exchange)
{
    if (!exchange->site->works_on)
        return false;
    return exchange->phase == PHASE_ADMIT || exchange->phase == PHASE_SERVED
        || (exchange->phase == PHASE_ARRIVE && exchange->upload == 0);
}

/* The server is done with it, and with its connection. */
static void leave(struct world *world, struct exchange *exchange)
{
    exchange->operation.lives_on = false;
    if (exchange->at_work)
        stop_work(world, exchange);
    drop_hand(world, exchange);
    if (exchange->in_site)
        vw_server_closed(world, exchange->site);
    exchange->in_site = false;
    if (exchange->operation.handed_over)
        vw_operation_retire(world, &exchange->operation);
}

/* ---- Submit, step, cancel ------------------------------------------------------------------ */

CO_HOT void vw_exchange_step(struct world *world, struct exchange *exchange)
{
    static int64_t (*const steps[])(struct world *, struct exchange *) = {
        [PHASE_BEGIN] = begin, [PHASE_CONNECT] = connect, [PHASE_ESTABLISH] = establish,
        [PHASE_UPLOAD] = uploaded, [PHASE_ARRIVE] = arrive,
        [PHASE_ADMIT] = admit, [PHASE_SERVED] = served, [PHASE_SENT] = sent, [PHASE_HEAD] = head, [PHASE_BODY] = body,
        [PHASE_ALL_SENT] = all_sent, [PHASE_LOST] = lost,
    };
    int64_t duration;
    if (exchange->operation.lives_on && exchange->phase >= PHASE_HEAD) {
        leave(world, exchange);
        return;
    }
    do
        duration = steps[exchange->phase](world, exchange);
    while (duration == 0 && !exchange->operation.lives_on);
    if (duration != NOT_BY_TIME)
        vw_event_set(world, &exchange->operation, vw_later(world->now, duration));
}

CO_HOT uint64_t vw_exchange_submit(struct world *world, const struct world_request *request)
{
    assert((uint64_t)request->lengths[0] + request->lengths[1] + request->lengths[2] + request->lengths[3]
           <= request->size);
    struct exchange *exchange = (struct exchange *)vw_operation_new(world, WORLD_HTTP, request);
    if (!exchange)
        return 0;
    if (world->network.descriptors)         /* who comes first to one site may get what another one lacks */
        explore_object(TOUCH_WRITE, OBJECT_WORLD, 0);
    uint64_t id = exchange->operation.id;
    exchange->max_per_host = request->max_per_host;
    exchange->sending = request->sending;
    exchange->connected_at = -1;
    exchange->window_end = request->window ? request->window : VW_UNLIMITED;
    int32_t rc = vw_address(world, exchange, request);
    if (rc == -ENOMEM || (rc == 0 && !vw_pool_join(exchange, request->session))) {
        vw_operation_undo(world, &exchange->operation);
        return 0;
    }
    if (world->trace)
        vw_exchange_trace_start(world, exchange, request);
    if (rc < 0)
        end(world, exchange, rc);
    else if (vw_pool_enter(world, exchange))
        vw_exchange_step(world, exchange);
    return id;
}

/* Gives back everything it holds, wherever it is. */
void vw_exchange_cancel(struct world *world, struct exchange *exchange)
{
    if (world->trace)
        vw_exchange_trace(world, exchange, "http.cancelled");
    exchange->operation.lives_on = goes_unnoticed(exchange);
    bool keeps_place = exchange->operation.lives_on && exchange->in_site;
    if (!exchange->operation.lives_on) {
        vw_event_clear(world, &exchange->operation);
        if (exchange->operation.line)
            vw_line_remove(&exchange->operation);
        if (exchange->at_work)
            stop_work(world, exchange);
        drop_hand(world, exchange);
        if (exchange->link)
            vw_link_leave(world, exchange);
    }
    vw_result_end(world, &exchange->operation, -ECANCELED);
    exchange->in_site = exchange->in_site && !keeps_place;
    vw_connection_drop(world, exchange);
    exchange->in_site = keeps_place;
}
