/* job.c - functions that run on workers, beside the loop.
 *
 * There is one thread. When a worker is free for a job, its function is called there and then, from within wait (or
 * block, when its turn comes while the loop is busy), and what it blocks is added up: the worker's clock runs ahead of
 * the world's. The job ends when the world's clock gets there.
 */
#include "job.h"
#include "virtual.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* ---- Crews --------------------------------------------------------------------------------- */

static bool open_crew(struct crew *crew, uint32_t pool, uint32_t workers)
{
    *crew = (struct crew){.pool = pool, .workers = workers, .busy = calloc(workers, sizeof *crew->busy)};
    return crew->busy != NULL;
}

bool vw_jobs_open(struct jobs *jobs, uint32_t cpus)
{
    return open_crew(&jobs->cpus, 0, cpus);
}

/* The crew of that pool, which is made if it has no job yet. NULL: no memory. */
static struct crew *crew_of(struct jobs *jobs, uint32_t pool, uint32_t workers)
{
    if (pool == 0)
        return &jobs->cpus;
    struct crew *crew = jobs->pools;
    while (crew && crew->pool != pool)
        crew = crew->next;
    if (crew)
        return crew;
    crew = malloc(sizeof *crew);
    if (!crew || !open_crew(crew, pool, workers ? workers : 1)) {
        free(crew);
        return NULL;
    }
    crew->next = jobs->pools;
    jobs->pools = crew;
    return crew;
}

static void free_if_idle(struct jobs *jobs, struct crew *crew)
{
    if (crew == &jobs->cpus || crew->working > 0)
        return;
    struct crew **at = &jobs->pools;
    while (*at != crew)
        at = &(*at)->next;
    *at = crew->next;
    free(crew->busy);
    free(crew);
}

void vw_jobs_free(struct jobs *jobs)
{
    while (jobs->pools) {
        struct crew *crew = jobs->pools;
        jobs->pools = crew->next;
        free(crew->busy);
        free(crew);
    }
    free(jobs->cpus.busy);
}

/* The free worker with the lowest number, now taken; 0: none. */
static uint32_t take_worker(struct crew *crew)
{
    if (crew->working == crew->workers)
        return 0;
    uint32_t i = 0;
    while (crew->busy[i])
        i++;
    crew->busy[i] = true;
    crew->working++;
    return i + 1;
}

/* Gives the job's worker to the next job in line. */
static void release_worker(struct world *world, struct job *job)
{
    struct crew *crew = job->crew;
    struct job *next = (struct job *)vw_line_take(&crew->waiting);
    if (next) {
        next->worker = job->worker;
        vw_event_set(world, &next->operation, world->now);
    } else {
        crew->busy[job->worker - 1] = false;
        crew->working--;
        free_if_idle(&world->jobs, crew);
    }
    job->worker = 0;
    job->crew = NULL;
}

/* ---- Jobs ---------------------------------------------------------------------------------- */

static void trace_submit(const struct world *world, const struct job *job, const struct world_request *request)
{
    if (!world->trace)
        return;
    trace_begin(world->trace, world->now, TRACE_WORLD, "cpu.submit");
    trace_int(world->trace, "op", (int64_t)job->operation.id);
    if (job->crew->pool)
        trace_int(world->trace, "pool", job->crew->pool);
    trace_int(world->trace, "task", request->task);
    if (request->program)
        trace_int(world->trace, "program", request->program);
    trace_end(world->trace);
}

static void trace_job(const struct world *world, const char *ev, const struct job *job, const char *key, int64_t value)
{
    if (!world->trace)
        return;
    trace_begin(world->trace, world->now, TRACE_WORLD, ev);
    trace_int(world->trace, "op", (int64_t)job->operation.id);
    if (job->crew->pool)
        trace_int(world->trace, "pool", job->crew->pool);
    if (key)
        trace_int(world->trace, key, value);
    if (job->begun && !key) {
        trace_int(world->trace, "rc", job->rc);
        trace_int(world->trace, "ns", job->cost);
        if (job->calls > 1)
            trace_int(world->trace, "calls", (int64_t)job->calls);
    }
    trace_end(world->trace);
}

uint64_t vw_job_submit(struct world *world, const struct world_request *request)
{
    struct job *job = (struct job *)vw_operation_new(world, WORLD_JOB, request);
    if (!job)
        return 0;
    job->crew = crew_of(&world->jobs, request->pool, request->workers);
    if (!job->crew) {
        vw_operation_undo(world, &job->operation);
        return 0;
    }
    job->fn = (int (*)(void *))(uintptr_t)request->fn;
    job->argument = (void *)(uintptr_t)request->job;
    trace_submit(world, job, request);
    job->worker = take_worker(job->crew);
    if (job->worker)
        vw_event_set(world, &job->operation, world->now);   /* not here: submit completes nothing */
    else
        vw_line_add(&job->crew->waiting, &job->operation);
    return job->operation.id;
}

static void begin(struct world *world, struct job *job)
{
    job->begun = true;
    trace_job(world, "cpu.start", job, "worker", job->worker);
    assert(!world->jobs.running);
    world->jobs.running = job;
    job->rc = job->fn(job->argument);
    world->jobs.running = NULL;
    vw_event_set(world, &job->operation, vw_later(world->now, job->cost));
}

void vw_job_step(struct world *world, struct job *job)
{
    if (!job->begun) {
        begin(world, job);
        return;
    }
    trace_job(world, "cpu.end", job, NULL, 0);
    release_worker(world, job);
    vw_result_end(world, &job->operation, job->rc);
}

void vw_job_cancel(struct world *world, struct job *job)
{
    if (job->begun)
        return;
    trace_job(world, "cpu.cancelled", job, NULL, 0);
    vw_event_clear(world, &job->operation);
    if (job->operation.line)
        vw_line_remove(&job->operation);
    if (job->worker)
        release_worker(world, job);
    vw_result_end(world, &job->operation, -ECANCELED);
}
