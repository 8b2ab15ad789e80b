/* connection.c - connections, and the sessions that keep them for the next request.
 *
 * A connection is a number. It belongs to the exchange that uses it, or lies idle in a pool: the connections
 * of one session to one site. pool->count counts both, and those still being opened.
 */
#include "connection.h"
#include "server.h"
#include "virtual.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- Pools --------------------------------------------------------------------------------- */

static struct pool *find_pool(const struct site *site, uint32_t session)
{
    struct pool *pool = site->pools;
    while (pool && pool->session != session)
        pool = pool->next;
    return pool;
}

static struct pool *new_pool(struct site *site, uint32_t session)
{
    struct pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return NULL;
    pool->site = site;
    pool->session = session;
    pool->next = site->pools;
    site->pools = pool;
    return pool;
}

static void free_if_unused(struct pool *pool)
{
    if (pool->count > 0 || pool->waiting.length > 0)
        return;
    struct pool **at = &pool->site->pools;
    while (*at != pool)
        at = &(*at)->next;
    *at = pool->next;
    free(pool->idle);
    free(pool);
}

void vw_pools_free(struct site *site)
{
    while (site->pools) {
        struct pool *pool = site->pools;
        site->pools = pool->next;
        free(pool->idle);
        free(pool);
    }
}

/* Makes room to lay down every connection the pool may come to have, one more included. */
static bool reserve(struct pool *pool)
{
    int64_t need = pool->count + pool->waiting.length + 1;
    if (need <= pool->idle_room)
        return true;
    int64_t room = need < 8 ? 8 : 2 * need;
    struct idle *idle = realloc(pool->idle, (size_t)room * sizeof *idle);
    if (!idle)
        return false;
    pool->idle = idle;
    pool->idle_room = room;
    return true;
}

CO_HOT bool vw_pool_join(struct exchange *exchange, uint32_t session)
{
    if (session == 0)
        return true;
    struct pool *pool = find_pool(exchange->site, session);
    if (!pool)
        pool = new_pool(exchange->site, session);
    if (!pool)
        return false;
    if (!reserve(pool)) {
        free_if_unused(pool);
        return false;
    }
    pool->closed = false;
    exchange->pool = pool;
    return true;
}

/* Whether the exchange may open one more connection. */
static bool may_open(const struct pool *pool, const struct exchange *exchange)
{
    return exchange->max_per_host == 0 || pool->count < exchange->max_per_host;
}

#define MOST_IDLE 118000000000      /* ns: what lies idle for longer libcurl does not use again */

static void trace_closed(const struct world *world, uint64_t connection)
{
    if (!world->trace)
        return;
    trace_begin(world->trace, world->now, TRACE_WORLD, "http.closed");
    trace_int(world->trace, "conn", (int64_t)connection);
    trace_end(world->trace);
}

/* Closes the k-th idle connection. Its place at the server is still to be given to somebody else. */
static void close_idle(struct world *world, struct pool *pool, int64_t k)
{
    trace_closed(world, pool->idle[k].connection);
    pool->idle_count--;
    memmove(&pool->idle[k], &pool->idle[k + 1], (size_t)(pool->idle_count - k) * sizeof *pool->idle);
    pool->count--;
    world->network.sockets--;
}

/* Closes those that the client knows to be of no use any more: the server has closed them, or they are too old. */
static void close_overdue(struct world *world, struct pool *pool)
{
    int64_t most = pool->site->keep_idle < MOST_IDLE ? pool->site->keep_idle : MOST_IDLE;
    while (pool->idle_count > 0 && world->now - pool->idle[0].since >= most) {
        close_idle(world, pool, 0);
        vw_server_closed(world, pool->site);
    }
}

/* Takes the connection that was used last. The server may have closed it when the request arrives, which the client
 * cannot know yet: what the server does reaches it half a round trip later, and the other way round. */
static void take_idle(struct world *world, struct exchange *exchange)
{
    struct pool *pool = exchange->pool;
    const struct idle *idle = &pool->idle[--pool->idle_count];
    exchange->connection = idle->connection;
    exchange->uses = idle->uses;
    exchange->reused = true;
    exchange->in_site = exchange->in_pool = exchange->has_socket = true;    /* it was counted while it lay idle */
    exchange->stale = pool->site->keep_idle != VW_UNLIMITED
        && world->now - idle->since > pool->site->keep_idle - pool->site->rtt;
}

static void open_another(struct exchange *exchange)
{
    exchange->pool->count++;
    exchange->in_pool = true;
    exchange->reused = exchange->stale = false;
    exchange->uses = 0;
}

CO_HOT bool vw_pool_enter(struct world *world, struct exchange *exchange)
{
    struct pool *pool = exchange->pool;
    if (!pool)
        return true;
    if (pool->idle_count > 0)
        close_overdue(world, pool);
    if (pool->idle_count > 0 && exchange->sending == WORLD_ONCE && !may_open(pool, exchange)) {
        close_idle(world, pool, 0);
        vw_server_closed(world, pool->site);
    }
    if (pool->idle_count > 0 && exchange->sending != WORLD_ONCE) {
        take_idle(world, exchange);
        return true;
    }
    if (pool->waiting.length > 0 || !may_open(pool, exchange)) {
        vw_line_add(&pool->waiting, &exchange->operation);
        return false;
    }
    open_another(exchange);
    return true;
}

void vw_pool_again(struct world *world, struct exchange *exchange)
{
    struct pool *pool = exchange->pool;
    vw_connection_close(world, exchange);
    pool->count--;
    exchange->in_pool = false;
    close_overdue(world, pool);
    if (pool->idle_count > 0)
        take_idle(world, exchange);
    else
        open_another(exchange);
}

bool vw_pools_drop_longest(struct world *world, struct site *site)
{
    struct pool *longest = NULL;
    for (struct pool *pool = site->pools; pool; pool = pool->next)
        if (pool->idle_count > 0 && (!longest || pool->idle[0].since < longest->idle[0].since))
            longest = pool;
    if (!longest)
        return false;
    close_idle(world, longest, 0);
    site->open--;
    return true;
}

/* Somebody's connection is gone: those who wait may open others in its place. */
static void let_others_open(struct world *world, struct pool *pool)
{
    struct exchange *next;
    while ((next = (struct exchange *)pool->waiting.first) && may_open(pool, next)) {
        vw_line_remove(&next->operation);
        open_another(next);
        vw_event_set(world, &next->operation, world->now);
    }
}

/* Hands a connection in good order to who has waited longest, or lays it down; unless others wait at the server for its
 * place: then that closes it. */
static void pass_on(struct world *world, struct pool *pool, uint64_t connection, int64_t uses)
{
    struct exchange *next = (struct exchange *)pool->waiting.first;
    assert(pool->idle_count < pool->idle_room);
    pool->idle[pool->idle_count++] = (struct idle){connection, world->now, uses};
    if (next && next->sending != WORLD_ONCE) {
        vw_line_remove(&next->operation);
        take_idle(world, next);
        next->phase = PHASE_BEGIN;
        vw_event_set(world, &next->operation, world->now);
    } else if (next || pool->site->arriving.length > 0) {
        close_idle(world, pool, pool->idle_count - 1);
        vw_server_closed(world, pool->site);
    }
    let_others_open(world, pool);
}

/* ---- Connections --------------------------------------------------------------------------- */

bool vw_has_descriptor(const struct world *world)
{
    const struct network *network = &world->network;
    return network->descriptors == 0
        || network->sockets + (int64_t)world->disk.opening_count < network->descriptors;
}

CO_HOT int32_t vw_socket_open(struct world *world, struct exchange *exchange)
{
    if (!vw_has_descriptor(world))
        return -EMFILE;
    world->network.sockets++;
    exchange->has_socket = true;
    return 0;
}

CO_HOT void vw_connection_opened(struct world *world, struct exchange *exchange)
{
    bool reused = exchange->connection != 0;
    if (!reused)
        exchange->connection = ++world->connections;
    if (!world->trace)
        return;
    trace_begin(world->trace, world->now, TRACE_WORLD, "http.connected");
    trace_int(world->trace, "op", (int64_t)exchange->operation.id);
    trace_int(world->trace, "conn", (int64_t)exchange->connection);
    trace_int(world->trace, "reused", reused);
    trace_end(world->trace);
}

void vw_connection_close(struct world *world, struct exchange *exchange)
{
    if (exchange->connection)
        trace_closed(world, exchange->connection);
    exchange->connection = 0;
    world->network.sockets -= exchange->has_socket;
    exchange->has_socket = false;
    if (exchange->in_site)
        vw_server_closed(world, exchange->site);
    exchange->in_site = false;
}

CO_HOT void vw_connection_drop(struct world *world, struct exchange *exchange)
{
    struct pool *pool = exchange->pool;
    vw_connection_close(world, exchange);
    exchange->pool = NULL;
    if (!pool)
        return;
    if (exchange->in_pool)
        pool->count--;
    exchange->in_pool = false;
    let_others_open(world, pool);
    free_if_unused(pool);
}

CO_HOT void vw_connection_keep(struct world *world, struct exchange *exchange)
{
    struct pool *pool = exchange->pool;
    if (!pool || pool->closed) {
        vw_connection_drop(world, exchange);
        return;
    }
    uint64_t connection = exchange->connection;
    exchange->connection = 0;
    exchange->in_site = exchange->in_pool = exchange->has_socket = false;   /* it still counts, as somebody else's */
    exchange->pool = NULL;
    pass_on(world, pool, connection, exchange->uses + 1);
}

bool vw_session_has_idle(const struct site *site, uint32_t session)
{
    const struct pool *pool = find_pool(site, session);
    return pool && pool->idle_count > 0;
}

void vw_session_close(struct world *world, uint32_t session)
{
    for (size_t i = 0; i < world->network.site_count; i++) {
        struct pool *pool = find_pool(&world->network.sites[i], session);
        if (!pool)
            continue;
        pool->closed = true;
        while (pool->idle_count > 0) {
            close_idle(world, pool, pool->idle_count - 1);
            vw_server_closed(world, pool->site);
        }
        free_if_unused(pool);
    }
}
