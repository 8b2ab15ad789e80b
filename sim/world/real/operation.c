/* operation.c - what submit asked for, and what of it is to be handed over.
 *
 * Those that have something to hand over stand in a line; wait takes from its front. What more comes for one that
 * stands there joins it, but the end of one goes to the back: who is over first is told first, and times never fall.
 */
#include "real.h"

#include <assert.h>
#include <stdlib.h>

struct operation *rw_operation_new(struct real *world, const struct world_request *request, size_t size)
{
    struct operation *operation = calloc(1, size);
    if (!operation || !rw_table_put(&world->operations, world->last_id + 1, operation)) {
        free(operation);
        return NULL;
    }
    operation->id = ++world->last_id;
    operation->user = request->user;
    operation->kind = request->op;
    world->pending++;
    return operation;
}

/* Frees what it has of its own, besides itself. */
static void forget(struct operation *operation)
{
    if (operation->kind == WORLD_HTTP)
        rw_http_forget((struct exchange *)operation);
    else if (operation->kind == WORLD_FILE)
        rw_file_forget((struct access *)operation);
    else if (operation->kind == WORLD_DATABASE)
        rw_query_forget((struct query *)operation);
    else if (operation->kind == WORLD_SOCKET)
        rw_dial_forget((struct dial *)operation);
}

static void free_one(struct operation *operation)
{
    forget(operation);
    free(operation);
}

void rw_operation_undo(struct real *world, struct operation *operation)
{
    rw_table_remove(&world->operations, operation->id);
    world->pending--;
    free_one(operation);
}

/* ---- The line ---------------------------------------------------------------------------------- */

static void line_up(struct real *world, struct operation *operation)
{
    operation->offered = true;
    operation->next = NULL;
    operation->prev = world->last;
    if (world->last)
        world->last->next = operation;
    else
        world->first = operation;
    world->last = operation;
}

static void step_out(struct real *world, struct operation *operation)
{
    if (operation->prev)
        operation->prev->next = operation->next;
    else
        world->first = operation->next;
    if (operation->next)
        operation->next->prev = operation->prev;
    else
        world->last = operation->prev;
    operation->offered = false;
    operation->next = operation->prev = NULL;
}

void rw_operation_offer(struct real *world, struct operation *operation)
{
    if (operation->offered)
        return;
    operation->t = rw_now(world);
    line_up(world, operation);
    if (world->polling)
        uv_stop(&world->loop);      /* libuv runs timers first, and would then wait, though there is something now */
}

void rw_operation_end(struct real *world, struct operation *operation, int32_t rc)
{
    assert(!operation->over);
    operation->over = true;
    operation->rc = rc;
    world->pending--;
    if (operation->offered)
        step_out(world, operation);
    rw_operation_offer(world, operation);
}

/* ---- Handing over -------------------------------------------------------------------------------- */

static void retire(struct real *world, struct operation *operation)
{
    operation->handed = true;
    rw_table_remove(&world->operations, operation->id);
    if (operation->at_work)
        return;                     /* whoever is done with it frees it */
    operation->next = world->retired;
    world->retired = operation;
}

void rw_operation_release(struct real *world, struct operation *operation)
{
    operation->at_work = false;
    if (operation->handed) {
        operation->next = world->retired;
        world->retired = operation;
    }
}

static void give(struct operation *operation, struct world_completion *out)
{
    *out = (struct world_completion){.id = operation->id, .user = operation->user, .t = operation->t};
    if (operation->kind == WORLD_HTTP) {
        rw_http_give((struct exchange *)operation, out);
        return;
    }
    if (operation->kind == WORLD_SOCKET) {
        rw_dial_give((struct dial *)operation, out);
        return;
    }
    out->parts = WORLD_END;
    out->rc = operation->rc;
    if (operation->kind == WORLD_FILE)
        rw_file_give((struct access *)operation, out);
    if (operation->kind == WORLD_DATABASE)
        rw_query_give((struct query *)operation, out);
}

size_t rw_operations_take(struct real *world, struct world_completion out[], size_t max)
{
    size_t n = 0;
    if (world->interrupted && n < max) {
        world->interrupted = false;
        out[n++] = (struct world_completion){.t = rw_now(world), .parts = WORLD_INTERRUPT};
    }
    while (n < max && world->first) {
        struct operation *operation = world->first;
        step_out(world, operation);
        give(operation, &out[n]);
        if (out[n].parts & WORLD_END)
            retire(world, operation);
        n += out[n].parts != 0;
    }
    return n;
}

void rw_operations_recycle(struct real *world)
{
    for (struct operation *operation; (operation = world->retired);) {
        world->retired = operation->next;
        free_one(operation);
    }
}

void rw_operations_free(struct real *world)
{
    rw_operations_recycle(world);
    for (size_t i = 0; world->operations.slots && i <= world->operations.mask; i++)
        if (world->operations.slots[i].number)
            free_one(world->operations.slots[i].thing);
    rw_table_free(&world->operations);
}
