/* instant.c - the steps of one instant: vector clocks, and races. */
#include "explore/search/instant.h"

#include <string.h>

enum { KEYS = sizeof ((struct instant *)0)->keys / sizeof(uint64_t) };

void instant_next(struct instant *instant)
{
    instant->generation++;
    instant->first = instant->steps_n;
    instant->locals = 0;
    instant->clocks_n = instant->wakes_n = instant->touchers_n = instant->last_everything = 0;
}

void instant_reset(struct instant *instant)
{
    instant->steps_n = 0;
    instant_next(instant);
}

/* ---- Who woke whom --------------------------------------------------------------------------- */

void instant_wake(struct instant *instant, uint32_t by, uint32_t process)
{
    uint64_t *slot = &instant->wake_slots[process];
    uint32_t before = *slot >> 32 == instant->generation ? (uint32_t)*slot : 0;
    if (instant->wakes_n == WAKES_MOST)
        return;
    instant->wakes[instant->wakes_n].step = by;
    instant->wakes[instant->wakes_n++].next = before;
    *slot = (uint64_t)instant->generation << 32 | instant->wakes_n;
}

static uint32_t *newest(struct instant *instant, uint64_t key, bool make)
{
    size_t at = (key * 0x9e3779b97f4a7c15ULL >> 32) % KEYS;
    for (; instant->slots[at] >> 32 == instant->generation; at = (at + 1) % KEYS)
        if (instant->keys[at] == key)
            return (uint32_t *)&instant->slots[at];     /* its lower half, on the processors there are */
    if (!make)
        return NULL;
    instant->keys[at] = key;
    instant->slots[at] = (uint64_t)instant->generation << 32;
    return (uint32_t *)&instant->slots[at];
}

void instant_wake_all(struct instant *instant, uint64_t key, uint32_t process)
{
    const uint32_t *at = newest(instant, key, false);
    for (uint32_t i = at ? *at : 0; i; i = instant->touchers[i].next)
        instant_wake(instant, instant->touchers[i].step, process);
}

/* ---- Steps ----------------------------------------------------------------------------------- */

uint32_t instant_step(struct instant *instant, uint32_t process)
{
    uint64_t *slot = &instant->process_slots[process];
    if (instant->steps_n == STEPS_MOST)
        return STEPS_MOST;
    uint32_t number = instant->steps_n++;
    if (*slot >> 32 != instant->generation) {
        instant->processes[instant->locals] = process;
        instant->last_step[instant->locals++] = number;
        *slot = (uint64_t)instant->generation << 32 | instant->locals;
    }
    uint32_t local = (uint32_t)*slot - 1, before = instant->last_step[local];
    instant->steps[number] = (struct step){.process = process, .local = local,
                                           .own = before == number ? 1 : instant->steps[before].own + 1};
    return number;
}

/* What happened before `other`, and itself, happened before the step, too. */
static void join(struct instant *instant, struct step *step, uint32_t other)
{
    const struct step *from = &instant->steps[other];
    for (uint32_t i = 0; i < from->clock_n; i++)
        if (instant->clocks[step->clock + i] < instant->clocks[from->clock + i])
            instant->clocks[step->clock + i] = instant->clocks[from->clock + i];
}

static void add_candidate(struct instant *instant, uint32_t step, uint32_t *n)
{
    if (instant->noted[step] == instant->note)
        return;
    instant->noted[step] = instant->note;
    instant->candidates[(*n)++] = step;
}

/* The steps of others that a mark conflicts with, the newest first; those before one that has written all of it
 * happened before that one. */
static void look_up(struct instant *instant, const struct step *step, const struct mark *mark, uint32_t *n)
{
    const uint32_t *at = newest(instant, mark->key, false);
    uint8_t bytes = mark->read | mark->write | mark->add;
    for (uint32_t i = at ? *at : 0; i; i = instant->touchers[i].next) {
        const struct toucher *toucher = &instant->touchers[i];
        if (marks_conflict(mark, &toucher->mark) && instant->steps[toucher->step].process != step->process)
            add_candidate(instant, toucher->step, n);
        if ((toucher->mark.write & bytes) == bytes)
            break;
    }
}

static uint32_t candidates(struct instant *instant, uint32_t number, const struct footprint *footprint)
{
    const struct step *step = &instant->steps[number];
    uint32_t n = 0;
    instant->note++;
    for (uint32_t i = 0; i < footprint->n; i++)
        look_up(instant, step, &footprint->marks[i], &n);
    if (instant->last_everything && instant->steps[instant->last_everything - 1].process != step->process)
        add_candidate(instant, instant->last_everything - 1, &n);
    for (uint32_t i = instant->first; footprint->everything && i < number; i++)
        if (instant->steps[i].process != step->process)
            add_candidate(instant, i, &n);
    return n;
}

/* Not qsort: that may ask for memory, and whose would it be? (D. L. Shell, 1959, with gaps that shrink by two.) */
static void sort_newest_first(uint32_t steps[], uint32_t n)
{
    for (uint32_t gap = n / 2; gap > 0; gap /= 2)
        for (uint32_t i = gap; i < n; i++) {
            uint32_t step = steps[i], at = i;
            for (; at >= gap && steps[at - gap] < step; at -= gap)
                steps[at] = steps[at - gap];
            steps[at] = step;
        }
}

/* The step's marks are there for those that come after it. */
static bool leave_marks(struct instant *instant, uint32_t number, const struct footprint *footprint)
{
    if (footprint->everything)
        instant->last_everything = number + 1;
    if (instant->touchers_n + footprint->n + 1 >= TOUCHES_MOST || instant->touchers_n + footprint->n > KEYS / 2)
        return false;
    for (uint32_t i = 0; i < footprint->n; i++) {
        uint32_t *at = newest(instant, footprint->marks[i].key, true), place = ++instant->touchers_n;
        instant->touchers[place] = (struct toucher){number, *at, footprint->marks[i]};
        *at = place;
    }
    return true;
}

bool instant_end_step(struct instant *instant, const struct footprint *footprint)
{
    uint32_t number = instant->steps_n - 1;
    struct step *step = &instant->steps[number];
    if (instant->clocks_n + instant->locals > CLOCKS_MOST)
        return false;
    step->clock = instant->clocks_n;
    step->clock_n = instant->locals;
    instant->clocks_n += instant->locals;
    memset(&instant->clocks[step->clock], 0, instant->locals * sizeof instant->clocks[0]);
    if (instant->last_step[step->local] != number)
        join(instant, step, instant->last_step[step->local]);
    instant->last_step[step->local] = number;
    uint64_t woken = instant->wake_slots[step->process];
    for (uint32_t i = woken >> 32 == instant->generation ? (uint32_t)woken : 0; i; i = instant->wakes[i - 1].next)
        if (instant->wakes[i - 1].step < number)        /* who yields wakes itself: that is for the next one */
            join(instant, step, instant->wakes[i - 1].step);

    uint32_t n = candidates(instant, number, footprint);
    sort_newest_first(instant->candidates, n);
    instant->races_n = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct step *other = &instant->steps[instant->candidates[i]];
        if (instant->clocks[step->clock + other->local] >= other->own)
            continue;                   /* something stands between the two */
        instant->races[instant->races_n++] = instant->candidates[i];
        join(instant, step, instant->candidates[i]);
    }
    instant->clocks[step->clock + step->local] = (uint16_t)step->own;
    return leave_marks(instant, number, footprint);
}

static uint64_t mix(uint64_t h, uint64_t value)
{
    h = (h ^ value) * 0xff51afd7ed558ccdULL;
    return h ^ h >> 32;
}

uint64_t instant_hash(const struct instant *instant)
{
    const struct step *step = &instant->steps[instant->steps_n - 1];
    uint64_t hash = mix(mix(0x5bd1e995, step->process), step->own), before = 0;
    for (uint32_t i = 0; i < step->clock_n; i++)
        if (instant->clocks[step->clock + i])
            before += mix(instant->processes[i], instant->clocks[step->clock + i]);     /* in whatever order */
    return mix(hash, before);
}
