/* schedule.c - what will happen, and when. */
#include "schedule.h"
#include "virtual.h"

#include <assert.h>

int64_t vw_scale(int64_t a, int64_t b, int64_t c)
{
    unsigned __int128 product = (unsigned __int128)a * (uint64_t)b + (uint64_t)(c - 1);
    if (product <= UINT64_MAX)   /* nearly always, and ten times faster */
        product = (uint64_t)product / (uint64_t)c;
    else
        product /= (uint64_t)c;
    return product > (uint64_t)VW_UNLIMITED ? VW_UNLIMITED : (int64_t)product;
}

static bool before(const struct event *a, const struct event *b)
{
    return a->time != b->time ? a->time < b->time : a->order < b->order;
}

static void put(struct events *events, size_t at, struct event event)
{
    events->heap[at] = event;
    event.operation->place = (uint32_t)at + 1;
}

/* Puts the event where `at` is free, or above. */
static void rise(struct events *events, size_t at, struct event event)
{
    while (at > 0) {
        size_t parent = (at - 1) / 4;
        if (!before(&event, &events->heap[parent]))
            break;
        put(events, at, events->heap[parent]);
        at = parent;
    }
    put(events, at, event);
}

/* Puts the event where `at` is free, or below. */
static void sink(struct events *events, size_t at, struct event event)
{
    size_t first;
    while ((first = 4 * at + 1) < events->count) {
        struct event *child = events->heap + first, *least = child;
        struct event *last = child + (events->count - first < 4 ? events->count - first : 4);
        while (++child < last)
            if (before(child, least))
                least = child;
        if (!before(least, &event))
            break;
        put(events, at, *least);
        at = (size_t)(least - events->heap);
    }
    put(events, at, event);
}

/* Takes the event at `at` out and closes the gap with the last one. */
CO_HOT static void take_out(struct events *events, size_t at)
{
    events->heap[at].operation->place = 0;
    struct event last = events->heap[--events->count];
    if (at == events->count)
        return;
    if (at > 0 && before(&last, &events->heap[(at - 1) / 4]))
        rise(events, at, last);
    else
        sink(events, at, last);
}

CO_HOT void vw_event_set(struct world *world, struct operation *operation, int64_t time)
{
    struct events *events = &world->events;
    assert(operation->place == 0 && time >= world->now && events->count < world->operations.room);
    if (time == VW_UNLIMITED)
        return;
    struct event event = {.time = time, .order = ++events->order, .operation = operation};
    rise(events, events->count++, event);
}

void vw_event_clear(struct world *world, struct operation *operation)
{
    if (operation->place != 0)
        take_out(&world->events, operation->place - 1);
}

CO_HOT struct operation *vw_event_take(struct world *world)
{
    assert(world->events.count > 0);
    struct operation *operation = world->events.heap[0].operation;
    take_out(&world->events, 0);
    return operation;
}
