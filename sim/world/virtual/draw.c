/* draw.c - chance: numbers that depend on the seed, a name, and how often it was asked for; on nothing else. */
#include "draw.h"
#include "exchange.h"
#include "network.h"
#include "virtual.h"

#include <math.h>

/* One round of splitmix64: every bit of the result depends on every bit of x. */
static uint64_t mix(uint64_t x)
{
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

CO_HOT uint64_t vw_draw(uint64_t seed, uint64_t key, uint64_t k, enum draw what)
{
    return mix(mix(mix(mix(seed) ^ key) ^ k) ^ (uint64_t)what);
}

/* FNV-1a. */
CO_HOT uint64_t vw_key(const char *text, size_t length)
{
    uint64_t key = 0xCBF29CE484222325u;
    for (size_t i = 0; i < length; i++)
        key = (key ^ (unsigned char)text[i]) * 0x100000001B3u;
    return key;
}

/* The latency of the k-th request to a route. */
static int64_t draw_latency(struct world *world, const struct route *route, uint64_t k)
{
    if (route->latency_lo == route->latency_hi)
        return route->latency_lo;
    switch (tape_choose(world->tape, "latency", 3)) {
    case 1: return route->latency_lo;
    case 2: return route->latency_hi;
    }
    /* The draw as a fraction of 2^64, times the number of values: its integer part. */
    uint64_t values = (uint64_t)(route->latency_hi - route->latency_lo) + 1;
    uint64_t drawn = vw_draw(world->seed, route->key, k, DRAW_LATENCY);
    return route->latency_lo + (int64_t)(uint64_t)(((unsigned __int128)drawn * values) >> 64);
}

bool vw_draw_fault(struct world *world, const struct fault *fault, uint64_t key, uint64_t k)
{
    if (fault->kind == FAULT_NONE)
        return false;
    if (!fault->when.by_chance)
        return k <= (uint64_t)fault->when.times;
    return tape_choose(world->tape, "fault", 2) == 1
        || vw_draw(world->seed, key, k, DRAW_FAULT) < fault->when.threshold;
}

/* What the k-th request to a route is answered: by the first of its turns that is for it, else by its own answer. */
static const struct answer *draw_answer(struct world *world, const struct route *route, uint64_t k)
{
    uint64_t nth = k;           /* among those that no earlier turn counts as its own */
    for (size_t i = 0; i < route->turn_count; i++) {
        const struct turn *turn = &route->turns[i];
        const struct when *when = &turn->when;
        if (when->by_chance) {
            if (tape_choose(world->tape, "answer", 2) == 1
                || vw_draw(world->seed, route->key, k, (enum draw)(DRAW_TURN + i)) < when->threshold)
                return &turn->answer;
        } else if (nth <= (uint64_t)when->times) {
            return &turn->answer;
        } else {
            nth -= (uint64_t)when->times;
        }
    }
    return &route->answer;
}

static bool strikes_body(const struct fault *fault)
{
    return fault->kind == FAULT_RESET || fault->kind == FAULT_DRIP || fault->kind == FAULT_TRUNCATE;
}

CO_HOT void vw_draw_request(struct world *world, struct exchange *exchange)
{
    struct route *route = exchange->route;
    if (exchange->drawn || !route)
        return;
    exchange->drawn = true;
    uint64_t k = ++route->requests;
    if (vw_draw_fault(world, &route->fault, route->key, k))
        exchange->fault = &route->fault;
    exchange->latency = draw_latency(world, route, k);
    if (route->turn_count > 0 && !exchange->unauthorized) {
        const struct answer *answer = draw_answer(world, route, k);
        exchange->answer = answer == &route->answer ? exchange->own : answer;
    }
    if (exchange->answer == &exchange->exception && exchange->fault && strikes_body(exchange->fault))
        exchange->fault = NULL;         /* there is no body in which it could strike */
}

/* Exact: scaling by a power of two rounds nothing, and what is below 1 stays below 2^64. */
uint64_t vw_threshold(double probability)
{
    return (uint64_t)ldexp(probability, 64);
}
