/* job.c - functions that run on workers, beside the loop.
 *
 * There is one thread. When a worker is free for a job, its function is called there and then, from within wait (or block,
 * when its turn comes while the loop is busy), and what it blocks is added up: the worker's clock runs ahead of the
 * world's. The job ends when the world's clock gets there.
 */
#include "virtual.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

bool vw_cpus_open(struct cpus *cpus, int64_t count)
{
    cpus->count = count;
    cpus->busy = calloc((size_t)count, sizeof *cpus->busy);
    return cpus->busy != NULL;
}

/* The free worker with the lowest number, now taken; 0: none. */
static uint32_t take_worker(struct cpus *cpus)
{
    for (uint32_t i = 0; i < cpus->count; i++) {
        if (!cpus->busy[i]) {
            cpus->busy[i] = true;
            return i + 1;
        }
    }
    return 0;
}

/* Gives the job's worker to the next job in line. */
static void release_worker(struct world *world, struct job *job)
{
    struct job *next = (struct job *)vw_line_take(&world->cpus.waiting);
    if (next) {
        next->worker = job->worker;
        vw_event_set(world, &next->operation, world->now);
    } else {
        world->cpus.busy[job->worker - 1] = false;
    }
    job->worker = 0;
}

static void trace_job(const struct world *world, const char *ev, const struct job *job, const char *key, int64_t value)
{
    if (!world->trace)
        return;
    trace_begin(world->trace, world->now, TRACE_WORLD, ev);
    trace_int(world->trace, "op", (int64_t)job->operation.id);
    if (key)
        trace_int(world->trace, key, value);
    if (job->begun && !key) {
        trace_int(world->trace, "rc", job->rc);
        trace_int(world->trace, "ns", job->cost);
    }
    trace_end(world->trace);
}

uint64_t vw_job_submit(struct world *world, const struct world_request *request)
{
    struct job *job = (struct job *)vw_operation_new(world, WORLD_JOB, request);
    if (!job)
        return 0;
    job->fn = (int (*)(void *))(uintptr_t)request->fn;
    job->argument = (void *)(uintptr_t)request->job;
    trace_job(world, "cpu.submit", job, "task", request->task);
    job->worker = take_worker(&world->cpus);
    if (job->worker)
        vw_event_set(world, &job->operation, world->now);   /* not here: submit completes nothing */
    else
        vw_line_add(&world->cpus.waiting, &job->operation);
    return job->operation.id;
}

static void begin(struct world *world, struct job *job)
{
    job->begun = true;
    trace_job(world, "cpu.start", job, "worker", job->worker);
    assert(!world->cpus.running);
    world->cpus.running = job;
    job->rc = job->fn(job->argument);
    world->cpus.running = NULL;
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
