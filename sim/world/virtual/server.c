/* server.c - what requests to one site compete for: places for connections, a rate, workers. */
#include "connection.h"
#include "server.h"
#include "virtual.h"

#include <assert.h>
#include <errno.h>

/* ---- Connections --------------------------------------------------------------------------- */

/* As Linux has it: a line of `backlog` holds one more, and who finds it full is not told so. */
CO_HOT int vw_server_accept(struct world *world, struct exchange *exchange)
{
    struct site *site = exchange->site;
    if (site->open < site->max_connections || vw_pools_drop_longest(world, site)) {
        site->open++;
        exchange->in_site = true;
        return 1;
    }
    if (site->arriving.length > site->backlog)
        return -EAGAIN;
    vw_line_add(&site->arriving, &exchange->operation);
    return 0;
}

CO_HOT void vw_server_closed(struct world *world, struct site *site)
{
    assert(site->open > 0);
    site->open--;
    struct exchange *next = (struct exchange *)vw_line_take(&site->arriving);
    if (!next)
        return;
    site->open++;
    next->in_site = true;
    if (!next->link)                /* else it goes on when the last of its body has left */
        vw_event_set(world, &next->operation, world->now);
}

/* ---- Rate ---------------------------------------------------------------------------------- */

int64_t vw_server_rate(struct world *world, struct site *site)
{
    struct rate_limit *rate = &site->rate;
    if (rate->requests == VW_UNLIMITED)
        return 0;
    if (rate->count < rate->requests) {
        rate->accepted[rate->count++] = world->now;
        return 0;
    }
    int64_t free_at = vw_later(rate->accepted[rate->oldest], rate->per);
    if (free_at > world->now)
        return free_at - world->now;
    rate->accepted[rate->oldest] = world->now;
    rate->oldest = (rate->oldest + 1) % rate->requests;
    return 0;
}

/* As nginx reckons it, in its milliseconds and its roundings: who is refused leaves the bucket as it is. */
int64_t vw_server_leak(struct world *world, struct site *site, int64_t *delay)
{
    enum { REQUEST = 1000, NS_A_MS = 1000000 };
    struct bucket *bucket = &site->bucket;
    int64_t now = world->now / NS_A_MS;
    int64_t leaked = (int64_t)((__int128)bucket->rate * (now - bucket->last) / 1000);
    int64_t excess = bucket->was_used ? bucket->excess - leaked + REQUEST : 0;
    excess = excess < 0 ? 0 : excess;
    if (excess > bucket->burst)
        return vw_scale(excess - bucket->burst, VW_SECOND, bucket->rate);
    bucket->excess = excess;
    bucket->last = now;
    bucket->was_used = true;
    *delay = bucket->nodelay ? 0 : excess * 1000 / bucket->rate * NS_A_MS;
    return 0;
}

bool vw_server_take_hand(struct exchange *exchange)
{
    struct hands *hands = &exchange->site->hands;
    exchange->has_hand = hands->busy < hands->most;
    hands->busy += exchange->has_hand;
    return exchange->has_hand;
}

void vw_server_drop_hand(struct exchange *exchange)
{
    assert(exchange->site->hands.busy > 0);
    exchange->site->hands.busy--;
    exchange->has_hand = false;
}

/* ---- Workers ------------------------------------------------------------------------------- */

bool vw_server_take_worker(struct exchange *exchange)
{
    struct site *site = exchange->site;
    if (site->working >= site->workers) {
        vw_line_add(&site->queue, &exchange->operation);
        return false;
    }
    site->working++;
    exchange->at_work = true;
    return true;
}

struct exchange *vw_server_release_worker(struct exchange *exchange)
{
    struct site *site = exchange->site;
    assert(exchange->at_work && site->working > 0);
    exchange->at_work = false;
    struct exchange *next = (struct exchange *)vw_line_take(&site->queue);
    if (next)
        next->at_work = true;   /* the worker goes from one to the other */
    else
        site->working--;
    return next;
}
