/* plan.c - which order comes next.
 *
 * Small situations: depth first, one order for each class of orders that can differ (path.h). Large ones: the plain
 * order, those with one deviation from it, with two, then at random, then by PCT (S. Burckhardt, P. Kothari, M.
 * Musuvathi, S. Nagarakatte, "A randomized scheduler with probabilistic guarantees of finding bugs", ASPLOS 2010: who
 * has the highest rank goes on, and at a few steps drawn beforehand the running process falls behind all others).
 * Nothing is drawn from anything but the number of the order.
 */
#include "explore/search/search.h"

#include <string.h>

enum { PCT_DEPTH = 3 };

/* G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", 2014: SplitMix64. */
static uint64_t draw(struct plan *plan)
{
    uint64_t z = plan->random += 0x9e3779b97f4a7c15ULL;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
    return z ^ z >> 31;
}

static uint32_t draw_below(struct plan *plan, uint64_t n)
{
    return (uint32_t)(draw(plan) % n);
}

/* ---- Depth first ------------------------------------------------------------------------------ */

/* All begins anew: it was found out that more matters than was thought. */
static void begin_anew(void)
{
    path_reset(&search->path);
    search->orders = search->whole = search->findings_n = search->classes_n = 0;
    search->has_plain = search->again = false;
    memset(search->plan.by_kind, 0, sizeof search->plan.by_kind);
    memset(search->classes, 0, sizeof search->classes);
}

static bool next_on_path(void)
{
    struct plan *plan = &search->plan;
    plan->kind = KIND_PATH;
    if (search->orders == 0)
        return true;
    if (path_next(&search->path))
        return search->orders < plan->most;
    search->complete = !search->path.cut && !search->unsound;
    return false;
}

/* ---- Samples ---------------------------------------------------------------------------------- */

/* How many orders there are with one deviation from the plain one. */
static uint64_t singles(const struct plan *plan)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < plan->plain_n; i++)
        n += plan->plain_options[i] - 1;
    return n;
}

/* The number-th of them. */
static struct taken single(const struct plan *plan, uint64_t number)
{
    uint32_t question = 0;
    for (; number >= plan->plain_options[question] - 1; question++)
        number -= plan->plain_options[question] - 1;
    return (struct taken){question + 1, (uint32_t)number + 1};
}

static void draw_two(struct plan *plan, uint64_t all)
{
    struct taken a = single(plan, draw(plan) % all), b = single(plan, draw(plan) % all);
    plan->deviations[0] = a.question < b.question ? a : b;
    plan->deviations[1] = a.question < b.question ? b : a;
    plan->deviations_n = a.question == b.question ? 1 : 2;
}

static void draw_ranks(struct plan *plan)
{
    plan->ranks_n = PROCESSES_MOST;
    for (uint32_t i = 0; i < plan->ranks_n; i++)
        plan->rank[i] = PCT_DEPTH + (draw_below(plan, 1U << 30));
    plan->places_n = PCT_DEPTH;
    for (uint32_t i = 0; i < plan->places_n; i++)
        plan->places[i] = draw_below(plan, plan->plain_n ? 2 * (uint64_t)plan->plain_n : 1);
}

/* After the plain run, whose counts are known: one trial after the other. */
static bool next_trial(struct plan *plan)
{
    if (plan->kind == KIND_PLAIN) {
        plan->trials_n[KIND_MEMORY] = search->allocations;
        plan->trials_n[KIND_CANCEL] = search->instant.steps_n;
        plan->kind = KIND_MEMORY;
        plan->trial = 0;
    }
    if (plan->trial == plan->trials_n[plan->kind]) {
        if (plan->kind == KIND_CANCEL)
            return false;
        plan->kind = KIND_CANCEL;
        plan->trial = 0;
    }
    return plan->trial++ < plan->trials_n[plan->kind];
}

static bool next_sample(void)
{
    struct plan *plan = &search->plan;
    if (plan->trials && search->orders > 0)
        return next_trial(plan);
    uint64_t number = search->orders, all = singles(plan), third = plan->most / 3;
    uint64_t ones = all < third ? all : third;
    plan->random = number;
    plan->deviations_n = plan->deviation_at = 0;
    if (number >= plan->most || (number > 0 && all == 0))
        return false;
    if (number == 0) {
        plan->kind = KIND_PLAIN;
    } else if (number <= ones) {
        plan->kind = KIND_ONE;
        plan->deviations_n = 1;         /* spread over the run where there are too many */
        plan->deviations[0] = single(plan, (number - 1) * all / ones);
    } else if (number <= ones + third / 2) {
        plan->kind = KIND_TWO;
        draw_two(plan, all);
    } else if (number % 2) {
        plan->kind = KIND_RANDOM;
    } else {
        plan->kind = KIND_PCT;
        draw_ranks(plan);
    }
    return true;
}

bool plan_next(void)
{
    if (search->again)
        begin_anew();
    bool any = search->plan.sampled ? next_sample() : next_on_path();
    if (any)
        search->plan.by_kind[search->plan.kind]++;
    return any;
}

/* ---- Steering --------------------------------------------------------------------------------- */

/* At the question to come, of n options. */
static uint32_t deviate(struct plan *plan, uint64_t question, uint32_t n)
{
    if (plan->deviation_at == plan->deviations_n || plan->deviations[plan->deviation_at].question != question)
        return 0;
    uint32_t option = plan->deviations[plan->deviation_at++].option;
    return option < n ? option : n - 1;
}

static int by_rank(struct plan *plan, uint32_t step)
{
    int best = 0;
    for (uint32_t i = 1; i < search->ready_n; i++)
        if (plan->rank[search->ready[i]] > plan->rank[search->ready[best]])
            best = (int)i;
    for (uint32_t i = 0; i < plan->places_n; i++)
        if (plan->places[i] == step)
            plan->rank[search->ready[best]] = i;
    return best;
}

int plan_choose(uint32_t step)
{
    struct plan *plan = &search->plan;
    uint32_t n = search->ready_n;
    switch (plan->kind) {
    case KIND_PATH: return path_choose(&search->path, &search->footprint, search->ready, n, search->same);
    case KIND_ONE:
    case KIND_TWO: return n > 1 ? (int)deviate(plan, search->questions + 1, n) : 0;
    case KIND_RANDOM: return (int)draw_below(plan, n);
    case KIND_PCT: return by_rank(plan, step);
    default: return 0;
    }
}

uint32_t plan_answer(uint32_t options)
{
    struct plan *plan = &search->plan;
    switch (plan->kind) {
    case KIND_PATH: return search->in_step ? path_answer(&search->path, options) : 0;
    case KIND_ONE:
    case KIND_TWO: return deviate(plan, search->questions, options);
    case KIND_RANDOM:
    case KIND_PCT: return draw_below(plan, options);
    default: return 0;
    }
}
