/* real.c - the real world's five calls: libuv waits, and what happens is handed over. */
#define _GNU_SOURCE
#include "real.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POLL_PAUSE = 50000 };    /* ns: while tasks are ready, libuv is asked no more often than this */

/* ---- Time ---------------------------------------------------------------------------------- */

/* libuv reads the machine's own clock; the program's clock_gettime is caught at
 * link time (blocking.c), and may ask us. */
int64_t rw_now(const struct real *world)
{
    return (int64_t)(uv_hrtime() - world->begin);
}

static int64_t real_now(struct co_world *calls)
{
    return rw_now((const struct real *)calls);
}

static bool is_ours(const struct real *world)
{
    uv_thread_t self = uv_thread_self();
    return uv_thread_equal(&self, &world->thread);
}

/* Burns the time, whatever else this machine's CPUs have to do: what takes 10 ms in the virtual world takes 10 ms here.
 * (The CPUs of a served world may be more than this machine has: there most of it is slept through.) */
static void real_block(struct co_world *calls, int64_t ns)
{
    struct real *world = (struct real *)calls;
    int64_t begin = rw_now(world), until = ns < INT64_MAX - begin ? begin + ns : INT64_MAX;
    if (ns <= 0)
        return;
    if (world->trace && is_ours(world)) {
        rw_trace(world, "cpu.block", 0);
        trace_int(world->trace, "ns", ns);
        trace_end(world->trace);
    }
    rw_served_rest(world, until);
    while (rw_now(world) < until)
        ;
}

/* Sees to what is there; with `wait`, until something is, or the alarm goes off. */
static void poll_once(struct real *world, bool wait)
{
    rw_watch_wait(world, wait && !world->http.due);
    rw_sessions_reap(world);
    rw_http_begin(world);
    world->polled = rw_now(world);
}

static size_t real_wait(struct co_world *calls, int64_t until, struct world_completion out[], size_t max)
{
    struct real *world = (struct real *)calls;
    size_t n = 0;
    if (!is_ours(world) || max == 0)
        return 0;
    rw_operations_recycle(world);
    rw_http_begin(world);
    while ((n = rw_operations_take(world, out, max)) == 0 && (n = rw_served_take(world, out, max)) == 0) {
        int64_t now = rw_now(world);
        bool up = now >= until;
        if (until == INT64_MAX && world->pending == 0)
            return 0;
        if (up && now - world->polled < POLL_PAUSE)
            return 0;
        if (!up)
            rw_alarm_set(world, until < rw_served_next(world) ? until : rw_served_next(world));
        poll_once(world, !up);
    }
    return n;
}

/* ---- Operations ---------------------------------------------------------------------------- */

struct trace *rw_trace(const struct real *world, const char *ev, uint64_t op)
{
    if (!world->trace)
        return NULL;
    trace_begin(world->trace, rw_now(world), TRACE_WORLD, ev);
    if (op)
        trace_int(world->trace, "op", (int64_t)op);
    return world->trace;
}

static void report(struct real *world, const struct world_request *request)
{
    const char *name = request->data;
    struct trace *trace = rw_trace(world, "report", 0);
    if (!trace)
        return;
    trace_str(trace, "name", name, request->lengths[0]);
    trace_json(trace, "value", name + request->lengths[0], request->lengths[1]);
    trace_end(trace);
}

static struct operation *find(struct real *world, uint64_t id)
{
    struct operation *operation = rw_table_find(&world->operations, id);
    return operation && !operation->handed ? operation : NULL;
}

static uint64_t http_read(struct real *world, const struct world_request *request)
{
    struct operation *operation = find(world, request->id);
    if (operation && operation->kind == WORLD_HTTP)
        rw_http_read(world, (struct exchange *)operation, request->count);
    return request->id;
}

static uint64_t real_submit(struct co_world *calls, const struct world_request *request)
{
    struct real *world = (struct real *)calls;
    if (!is_ours(world))
        return 0;                   /* a worker's job has nothing to ask for */
    switch (request->op) {
    case WORLD_HTTP: return rw_http_submit(world, request);
    case WORLD_JOB: return rw_job_submit(world, request);
    case WORLD_FILE: return world->served.disk ? rw_served_submit(world, request) : rw_file_submit(world, request);
    case WORLD_HTTP_READ: return http_read(world, request);
    case WORLD_SOCKET: return rw_dial_submit(world, request);
    case WORLD_DATABASE: return rw_query_submit(world, request);
    case WORLD_REPORT: report(world, request); break;
    case WORLD_SESSION_CLOSE: rw_session_close(world, request->session); break;
    case WORLD_FINISH:
        if (world->served.disk)
            rw_served_submit(world, request);
        rw_files_trace(world);
        break;
    }
    return ++world->last_id;
}

static void real_cancel(struct co_world *calls, uint64_t id)
{
    struct real *world = (struct real *)calls;
    struct operation *operation = find(world, id);
    if (rw_served_cancel(world, id) || !operation || operation->over)
        return;
    if (operation->kind == WORLD_HTTP)
        rw_http_cancel(world, (struct exchange *)operation);
    else if (operation->kind == WORLD_FILE)
        rw_file_cancel(world, (struct access *)operation);
    else if (operation->kind == WORLD_SOCKET)
        rw_dial_cancel(world, (struct dial *)operation);
    else if (operation->kind == WORLD_DATABASE)
        rw_query_cancel(world, (struct query *)operation);
    else
        rw_job_cancel(world, (struct job *)operation);
}

/* ---- Opening and closing ------------------------------------------------------------------- */

static void on_wake(uv_async_t *wake)
{
    struct real *world = wake->data;
    rw_jobs_news(world);
    if (rw_interrupt_asked(world))
        world->interrupted = true;
}

/* libuv frees a handle's slot when its close has come round; what works for us in a thread comes back, too. */
static void real_close(struct co_world *calls)
{
    struct real *world = (struct real *)calls;
    rw_interrupt_close(world);
    rw_served_close(world);
    rw_jobs_close(world);
    rw_databases_close(world);
    rw_dials_close(world);
    rw_http_close(world);
    rw_alarm_close(world);
    uv_close((uv_handle_t *)&world->wake, NULL);
    while (uv_run(&world->loop, UV_RUN_DEFAULT) != 0)
        ;
    rw_files_close(world);
    rw_operations_free(world);
    rw_sockets_free(world);
    uv_loop_close(&world->loop);
    rw_watch_close(world);
    curl_global_cleanup();
    free(world);
}

static struct co_world *fail(char *error, size_t size, const char *what, const char *why)
{
    snprintf(error, size, "the real world: %s: %s", what, why);
    return NULL;
}

struct co_world *world_real_open(struct trace *trace, char *error, size_t size)
{
    struct real *world = calloc(1, sizeof *world);
    if (!world)
        return fail(error, size, "libuv", "out of memory");
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(world);
        return fail(error, size, "libcurl", "cannot start");
    }
    int rc = uv_loop_init(&world->loop);
    if (rc < 0) {
        curl_global_cleanup();
        free(world);
        return fail(error, size, "libuv", uv_strerror(rc));
    }
    world->calls = (struct co_world){real_now, real_submit, real_cancel, real_wait, real_block, real_close,
                                     .live = true};
    world->loop.data = world;
    world->trace = trace;
    world->thread = uv_thread_self();
    world->begin = uv_hrtime();
    world->wake.data = world;
    if (uv_async_init(&world->loop, &world->wake, on_wake) < 0 || !rw_watch_open(world) || !rw_alarm_open(world)
        || !rw_jobs_open(world) || !rw_http_open(world)) {
        fail(error, size, "libuv and libcurl", "no memory, threads or descriptors left");
        abort();
    }
    rw_interrupt_open(world);
    if (!rw_served_open(world, error, size)) {
        real_close(&world->calls);
        return NULL;
    }
    return &world->calls;
}
