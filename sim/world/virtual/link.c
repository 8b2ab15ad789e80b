/* link.c - a link that bodies share: at each moment every body on it gets the same part of its bytes a second.
 *
 * `served` is what each body that was always there would have got. A body that joins and wants n bytes has them when
 * `served` has grown by n. Who joins or leaves changes how fast it grows, and so the events of all others. Counted in
 * parts of a byte; rounded so that an event never comes too early, and at most a nanosecond too late.
 */
#include "link.h"
#include "virtual.h"

#include <assert.h>

enum { PARTS = 1 << 20 };

/* Beyond that nobody waits, and products stay below 2^127. */
#define ENDLESS ((__int128)1 << 70)

static void catch_up(const struct world *world, struct link *link)
{
    if (link->count > 0)
        link->served += (__int128)link->rate * (world->now - link->at) * PARTS / ((__int128)link->count * VW_SECOND);
    link->at = world->now;
}

static int64_t time_left(const struct link *link, const struct exchange *exchange)
{
    __int128 parts = exchange->target - link->served, speed = (__int128)link->rate * PARTS;
    if (parts <= 0)
        return 0;
    __int128 ns = parts > ENDLESS ? VW_UNLIMITED : (parts * link->count * VW_SECOND + speed - 1) / speed;
    return ns > VW_UNLIMITED ? VW_UNLIMITED : (int64_t)ns;
}

static void move_events(struct world *world, const struct link *link, const struct exchange *but)
{
    for (struct exchange *flow = link->first; flow; flow = flow->link_next)
        if (flow != but) {
            vw_event_clear(world, &flow->operation);
            vw_event_set(world, &flow->operation, vw_later(world->now, time_left(link, flow)));
        }
}

static void join(struct link *link, struct exchange *exchange)
{
    exchange->link = link;
    exchange->link_next = NULL;
    exchange->link_prev = link->last;
    *(link->last ? &link->last->link_next : &link->first) = exchange;
    link->last = exchange;
    link->count++;
    exchange->target = link->served;
}

int64_t vw_link_want(struct world *world, struct link *link, struct exchange *exchange, int64_t bytes)
{
    bool is_new = !exchange->link;
    assert(is_new || exchange->link == link);
    catch_up(world, link);
    if (is_new)
        join(link, exchange);
    exchange->target += (__int128)bytes * PARTS;
    if (is_new)
        move_events(world, link, exchange);
    return time_left(link, exchange);
}

int64_t vw_link_left(struct world *world, struct exchange *exchange)
{
    struct link *link = exchange->link;
    catch_up(world, link);
    __int128 parts = exchange->target - link->served;
    return parts <= 0 ? 0 : (int64_t)((parts + PARTS - 1) / PARTS);
}

void vw_link_leave(struct world *world, struct exchange *exchange)
{
    struct link *link = exchange->link;
    catch_up(world, link);
    *(exchange->link_prev ? &exchange->link_prev->link_next : &link->first) = exchange->link_next;
    *(exchange->link_next ? &exchange->link_next->link_prev : &link->last) = exchange->link_prev;
    link->count--;
    exchange->link = NULL;
    move_events(world, link, NULL);
}
