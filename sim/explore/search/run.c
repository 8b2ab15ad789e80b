/* run.c - the run at hand: who is who, which step it is, what it touches. What the runtime tells ends here: touch.h. */
#include "explore/search/arena.h"
#include "explore/search/search.h"
#include "explore/search/snapshot.h"
#include "runtime/state/hold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct search *search;

static bool in_step(void)
{
    return search && search->in_step;
}

/* ---- Who is who ------------------------------------------------------------------------------- */

static uint32_t process_named(uint32_t parent, uint32_t child)
{
    for (uint32_t i = 1; i < search->names_n; i++)
        if (search->names[i].parent == parent && search->names[i].child == child)
            return i;
    if (search->names_n == PROCESSES_MOST) {
        search->unsound = true;
        return PROCESSES_MOST - 1;
    }
    search->names[search->names_n].parent = parent;
    search->names[search->names_n].child = child;
    return search->names_n++;
}

static uint32_t process_of(uint32_t task)
{
    return task < IDS_MOST ? search->process_of[task] : PROCESSES_MOST - 1;
}

void explore_spawned(uint32_t task)
{
    if (!search || !search->active)
        return;
    uint32_t process = process_named(search->current, ++search->children[search->current]);
    search->children[process] = 0;
    search->reasons[process] = search->reasons[search->current];    /* until it has waited itself */
    if (task < IDS_MOST)
        search->process_of[task] = process;
    else
        search->unsound = true;
}

void explore_stack(uint32_t task, const void *low, size_t size)
{
    if (!search || !search->active || !snapshot_is_stack(low))
        return;
    size_t slot = snapshot_stack(low, search->stack_each);
    if (slot >= SLOTS_MOST)
        return;
    search->stacks[slot].top = (const char *)low + size;
    search->stacks[slot].process = process_of(task);
}

/* On a task's stack: how far below its top, and whose it is. */
uint64_t run_canonical(const void *at)
{
    uintptr_t address = (uintptr_t)at;
    if (!snapshot_is_stack(at))
        return address;
    size_t slot = snapshot_stack(at, search->stack_each);
    if (slot >= SLOTS_MOST || !search->stacks[slot].top)
        return address;
    uint64_t below = (uintptr_t)search->stacks[slot].top - address;
    return 1ULL << 60 | (uint64_t)search->stacks[slot].process << 40 | ((1ULL << 40) - below);
}

/* ---- What a step touches ------------------------------------------------------------------------ */

void explore_touch(enum touch how, const void *at, size_t size)
{
    if (!in_step())
        return;
    uint64_t begin = run_canonical(at), end = begin + size;
    for (uint64_t granule = begin >> 3; granule << 3 < end; granule++) {
        uint64_t low = granule << 3;
        uint8_t bytes = 0xff;
        if (low < begin)
            bytes = (uint8_t)(bytes << (begin - low));
        if (low + 8 > end)
            bytes &= (uint8_t)(0xff >> (low + 8 - end));
        footprint_add(&search->footprint, how, granule, bytes);
    }
}

static uint64_t name_object(enum object kind, uint64_t which)
{
    if (kind == OBJECT_END || kind == OBJECT_CANCEL)
        return process_of((uint32_t)which);
    if (kind == OBJECT_GROUP || kind == OBJECT_WATCHED || kind == OBJECT_UNFINISHED)
        return run_canonical((const void *)(uintptr_t)which) % (1ULL << 56);
    return which;
}

void explore_object(enum touch how, enum object kind, uint64_t which)
{
    if (!in_step())
        return;
    if (kind == OBJECT_GROUP && how == TOUCH_ADD && search->ends_in_order)
        how = TOUCH_WRITE;
    footprint_add(&search->footprint, how, footprint_object(kind, name_object(kind, which)), 0xff);
}

void explore_readied(uint32_t task)
{
    if (!in_step())
        return;
    uint32_t process = process_of(task);
    if (process != search->current)
        footprint_add(&search->footprint, TOUCH_READ, footprint_object(OBJECT_CANCEL, process), 0xff);
    instant_wake(&search->instant, search->instant.steps_n - 1, process);
}

void explore_gathered(enum object kind, uint64_t which, uint32_t task)
{
    if (in_step())
        instant_wake_all(&search->instant, footprint_object(kind, name_object(kind, which)), process_of(task));
}

void explore_ends_in_order(void)
{
    if (!in_step() || search->ends_in_order)
        return;
    search->ends_in_order = search->again = true;
    run_over();
}

void explore_asks(const struct world_request *request, const void *mark)
{
    if (!in_step())
        return;
    if (request->op == WORLD_HTTP) {
        const char *url = (const char *)request->data + request->lengths[0];
        const char *end = url + request->lengths[1], *host = url;
        uint64_t hash = 0xcbf29ce484222325ULL;              /* FNV-1a, of what stands before the third slash */
        for (int slashes = 0; host < end && (slashes += *host == '/') < 3; host++)
            hash = (hash ^ (uint8_t)*host) * 0x100000001b3ULL;
        explore_object(request->session ? TOUCH_WRITE : TOUCH_READ, OBJECT_WORLD, 0);
        explore_object(TOUCH_WRITE, OBJECT_SITE, hash);
        struct reason reason = search->reasons[search->current];
        reason.asked_at = search->task->waits_at;
        overlap_ask(&search->overlap, url, request->lengths[1], mark, search->loop->now, &reason);
        return;
    }
    explore_object(TOUCH_READ, OBJECT_WORLD, 0);
    explore_object(TOUCH_WRITE, request->op == WORLD_JOB ? OBJECT_JOBS : OBJECT_DISK, request->pool);
}

void explore_answered(const void *mark)
{
    if (search && search->active)
        overlap_answer(&search->overlap, mark, search->loop->now);
}

/* ---- Steps ------------------------------------------------------------------------------------- */

/* What the step has ended with: for what it waits, and of a lock, who keeps it from it. */
static void note_reason(void)
{
    const struct co_task *task = search->task;
    struct reason *reason = &search->reasons[search->current];
    if (task->state != TASK_WAITING)
        return;
    *reason = (struct reason){.waited_at = task->waits_at, .kind = task->kind};
    if (task->kind != WAIT_LOCK)
        return;
    const struct co_hold *hold = ((const struct co_lock *)task->waits_for)->hold;
    reason->taken_at = hold->taken_at;
    reason->kept_at = hold->task ? hold->task->waits_at : NULL;
}

void run_end_step(void)
{
    if (!in_step())
        return;
    search->in_step = false;
    note_reason();
    search->instant.steps[search->instant.steps_n - 1].waits_at = search->task->waits_at;
    footprint_add(&search->footprint, TOUCH_READ, footprint_object(OBJECT_CANCEL, search->current), 0xff);
    if (!instant_end_step(&search->instant, &search->footprint))
        search->unsound = true;
    search->hash += instant_hash(&search->instant) * (2 * search->instants + 1);
    if (!search->plan.sampled)
        path_end_step(&search->path, &search->footprint, &search->instant);
    arena_use(0);
}

/* A trial: after that step the task that was begun with is to end, and with it all others. */
static bool cancel_all(void)
{
    if (search->plan.kind != KIND_CANCEL || search->cancelled || search->instant.steps_n != search->plan.trial)
        return false;
    search->cancelled = true;
    co_cancel(search->main_task);
    return search->loop->ready_first != NULL;
}

bool explore_time(void)
{
    if (!search || !search->active)
        return false;
    run_end_step();
    if (cancel_all())
        return true;
    instant_next(&search->instant);
    search->instants++;
    search->same = false;
    return false;
}

void explore_next(struct loop *loop)
{
    if (!search || !search->active)
        return;
    run_end_step();
    cancel_all();
    uint32_t n = 0;
    for (const struct co_task *task = loop->ready_first; task; task = task->next) {
        if (n == sizeof search->ready / sizeof search->ready[0])
            break;
        search->ready[n++] = process_of(task->id);
    }
    search->ready_n = n;
    search->progress++;
    search->choice = plan_choose(search->instant.steps_n);
    if (search->choice == PATH_BLOCKED) {
        search->blocked = true;
        run_over();
    }
    search->current = search->ready[search->choice];
    const struct co_task *task = loop->ready_first;
    for (int i = 0; i < search->choice; i++)
        task = task->next;
    search->task = task;
    search->task_waited_at = task->waits_at;
    if (instant_step(&search->instant, search->current) == STEPS_MOST)
        explore_faulted(WRONG_ENDLESS, task->waits_at);
    footprint_clear(&search->footprint);
    search->in_step = search->same = true;
    arena_use(search->current);
}

/* ---- The tape ----------------------------------------------------------------------------------- */

static uint32_t ask(void *who, const char *label, uint32_t n)
{
    (void)who;
    uint32_t option = 0;
    search->questions++;
    if (strcmp(label, "ready") == 0)
        option = (uint32_t)search->choice;
    else if (strcmp(label, "cancel") == 0)
        option = plan_answer(n);
    if (option > 0 && search->taken_n < DEVIATIONS_MOST)
        search->taken[search->taken_n++] = (struct taken){search->questions, option};
    if (search->plan.kind == KIND_PLAIN && search->questions <= DEVIATIONS_MOST) {
        search->plan.plain_options[search->questions - 1] = n;
        search->plan.plain_n = (uint32_t)search->questions;
    }
    if (option > 0 && strcmp(label, "cancel") == 0 && search->in_step)
        search->hash += (option * 0x9e3779b97f4a7c15ULL + search->current) * (2 * search->instants + 1)
            * (2 * search->instant.steps[search->instant.steps_n - 1].own + 1);
    return option;
}

struct tape *explore_tape(void)
{
    return getenv("CO_EXPLORE") ? tape_held_elsewhere(ask, NULL) : NULL;
}

/* ---- Beginning and ending ------------------------------------------------------------------------ */

void run_begin(void)
{
    instant_reset(&search->instant);
    footprint_clear(&search->footprint);
    lost_reset(&search->lost);
    overlap_reset(&search->overlap);
    search->reasons[0] = search->reasons[1] = (struct reason){0};
    search->path.at = 0;
    search->active = true;
    search->in_step = search->same = search->blocked = search->faulted = search->again = false;
    search->hash = search->instants = search->questions = search->taken_n = search->report_hash = 0;
    search->budget = 1 << 26;
    search->allocations = 0;
    search->cancelled = false;
    search->rc = 0;
    search->current = 0;
    memset(search->children, 0, search->names_n * sizeof search->children[0]);
    if (search->names_n == 0)
        search->names_n = 1;
    search->process_of[1] = process_named(0, 1);
    search->children[0] = 1;
}

void run_over(void)
{
    search->in_step = false;
    search->active = false;
    arena_use(0);
    co__jump(&search->explorer, 0);
    __builtin_unreachable();
}

void explore_end(int rc)
{
    if (!search || !search->active)
        return;
    run_end_step();
    search->rc = rc;
    run_over();
}

/* "17=2,31=1": what was not answered with 0. Cut where it is longer than anybody would read. */
static void write_tape(char text[TAPE_TEXT])
{
    size_t length = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < search->taken_n && length + 32 < TAPE_TEXT; i++)
        length += (size_t)snprintf(text + length, TAPE_TEXT - length, "%s%llu=%u", i ? "," : "",
                                   (unsigned long long)search->taken[i].question, search->taken[i].option);
}

struct finding *run_finding(enum explore_wrong fault, int64_t number, const void *at, const char *text)
{
    search->faulted |= fault != WRONG_LOST;     /* that one may do no harm: the run goes on */
    for (uint32_t i = 0; i < search->findings_n; i++) {
        struct finding *known = &search->findings[i];
        if (known->fault == fault && known->number == number && known->at == at && strcmp(known->text, text) == 0)
            return known;
    }
    if (search->findings_n == FINDINGS_MOST)
        return NULL;
    struct finding *new = &search->findings[search->findings_n++];
    memset(new, 0, sizeof *new);
    new->fault = fault;
    new->number = number;
    new->at = at;
    snprintf(new->text, sizeof new->text, "%s", text);
    return new;
}

void run_find(enum explore_wrong fault, int64_t number, const void *at, const char *text)
{
    struct finding *finding = run_finding(fault, number, at, text);
    if (!finding)
        return;
    if (finding->last == search->orders)
        return;                         /* once an order */
    finding->last = search->orders;
    if (finding->orders++ == 0 || search->taken_n < finding->deviations) {
        finding->first = finding->orders == 1 ? search->orders : finding->first;
        finding->deviations = search->taken_n;
        finding->kind = search->plan.kind;
        finding->trial = search->plan.trial;
        write_tape(finding->tape);
    }
}

/* A place in the program: in the C library, or where the compiler names no line, the one where the task had waited. */
const void *run_place(const void *pc)
{
    char line[64];
    return source_line(pc, line, sizeof line) ? pc : search->task_waited_at;
}

void explore_faulted(enum explore_wrong fault, const void *pc)
{
    if (!search || !search->active)
        return;
    run_end_step();
    run_find(fault, 0, run_place(pc), "");
    run_over();
}

void explore_left(const char *what, const void *pc)
{
    if (search && search->active)
        run_find(WRONG_LEAK, 0, pc, what);
}

bool explore_allocates(void)
{
    if (!search || !search->active)
        return true;
    search->allocations++;
    return search->plan.kind != KIND_MEMORY || search->allocations != search->plan.trial;
}

bool explore_reports(const char *name, const char *json)
{
    if (!search || !search->active)
        return false;
    explore_object(TOUCH_WRITE, OBJECT_RECORD, 0);
    if (search_same(name)) {
        for (const char *c = json; *c; c++)
            search->report_hash = (search->report_hash ^ (uint8_t)*c) * 0x100000001b3ULL;
        snprintf(search->report, sizeof search->report, "%s", json);
    }
    return true;
}
