/* worker.c - one run after the other, each from the same snapshot. */
#include "explore/search/arena.h"
#include "explore/search/search.h"
#include "explore/search/snapshot.h"

#include <string.h>

enum { MEMORY_MOST = 64 << 20 };        /* bytes that a run may ask for: what asks for more never ends */

/* A class is counted once. */
static void count_class(uint64_t hash)
{
    size_t at = hash % CLASSES_MOST;
    hash += hash == 0;
    for (; search->classes[at]; at = (at + 1) % CLASSES_MOST)
        if (search->classes[at] == hash)
            return;
    if (search->classes_n >= CLASSES_MOST / 2)
        return;
    search->classes[at] = hash;
    search->classes_n++;
}

/* What a run that came to its own end says. */
static void judge(void)
{
    enum kind kind = search->plan.kind;
    if ((kind == KIND_MEMORY && search->rc == -ENOMEM) || (kind == KIND_CANCEL && search->rc == -ECANCELED))
        search->rc = 0;                 /* as it is to be */
    if (arena_refused())
        run_find(WRONG_FAILED, -ENOMEM, NULL, "");
    else if (search->rc < 0)
        run_find(WRONG_FAILED, search->rc, NULL, "");
    if (search->faulted || kind == KIND_MEMORY || kind == KIND_CANCEL)
        return;
    if (!search->has_plain)
        search->plain_report_hash = search->report_hash;
    else if (search->report_hash != search->plain_report_hash)
        run_find(WRONG_DIFFERS, 0, NULL, search->report);
}

static void end_run(void)
{
    search->running = false;
    if (search->again)
        return;
    if (search->path.strayed) {
        run_find(WRONG_UNSTEADY, 0, NULL, "");
        search->path.n = 0;
        search->unsound = true;
        return;
    }
    if (search->blocked)
        return;
    judge();
    overlap_end(&search->overlap);
    search->has_plain = true;
    search->whole++;
    if (!search->plan.trials)
        count_class(search->hash);
}

/* The worker before this one was ended by the program. */
static void end_crashed_run(void)
{
    enum explore_wrong fault = search->endless ? WRONG_ENDLESS : search->overflowed ? WRONG_OVERFLOW
        : search->crash == 0 ? WRONG_EXIT
        : search->crash > 0 ? WRONG_CRASH : WRONG_BLOCKED;
    search->active = true;
    run_end_step();
    search->active = false;
    search->again = false;
    run_find(fault, search->crash, run_place(search->crashed_at), "");
    search->endless = search->overflowed = false;
    search->crash = 0;
    search->crashed_at = NULL;
    end_run();
}

void worker_main(void *argument)
{
    search = argument;
    arena_keep(MEMORY_MOST);
    search->snapshot = snapshot_take(search->loop, search->program.sp);
    if (!search->snapshot)
        guard_exit(3);
    guard_begin();
    snapshot_watch(search->snapshot);
    search->stack_each = search->loop->stacks.size + search->loop->stacks.page;
    if (search->running)
        end_crashed_run();
    while (plan_next()) {
        snapshot_restore(search->snapshot);
        search->orders++;
        run_begin();
        search->running = true;
        co__switch(&search->explorer, &search->program, 0);
        end_run();
    }
    search->over = true;
    guard_exit(0);
}
