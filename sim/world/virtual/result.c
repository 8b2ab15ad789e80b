/* result.c - what has reached the program, until wait hands it over. */
#include "access.h"
#include "exchange.h"
#include "virtual.h"
#include "wire.h"

#include <assert.h>

static struct result *result_at(const struct results *results, uint64_t number)
{
    return &results->ring[number & results->mask];
}

static struct result *add(struct world *world, struct operation *operation)
{
    struct results *results = &world->results;
    assert(results->next - results->first <= results->mask);
    operation->newest = results->next++;
    struct result *result = result_at(results, operation->newest);
    *result = (struct result){.operation = operation, .t = world->now};
    return result;
}

static bool is_newest_of_all(const struct world *world, const struct operation *operation)
{
    return operation->newest >= world->results.first && operation->newest == world->results.next - 1;
}

/* The operation's result that was not handed over yet, to which more can be added; else a new one. Its time
 * stays as it is where later results follow, so that times never fall from one completion to the next. */
static struct result *open_result(struct world *world, struct operation *operation)
{
    assert(!operation->ended);
    if (operation->newest < world->results.first)
        return add(world, operation);
    struct result *result = result_at(&world->results, operation->newest);
    if (is_newest_of_all(world, operation))
        result->t = world->now;
    return result;
}

void vw_result_part(struct world *world, struct operation *operation, uint32_t part)
{
    if (!operation->ended)
        open_result(world, operation)->parts |= part;
}

CO_HOT void vw_result_head(struct world *world, struct exchange *exchange)
{
    open_result(world, &exchange->operation)->parts |= WORLD_HEAD;
}

CO_HOT void vw_result_body(struct world *world, struct exchange *exchange, int64_t from, int64_t to)
{
    struct result *result = open_result(world, &exchange->operation);
    if (!(result->parts & WORLD_BODY))
        result->from = from;
    result->parts |= WORLD_BODY;
    result->to = to;
}

/* The end joins what was not handed over only if nothing else happened since: who ended first is told first. */
CO_HOT void vw_result_end(struct world *world, struct operation *operation, int32_t rc)
{
    assert(!operation->ended);
    struct result *result = is_newest_of_all(world, operation) ? open_result(world, operation) : add(world, operation);
    result->parts |= WORLD_END;
    result->rc = rc;
    operation->ended = true;
}

/* Adds as much of the body as one piece may hold. */
static void give_body(const struct network *network, const struct exchange *exchange, struct result *result,
                      struct world_completion *out)
{
    const struct answer *answer = exchange->answer;
    int64_t length = result->to - result->from;
    if (exchange->route && length > exchange->route->chunk)
        length = exchange->route->chunk;
    if (answer->patterned && length > VW_BLOCK)
        length = VW_BLOCK;
    if (answer->patterned)
        out->data = network->pattern + (result->from + answer->phase) % VW_PATTERN;
    else if (!out->data)
        out->data = answer->bytes + answer->head + result->from;
    out->parts |= WORLD_BODY;
    out->size += (size_t)length;
    result->from += length;
    if (result->from == result->to)
        result->parts &= ~(uint32_t)WORLD_BODY;
}

static void give_found(const struct access *access, struct world_completion *out)
{
    if (!access->found)
        return;
    out->parts |= WORLD_BODY;
    out->data = access->found;
    out->size = access->found_size;
}

/* The head first, then what came behind it. */
static void give_socket(struct socket *socket, struct result *result, struct world_completion *out)
{
    uint32_t given = result->parts & WORLD_HEAD ? (uint32_t)WORLD_HEAD : WORLD_BODY | WORLD_INTERRUPT;
    vw_socket_give(socket, result->parts & given, out);
    result->parts &= ~given;
}

/* Hands over the next piece of a result; what is left of it stays in result->parts. */
static void give(const struct network *network, struct result *result, struct world_completion *out)
{
    struct operation *operation = result->operation;
    const struct exchange *exchange = operation->kind == WORLD_HTTP ? (const struct exchange *)operation : NULL;
    *out = (struct world_completion){.id = operation->id, .user = operation->user, .t = result->t};
    if (operation->kind == WORLD_SOCKET && result->parts & ~(uint32_t)WORLD_END) {
        give_socket((struct socket *)operation, result, out);
    } else if (result->parts & WORLD_HEAD) {
        out->parts |= WORLD_HEAD;
        out->status = exchange->answer->status;
        out->head = exchange->answer->head;
        out->data = exchange->answer->bytes;
        out->size = out->head;
        result->parts &= ~(uint32_t)WORLD_HEAD;
        if ((result->parts & WORLD_BODY) && exchange->answer->patterned)
            return;   /* the pattern does not lie behind the headers: it needs a completion of its own */
    }
    if (result->parts & WORLD_BODY && operation->kind != WORLD_SOCKET)
        give_body(network, exchange, result, out);
    if (result->parts == WORLD_END) {
        out->parts |= exchange && exchange->closed ? WORLD_END | WORLD_CLOSES : WORLD_END;
        out->rc = result->rc;
        out->cpu = exchange ? vw_exchange_cpu(exchange, result->rc) : 0;
        result->parts = 0;
        if (operation->kind == WORLD_FILE)
            give_found((const struct access *)operation, out);
        if (operation->kind == WORLD_DATABASE)
            vw_query_give((const struct query *)operation, out);
    }
}

CO_HOT size_t vw_results_take(struct world *world, struct world_completion out[], size_t max)
{
    struct results *results = &world->results;
    size_t n = 0;
    while (n < max && results->first < results->next) {
        struct result *result = result_at(results, results->first);
        give(&world->network, result, &out[n]);
        if (out[n++].parts & WORLD_END)
            vw_operation_retire(world, result->operation);
        if (result->parts == 0)
            results->first++;
    }
    return n;
}
