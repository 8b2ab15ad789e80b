/* clock.c - time moves when all programs wait, and only then. */
#include "judge.h"

#include <stdlib.h>
#include <string.h>

/* ---- One program ------------------------------------------------------------------------------------------- */

static void pass_for_one(struct judge *judge, struct program *program)
{
    struct world_completion happened[WIRE_AT_ONCE];
    struct co_world *world = judge->world;
    if (program->state == PROGRAM_COMPUTES) {
        world->block(world, program->ns);
        if (program->state == PROGRAM_LEFT)
            return;
        struct wire_time time = {.now = world->now(world)};
        program->state = PROGRAM_RUNS;
        program_answer(program, &time, WIRE_TIME, sizeof time);
        return;
    }
    size_t n = world->wait(world, program->until, happened, program->max);
    for (size_t i = 0; i < n; i++)
        if (!(happened[i].parts & WORLD_INTERRUPT))
            answer_translate(&happened[i]);
    if (program->state != PROGRAM_LEFT)
        answer_happened(program, happened, n);
}

/* ---- Several ------------------------------------------------------------------------------------------------- */

/* Keeps a completion for its program: the world's bytes are gone with the next wait. */
static void keep(struct program *program, const struct world_completion *completion)
{
    if (program->state == PROGRAM_LEFT)
        return;
    if (program->unread_bytes + completion->size > MOST_UNREAD) {
        program_leave(program, "limit", "more has come for it while it computed than the judge keeps");
        return;
    }
    if (program->unread_count == program->unread_room) {
        size_t room = program->unread_room ? 2 * program->unread_room : 16;
        struct unread *more = realloc(program->unread, room * sizeof *more);
        if (more) {
            program->unread = more;
            program->unread_room = room;
        }
    }
    char *data = malloc(completion->size ? completion->size : 1);
    if (!data || program->unread_count == program->unread_room) {
        free(data);
        program->judge->failed = "out of memory";
        program_leave(program, "limit", "the judge is out of memory");
        return;
    }
    if (completion->size)
        memcpy(data, completion->data, completion->size);
    struct unread *unread = &program->unread[program->unread_count++];
    *unread = (struct unread){*completion, data};
    unread->completion.data = data;
    program->unread_bytes += completion->size;
}

/* A person asks all of them to end. */
static void keep_for_all(struct judge *judge, const struct world_completion *completion)
{
    for (size_t i = 0; i < judge->count; i++)
        keep(&judge->programs[i], completion);
}

/* Hands over as much of what was kept as the program takes. */
static void hand_over(struct program *program)
{
    struct world_completion happened[WIRE_AT_ONCE] = {{0}};
    size_t n = program->unread_count < program->max ? program->unread_count : program->max;
    for (size_t i = 0; i < n; i++)
        happened[i] = program->unread[i].completion;
    answer_happened(program, happened, n);
    for (size_t i = 0; i < n; i++) {
        program->unread_bytes -= program->unread[i].completion.size;
        free(program->unread[i].data);
    }
    program->unread_count -= n;
    memmove(program->unread, program->unread + n, program->unread_count * sizeof *program->unread);
}

/* Lets go on who has something, or whose time has come; all, if nothing will ever happen. */
static bool wake(struct judge *judge, bool all)
{
    int64_t now = judge->world->now(judge->world);
    bool any = false;
    for (size_t i = 0; i < judge->count; i++) {
        struct program *program = &judge->programs[i];
        bool up = all || now >= program->until;
        if (program->state == PROGRAM_WAITS && (up || program->unread_count > 0)) {
            hand_over(program);
            any = true;
        } else if (program->state == PROGRAM_COMPUTES && up) {
            struct wire_time time = {.now = now};
            program->state = PROGRAM_RUNS;
            program_answer(program, &time, WIRE_TIME, sizeof time);
            any = true;
        }
    }
    return any;
}

/* Until when the world may let time pass: the first one's `until`. False: all have left. */
static bool earliest(const struct judge *judge, int64_t *until)
{
    bool any = false;
    *until = INT64_MAX;
    for (size_t i = 0; i < judge->count; i++) {
        const struct program *program = &judge->programs[i];
        if (program->state == PROGRAM_LEFT)
            continue;
        any = true;
        *until = program->until < *until ? program->until : *until;
    }
    return any;
}

static void pass_for_all(struct judge *judge)
{
    struct world_completion happened[WIRE_AT_ONCE];
    struct co_world *world = judge->world;
    int64_t until;
    while (!wake(judge, false) && earliest(judge, &until)) {
        bool for_ever = until == INT64_MAX;
        size_t n, total = 0;
        do {
            n = world->wait(world, until, happened, WIRE_AT_ONCE);
            for (size_t i = 0; i < n; i++)
                if (happened[i].parts & WORLD_INTERRUPT)
                    keep_for_all(judge, &happened[i]);
                else
                    keep(answer_translate(&happened[i]), &happened[i]);
            total += n;
            until = world->now(world);  /* the rest of the same instant */
        } while (n == WIRE_AT_ONCE);
        if (for_ever && total == 0) {
            wake(judge, true);
            return;
        }
    }
}

void clock_pass(struct judge *judge)
{
    if (judge->count == 1)
        pass_for_one(judge, &judge->programs[0]);
    else
        pass_for_all(judge);
}
