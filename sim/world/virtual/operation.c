/* operation.c - what submit asked for: found by id, kept in lines, used again. */
#include "access.h"
#include "connection.h"
#include "exchange.h"
#include "job.h"
#include "virtual.h"
#include "wire.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- Lines --------------------------------------------------------------------------------- */

void vw_line_add(struct line *line, struct operation *operation)
{
    assert(!operation->line);
    operation->line = line;
    operation->next = NULL;
    operation->prev = line->last;
    if (line->last)
        line->last->next = operation;
    else
        line->first = operation;
    line->last = operation;
    line->length++;
}

void vw_line_remove(struct operation *operation)
{
    struct line *line = operation->line;
    assert(line && line->length > 0);
    if (operation->prev)
        operation->prev->next = operation->next;
    else
        line->first = operation->next;
    if (operation->next)
        operation->next->prev = operation->prev;
    else
        line->last = operation->prev;
    line->length--;
    operation->line = NULL;
    operation->next = operation->prev = NULL;
}

CO_HOT struct operation *vw_line_take(struct line *line)
{
    struct operation *first = line->first;
    if (first)
        vw_line_remove(first);
    return first;
}

/* ---- The table ----------------------------------------------------------------------------- */

/* Where the search for an id begins. Ids come in a row: scattered, they leave gaps at which a search can end. */
static size_t home_of(uint64_t id, size_t mask)
{
    return (size_t)((id * 0x9E3779B97F4A7C15u) >> 32) & mask;
}

static void enter(struct operation **slots, size_t mask, struct operation *operation)
{
    size_t at = home_of(operation->id, mask);
    while (slots[at])
        at = (at + 1) & mask;
    slots[at] = operation;
}

/* Where the operation of that id lies, or the free slot at which the search ended. */
static size_t slot_of(const struct operations *operations, uint64_t id)
{
    size_t at = home_of(id, operations->mask);
    while (operations->slots[at] && operations->slots[at]->id != id)
        at = (at + 1) & operations->mask;
    return at;
}

struct operation *vw_operation_find(const struct world *world, uint64_t id)
{
    const struct operations *operations = &world->operations;
    return operations->slots ? operations->slots[slot_of(operations, id)] : NULL;
}

/* Empties a slot. Those behind it that were displaced move up, so that a search never meets a gap. */
static void empty(struct operations *operations, size_t gap)
{
    size_t mask = operations->mask;
    for (size_t at = (gap + 1) & mask; operations->slots[at]; at = (at + 1) & mask) {
        size_t home = home_of(operations->slots[at]->id, mask);
        if (((at - home) & mask) >= ((at - gap) & mask)) {
            operations->slots[gap] = operations->slots[at];
            gap = at;
        }
    }
    operations->slots[gap] = NULL;
}

/* ---- Room ---------------------------------------------------------------------------------- */

/* Doubles the room in the table, the heap (one event an operation) and the ring (two results each). */
static bool grow(struct world *world)
{
    struct operations *operations = &world->operations;
    struct results *results = &world->results;
    size_t room = operations->room ? 2 * operations->room : 16, slot_count = 2 * room, ring_size = 2 * room;
    struct event *heap = realloc(world->events.heap, room * sizeof *heap);
    if (heap)
        world->events.heap = heap;
    struct operation **slots = calloc(slot_count, sizeof *slots);
    struct result *ring = malloc(ring_size * sizeof *ring);
    if (!heap || !slots || !ring) {
        free(slots);
        free(ring);
        return false;
    }
    for (size_t i = 0; operations->slots && i <= operations->mask; i++)
        if (operations->slots[i])
            enter(slots, slot_count - 1, operations->slots[i]);
    for (uint64_t n = results->first; n < results->next; n++)
        ring[n & (ring_size - 1)] = results->ring[n & results->mask];
    free(operations->slots);
    free(results->ring);
    operations->slots = slots;
    operations->mask = slot_count - 1;
    operations->room = room;
    results->ring = ring;
    results->mask = ring_size - 1;
    return true;
}

static struct operation **free_list(struct world *world, enum world_op kind)
{
    struct operations *operations = &world->operations;
    return kind == WORLD_SOCKET ? &operations->free_sockets
         : kind == WORLD_DATABASE ? &operations->free_queries
         : kind == WORLD_HTTP ? &operations->free_exchanges
         : kind == WORLD_FILE ? &operations->free_accesses : &operations->free_jobs;
}

CO_HOT struct operation *vw_operation_new(struct world *world, enum world_op kind, const struct world_request *request)
{
    struct operations *operations = &world->operations;
    if (operations->count == operations->room && !grow(world))
        return NULL;
    size_t size = kind == WORLD_HTTP ? sizeof(struct exchange) : kind == WORLD_FILE ? sizeof(struct access)
        : kind == WORLD_SOCKET ? sizeof(struct socket) : kind == WORLD_DATABASE ? sizeof(struct query)
        : sizeof(struct job);
    struct operation **list = free_list(world, kind), *operation = *list;
    if (operation)
        *list = operation->next;
    else if (!(operation = malloc(size)))
        return NULL;
    /* An exchange's last members are rarely needed, and written before they are read. */
    memset(operation, 0, kind == WORLD_HTTP ? offsetof(struct exchange, exception) : size);
    operation->id = ++operations->last_id;
    operation->user = request->user;
    operation->kind = kind;
    operations->count++;
    enter(operations->slots, operations->mask, operation);
    return operation;
}

CO_HOT void vw_operation_retire(struct world *world, struct operation *operation)
{
    struct operations *operations = &world->operations;
    operation->handed_over = true;
    if (operation->lives_on)
        return;
    assert(operation->ended && !operation->line && operation->place == 0);
    empty(operations, slot_of(operations, operation->id));
    operations->count--;
    operation->next = operations->retired;
    operations->retired = operation;
}

void vw_operation_undo(struct world *world, struct operation *operation)
{
    operation->ended = true;
    vw_operation_retire(world, operation);
}

/* Frees what an operation has of its own, besides itself. */
static void forget(struct operation *operation)
{
    if (operation->kind == WORLD_FILE)
        vw_access_forget((struct access *)operation);
    if (operation->kind == WORLD_DATABASE)
        vw_query_forget((struct query *)operation);
    if (operation->kind == WORLD_SOCKET)
        vw_socket_forget((struct socket *)operation);
    if (operation->kind == WORLD_HTTP && ((struct exchange *)operation)->echo) {
        free(((struct exchange *)operation)->echo);
        ((struct exchange *)operation)->echo = NULL;
    }
}

CO_HOT void vw_operations_recycle(struct world *world)
{
    struct operation *operation;
    while ((operation = world->operations.retired)) {
        struct operation **list = free_list(world, operation->kind);
        world->operations.retired = operation->next;
        forget(operation);
        operation->next = *list;
        *list = operation;
    }
}

static void free_one(struct operation *operation)
{
    if (operation)
        forget(operation);
    free(operation);
}

static void free_all(struct operation *operation)
{
    while (operation) {
        struct operation *next = operation->next;
        free_one(operation);
        operation = next;
    }
}

void vw_operations_free(struct world *world)
{
    struct operations *operations = &world->operations;
    for (size_t i = 0; operations->slots && i <= operations->mask; i++)
        free_one(operations->slots[i]);
    free_all(operations->retired);
    free_all(operations->free_exchanges);
    free_all(operations->free_jobs);
    free_all(operations->free_accesses);
    free_all(operations->free_queries);
    free_all(operations->free_sockets);
    free(operations->slots);
    free(world->events.heap);
    free(world->results.ring);
}
