/* connection.c - connections, and the sessions that keep them for the next request.
 *
 * A connection is a number. It belongs to the exchange that uses it, or lies idle in a pool: the connections
 * of one session to one site. pool->count counts both, and those still being opened.
 */
#include "connection.h"
#include "server.h"
#include "virtual.h"

#include <assert.h>
#include <stdlib.h>

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
    uint64_t *idle = realloc(pool->idle, (size_t)room * sizeof *idle);
    if (!idle)
        return false;
    pool->idle = idle;
    pool->idle_room = room;
    return true;
}

bool vw_pool_join(struct exchange *exchange, uint32_t session)
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

bool vw_pool_enter(struct exchange *exchange)
{
    struct pool *pool = exchange->pool;
    if (!pool)
        return true;
    if (pool->idle_count > 0) {
        exchange->connection = pool->idle[--pool->idle_count];
        exchange->in_site = exchange->in_pool = true;   /* it was counted while it lay idle */
        return true;
    }
    if (pool->waiting.length > 0 || !may_open(pool, exchange)) {
        vw_line_add(&pool->waiting, &exchange->operation);
        return false;
    }
    pool->count++;
    exchange->in_pool = true;
    return true;
}

/* Somebody's connection is gone: those who wait may open others in its place. */
static void let_others_open(struct world *world, struct pool *pool)
{
    struct exchange *next;
    while ((next = (struct exchange *)pool->waiting.first) && may_open(pool, next)) {
        vw_line_remove(&next->operation);
        pool->count++;
        next->in_pool = true;
        vw_event_set(world, &next->operation, world->now);
    }
}

/* Who of the pool has waited longest for a connection of its own to be accepted. The server keeps its
 * places until somebody closes; the session's own connections are the ones it can count on. */
static struct exchange *take_arriving(struct pool *pool)
{
    struct operation *operation = pool->site->arriving.first;
    while (((struct exchange *)operation)->pool != pool)
        operation = operation->next;
    vw_line_remove(operation);
    pool->arriving--;
    pool->count--;   /* the connection it was opening */
    return (struct exchange *)operation;
}

/* Hands a connection in good order to who has waited longest, or lays it down. */
static void pass_on(struct world *world, struct pool *pool, uint64_t connection)
{
    struct exchange *next = pool->arriving > 0 ? take_arriving(pool) : (struct exchange *)vw_line_take(&pool->waiting);
    if (!next) {
        assert(pool->idle_count < pool->idle_room);
        pool->idle[pool->idle_count++] = connection;
        return;
    }
    next->connection = connection;
    next->in_site = next->in_pool = true;
    next->phase = PHASE_BEGIN;
    vw_event_set(world, &next->operation, world->now);
    let_others_open(world, pool);
}

/* ---- Connections --------------------------------------------------------------------------- */

static void trace_closed(const struct world *world, uint64_t connection)
{
    if (!world->trace)
        return;
    trace_begin(world->trace, world->now, TRACE_WORLD, "http.closed");
    trace_int(world->trace, "conn", (int64_t)connection);
    trace_end(world->trace);
}

void vw_connection_opened(struct world *world, struct exchange *exchange)
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
    if (exchange->in_site)
        vw_server_closed(world, exchange->site);
    exchange->in_site = false;
}

void vw_connection_drop(struct world *world, struct exchange *exchange)
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

void vw_connection_keep(struct world *world, struct exchange *exchange)
{
    struct pool *pool = exchange->pool;
    if (!pool || pool->closed) {
        vw_connection_drop(world, exchange);
        return;
    }
    uint64_t connection = exchange->connection;
    exchange->connection = 0;
    exchange->in_site = exchange->in_pool = false;   /* the connection still counts, but as somebody else's */
    exchange->pool = NULL;
    pass_on(world, pool, connection);
}

void vw_session_close(struct world *world, uint32_t session)
{
    for (size_t i = 0; i < world->network.site_count; i++) {
        struct pool *pool = find_pool(&world->network.sites[i], session);
        if (!pool)
            continue;
        pool->closed = true;
        while (pool->idle_count > 0) {
            trace_closed(world, pool->idle[--pool->idle_count]);
            pool->count--;
            vw_server_closed(world, pool->site);
        }
        free_if_unused(pool);
    }
}
