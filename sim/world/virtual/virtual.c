/* virtual.c - the virtual world's five calls: time jumps from one event to the next. */
#include "access.h"
#include "connection.h"
#include "exchange.h"
#include "virtual.h"
#include "world_file.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- Time ---------------------------------------------------------------------------------- */

/* Lets everything happen that is due by `until`, each at its own time. Stops at the first instant that gave a result,
 * when all of that instant has happened, if `stop_at_result`. */
static void pass(struct world *world, int64_t until, bool stop_at_result)
{
    const struct events *events = &world->events;
    while (events->count > 0 && events->heap[0].time <= until) {
        if (stop_at_result && world->results.first < world->results.next && events->heap[0].time > world->now)
            return;
        assert(events->heap[0].time >= world->now);
        world->now = events->heap[0].time;
        struct operation *operation = vw_event_take(world);
        if (operation->kind == WORLD_HTTP)
            vw_exchange_step(world, (struct exchange *)operation);
        else if (operation->kind == WORLD_FILE)
            vw_access_step(world, (struct access *)operation);
        else if (operation->kind == WORLD_SOCKET)
            vw_socket_step(world, (struct socket *)operation);
        else if (operation->kind == WORLD_DATABASE)
            vw_query_step(world, (struct query *)operation);
        else
            vw_job_step(world, (struct job *)operation);
    }
}

CO_HOT static int64_t world_now(struct co_world *calls)
{
    const struct world *world = (const struct world *)calls;
    return world->jobs.running ? vw_later(world->now, world->jobs.running->cost) : world->now;
}

static void world_block(struct co_world *calls, int64_t ns)
{
    struct world *world = (struct world *)calls;
    if (ns <= 0)
        return;
    if (world->jobs.running) {
        world->jobs.running->cost = vw_later(world->jobs.running->cost, ns);
        world->jobs.running->calls++;
        return;
    }
    if (world->trace) {
        trace_begin(world->trace, world->now, TRACE_WORLD, "cpu.block");
        trace_int(world->trace, "ns", ns);
        trace_end(world->trace);
    }
    int64_t until = vw_later(world->now, ns);
    pass(world, until, false);
    world->now = until;
}

CO_HOT static size_t world_wait(struct co_world *calls, int64_t until, struct world_completion out[], size_t max)
{
    struct world *world = (struct world *)calls;
    if (world->jobs.running)
        return 0;   /* a job cannot wait: the rest of the world stands still until it returns */
    vw_operations_recycle(world);
    if (until < world->now)
        until = world->now;
    int64_t before = world->now;
    pass(world, until, true);
    size_t n = vw_results_take(world, out, max);
    bool nothing_came = n == 0 && (max > 0 || world->results.first == world->results.next);
    if (nothing_came)           /* what servers do for nobody is not heard of */
        world->now = until != INT64_MAX ? until : before;
    return n;
}

/* ---- Operations ---------------------------------------------------------------------------- */

static void report(struct world *world, const struct world_request *request)
{
    assert((uint64_t)request->lengths[0] + request->lengths[1] <= request->size);
    const char *name = request->data;
    trace_begin(world->trace, world->now, TRACE_WORLD, "report");
    if (request->program)
        trace_int(world->trace, "program", request->program);
    trace_str(world->trace, "name", name, request->lengths[0]);
    trace_json(world->trace, "value", name + request->lengths[0], request->lengths[1]);
    trace_end(world->trace);
}

static uint64_t http_read(struct world *world, const struct world_request *request)
{
    struct operation *operation = vw_operation_find(world, request->id);
    if (operation && operation->kind == WORLD_HTTP)
        vw_exchange_read(world, (struct exchange *)operation, request->count);
    return request->id;
}

CO_HOT static uint64_t world_submit(struct co_world *calls, const struct world_request *request)
{
    struct world *world = (struct world *)calls;
    switch (request->op) {
    case WORLD_HTTP: return vw_exchange_submit(world, request);
    case WORLD_JOB: return vw_job_submit(world, request);
    case WORLD_REPORT:
        if (world->trace)
            report(world, request);
        break;
    case WORLD_SESSION_CLOSE: vw_session_close(world, request->session); break;
    case WORLD_FILE: return vw_access_submit(world, request);
    case WORLD_FINISH:
        vw_disk_trace(world);
        vw_databases_trace(world);
        break;
    case WORLD_DATABASE: return vw_query_submit(world, request);
    case WORLD_SOCKET: return vw_socket_submit(world, request);
    case WORLD_HTTP_READ: return http_read(world, request);
    }
    return ++world->operations.last_id;
}

static void world_cancel(struct co_world *calls, uint64_t id)
{
    struct world *world = (struct world *)calls;
    struct operation *operation = vw_operation_find(world, id);
    if (!operation || operation->ended)
        return;
    if (operation->kind == WORLD_HTTP)
        vw_exchange_cancel(world, (struct exchange *)operation);
    else if (operation->kind == WORLD_FILE)
        vw_access_cancel(world, (struct access *)operation);
    else if (operation->kind == WORLD_SOCKET)
        vw_socket_cancel(world, (struct socket *)operation);
    else if (operation->kind == WORLD_DATABASE)
        vw_query_cancel(world, (struct query *)operation);
    else
        vw_job_cancel(world, (struct job *)operation);
}

/* ---- Opening and closing ------------------------------------------------------------------- */

static void world_close(struct co_world *calls)
{
    struct world *world = (struct world *)calls;
    vw_operations_free(world);
    for (size_t i = 0; i < world->network.site_count; i++)
        vw_pools_free(&world->network.sites[i]);
    vw_network_free(&world->network);
    vw_disk_free(&world->disk);
    vw_databases_free(&world->databases);
    vw_jobs_free(&world->jobs);
    vw_guests_free(&world->guests);
    free(world);
}

struct co_world *world_virtual_open(const char *path, uint64_t seed, struct trace *trace, struct tape *tape,
                                    char *error, size_t size)
{
    struct description description;
    if (!vw_file_read(&description, path, error, size))
        return NULL;
    struct world *world = calloc(1, sizeof *world);
    if (world)
        world->guests = description.guests;
    if (!world || !vw_guests_open(world) || !vw_jobs_open(&world->jobs, (uint32_t)description.cpus)) {
        snprintf(error, size, "%s: out of memory", path ? path : "the empty world");
        vw_network_free(&description.network);
        vw_disk_free(&description.disk);
        vw_databases_free(&description.databases);
        vw_guests_free(world ? &world->guests : &description.guests);
        if (world)
            vw_operations_free(world);
        free(world);
        return NULL;
    }
    world->calls = (struct co_world){world_now, world_submit, world_cancel, world_wait, world_block, world_close,
                                     .live = false};
    world->seed = seed ? seed : description.seed;
    world->trace = trace;
    world->tape = tape;
    world->network = description.network;
    world->disk = description.disk;
    world->databases = description.databases;
    world->results.first = world->results.next = 1;
    return &world->calls;
}

bool world_virtual_socket(struct co_world *calls, bool opens)
{
    struct world *world = (struct world *)calls;
    if (opens && !vw_has_descriptor(world))
        return false;
    world->network.sockets += opens ? 1 : -1;
    return true;
}

int64_t world_virtual_next(const struct co_world *calls)
{
    const struct world *world = (const struct world *)calls;
    return world->events.count > 0 ? world->events.heap[0].time : INT64_MAX;
}
