/* departure.c - when the bodies on a link have left their server, which is half a round trip before they are there.
 * Only the server's count of requests in hand (limit_conn) hangs on it, so nothing happens then: it is reckoned
 * whenever somebody asks, or a body comes, goes, or is read.
 *
 * The link is shared as in link.c. What a program does with the window takes effect here at once, as it does there.
 */
#include "departure.h"

#include "flow.h"
#include "server.h"
#include "virtual.h"

enum { PARTS = 1 << 20 };       /* of a byte */

static struct exchange *first_to_end(const struct departures *departures)
{
    struct exchange *first = departures->first;
    for (struct exchange *at = first; at; at = at->leaving.next)
        if (at->leaving.target < first->leaving.target)
            first = at;
    return first;
}

static void take_out(struct departures *departures, struct exchange *exchange)
{
    struct exchange **at = &departures->first;
    while (*at != exchange)
        at = &(*at)->leaving.next;
    *at = exchange->leaving.next;
    departures->count--;
    exchange->departs = false;
}

/* The first to end, if that is by now. */
static struct exchange *next_gone(struct world *world, struct site *site)
{
    struct departures *departures = &site->departures;
    struct exchange *first = first_to_end(departures);
    __int128 speed = (__int128)site->link.rate * PARTS, share = (__int128)departures->count * VW_SECOND;
    if (!first) {
        departures->at = world->now;
        return NULL;
    }
    __int128 parts = first->leaving.target - departures->served;
    __int128 ns = parts <= 0 ? 0 : (parts * share + speed - 1) / speed;
    if (ns > world->now - departures->at) {
        departures->served += speed * (world->now - departures->at) / share;
        departures->at = world->now;
        return NULL;
    }
    departures->at += (int64_t)ns;
    departures->served = first->leaving.target;
    return first;
}

void vw_departures_settle(struct world *world, struct site *site)
{
    for (struct exchange *gone; (gone = next_gone(world, site));) {
        take_out(&site->departures, gone);
        if (gone->leaving.room == vw_flow_length(gone))
            vw_server_drop_hand(gone);
    }
}

/* More may leave: as far as the kernels take it. */
static void let_leave(struct exchange *exchange)
{
    struct departures *departures = &exchange->site->departures;
    struct leaving *leaving = &exchange->leaving;
    int64_t room = vw_flow_room(exchange);
    if (room == leaving->room)
        return;
    if (!exchange->departs) {
        leaving->target = departures->served;
        leaving->next = departures->first;
        departures->first = exchange;
        departures->count++;
        exchange->departs = true;
    }
    leaving->target += (__int128)(room - leaving->room) * PARTS;
    leaving->room = room;
}

void vw_departure_begin(struct world *world, struct exchange *exchange)
{
    if (!exchange->has_hand || !vw_flow_is_linked(exchange))
        return;
    vw_departures_settle(world, exchange->site);
    exchange->leaving.room = 0;
    if (vw_flow_length(exchange) == 0)
        vw_server_drop_hand(exchange);
    else
        let_leave(exchange);
}

void vw_departure_go_on(struct world *world, struct exchange *exchange)
{
    if (!exchange->has_hand || !vw_flow_is_linked(exchange))
        return;
    vw_departures_settle(world, exchange->site);
    if (exchange->has_hand)
        let_leave(exchange);
}

void vw_departure_end(struct world *world, struct exchange *exchange)
{
    if (!exchange->departs)
        return;
    vw_departures_settle(world, exchange->site);
    if (exchange->departs)
        take_out(&exchange->site->departures, exchange);
}
