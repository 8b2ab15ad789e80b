/* job.c - workers: threads of this machine.
 *
 * A crew has so many workers, which bounds how many of its jobs run at a time; which thread plays a worker does not
 * matter, so the threads are common to all crews, and there are never more of them than jobs ran at a time. A thread
 * tells the loop that something is new, and the loop itself writes the trace and ends the job.
 */
#include "real.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct crew {
    struct crew *next;
    uint32_t pool, workers, working;
    struct job *first, *last;       /* those that wait for a worker */
    bool busy[];                    /* by worker                    */
};

/* ---- Crews, under the mutex ---------------------------------------------------------------------------- */

static struct crew *crew_of(struct jobs *jobs, uint32_t pool, uint32_t workers)
{
    if (pool == 0 || workers == 0)
        workers = pool == 0 ? jobs->cpus : 1;
    for (struct crew *crew = jobs->crews; crew; crew = crew->next)
        if (crew->pool == pool)
            return crew;
    struct crew *crew = calloc(1, sizeof *crew + workers * sizeof *crew->busy);
    if (!crew)
        return NULL;
    crew->pool = pool;
    crew->workers = workers;
    crew->next = jobs->crews;
    jobs->crews = crew;
    return crew;
}

/* A pool of which nobody works is forgotten: its next job makes it anew. */
static void free_idle_crews(struct jobs *jobs)
{
    for (struct crew **at = &jobs->crews, *crew; (crew = *at);) {
        if (crew->working > 0 || crew->first) {
            at = &crew->next;
            continue;
        }
        *at = crew->next;
        free(crew);
    }
}

static void append(struct job **first, struct job **last, struct job *job)
{
    job->next = NULL;
    if (*first)
        (*last)->next = job;
    else
        *first = job;
    *last = job;
}

static struct job *take(struct job **first)
{
    struct job *job = *first;
    if (job)
        *first = job->next;
    return job;
}

static void make_ready(struct jobs *jobs, struct job *job, uint32_t worker)
{
    job->worker = worker;
    append(&jobs->ready_first, &jobs->ready_last, job);
    jobs->ready_count++;
    uv_cond_signal(&jobs->changed);
}

/* The free worker with the lowest number begins with the job, or the job waits for one. */
static void assign(struct jobs *jobs, struct job *job)
{
    struct crew *crew = job->crew;
    if (crew->working == crew->workers) {
        append(&crew->first, &crew->last, job);
        return;
    }
    uint32_t i = 0;
    while (crew->busy[i])
        i++;
    crew->busy[i] = true;
    crew->working++;
    make_ready(jobs, job, i + 1);
}

/* The job's worker goes on with the next in line. */
static void free_worker(struct jobs *jobs, struct job *job)
{
    struct crew *crew = job->crew;
    struct job *next = take(&crew->first);
    if (next) {
        make_ready(jobs, next, job->worker);
        return;
    }
    crew->busy[job->worker - 1] = false;
    crew->working--;
}

/* ---- The threads ----------------------------------------------------------------------------------------- */

static void tell_loop(struct real *world, struct job *job)
{
    struct jobs *jobs = &world->jobs;
    if (!job->in_news)
        append(&jobs->news_first, &jobs->news_last, job);
    job->in_news = true;
    uv_async_send(&world->wake);
}

static void run(struct real *world, struct job *job)
{
    struct jobs *jobs = &world->jobs;
    job->begun = true;
    if (world->trace)
        tell_loop(world, job);
    uv_mutex_unlock(&jobs->mutex);
    int64_t begin = rw_now(world);
    int rc = job->fn(job->argument);
    int64_t cost = rw_now(world) - begin;
    uv_mutex_lock(&jobs->mutex);
    job->rc = rc;
    job->cost = cost;
    job->done = true;
    free_worker(jobs, job);
    tell_loop(world, job);
}

static void work(void *argument)
{
    struct real *world = argument;
    struct jobs *jobs = &world->jobs;
    uv_mutex_lock(&jobs->mutex);
    while (!jobs->stop) {
        struct job *job = take(&jobs->ready_first);
        if (job) {
            jobs->ready_count--;
            run(world, job);
            continue;
        }
        jobs->idle++;
        uv_cond_wait(&jobs->changed, &jobs->mutex);
        jobs->idle--;
    }
    uv_mutex_unlock(&jobs->mutex);
}

/* One more thread, if there are more jobs to be begun than threads without one. False: not a single one can be had. */
static bool hire(struct real *world)
{
    struct jobs *jobs = &world->jobs;
    if (jobs->idle >= jobs->ready_count)
        return true;
    uv_thread_t *threads = realloc(jobs->threads, (jobs->thread_count + 1) * sizeof *threads);
    if (threads) {
        jobs->threads = threads;
        jobs->thread_count += uv_thread_create(&threads[jobs->thread_count], work, world) == 0;
    }
    return jobs->thread_count > 0;
}

/* ---- The loop's side ---------------------------------------------------------------------------------------- */

/* Takes a job that has not begun out of the line it is in. */
static bool take_out(struct job **first, struct job **last, struct job *job)
{
    struct job *before = NULL;
    for (struct job **at = first; *at; before = *at, at = &(*at)->next)
        if (*at == job) {
            *at = job->next;
            if (!job->next)
                *last = before;
            return true;
        }
    return false;
}

/* Nobody will do it. False: somebody has begun. */
static bool withdraw(struct jobs *jobs, struct job *job)
{
    if (job->begun)
        return false;
    if (job->worker) {
        take_out(&jobs->ready_first, &jobs->ready_last, job);
        jobs->ready_count--;
        free_worker(jobs, job);
    } else if (job->crew) {
        take_out(&job->crew->first, &job->crew->last, job);
    }
    return true;
}

uint64_t rw_job_submit(struct real *world, const struct world_request *request)
{
    struct jobs *jobs = &world->jobs;
    struct job *job = (struct job *)rw_operation_new(world, request, sizeof *job);
    if (!job)
        return 0;
    job->fn = (int (*)(void *))(uintptr_t)request->fn;
    job->argument = (void *)(uintptr_t)request->job;
    struct trace *trace = rw_trace(world, "cpu.submit", job->operation.id);
    if (trace && request->pool)
        trace_int(trace, "pool", request->pool);
    if (trace) {
        trace_int(trace, "task", request->task);
        trace_end(trace);
    }
    uv_mutex_lock(&jobs->mutex);
    job->crew = crew_of(jobs, request->pool, request->workers);
    if (job->crew)
        assign(jobs, job);
    bool ok = job->crew && hire(world);
    if (!ok)
        withdraw(jobs, job);
    uv_mutex_unlock(&jobs->mutex);
    if (ok)
        return job->operation.id;
    rw_operation_undo(world, &job->operation);
    return 0;
}

void rw_job_cancel(struct real *world, struct job *job)
{
    struct jobs *jobs = &world->jobs;
    uv_mutex_lock(&jobs->mutex);
    bool withdrawn = withdraw(jobs, job);
    uv_mutex_unlock(&jobs->mutex);
    if (!withdrawn)
        return;
    struct trace *trace = rw_trace(world, "cpu.cancelled", job->operation.id);
    if (trace)
        trace_end(trace);
    rw_operation_end(world, &job->operation, -ECANCELED);
}

static void trace_job(const struct real *world, const char *ev, const struct job *job)
{
    struct trace *trace = rw_trace(world, ev, job->operation.id);
    if (!trace)
        return;
    if (job->crew->pool)
        trace_int(trace, "pool", job->crew->pool);
    if (!job->told) {
        trace_int(trace, "worker", job->worker);
    } else {
        trace_int(trace, "rc", job->rc);
        trace_int(trace, "ns", job->cost);
    }
    trace_end(trace);
}

void rw_jobs_news(struct real *world)
{
    struct jobs *jobs = &world->jobs;
    uv_mutex_lock(&jobs->mutex);
    for (struct job *job; (job = take(&jobs->news_first));) {
        job->in_news = false;
        if (!job->told)
            trace_job(world, "cpu.start", job);
        job->told = true;
        if (!job->done)
            continue;
        trace_job(world, "cpu.end", job);
        rw_operation_end(world, &job->operation, job->rc);
    }
    free_idle_crews(jobs);
    uv_mutex_unlock(&jobs->mutex);
}

bool rw_jobs_open(struct real *world)
{
    struct jobs *jobs = &world->jobs;
    const char *cpus = getenv("CO_CPUS");
    long n = cpus ? strtol(cpus, NULL, 10) : 0;
    if (n <= 0 || n > 4096)
        n = sysconf(_SC_NPROCESSORS_ONLN);
    jobs->cpus = n > 0 ? (uint32_t)n : 1;
    return uv_mutex_init(&jobs->mutex) == 0 && uv_cond_init(&jobs->changed) == 0;
}

void rw_jobs_close(struct real *world)
{
    struct jobs *jobs = &world->jobs;
    uv_mutex_lock(&jobs->mutex);
    jobs->stop = true;
    uv_cond_broadcast(&jobs->changed);
    uv_mutex_unlock(&jobs->mutex);
    for (size_t i = 0; i < jobs->thread_count; i++)
        uv_thread_join(&jobs->threads[i]);
    while (jobs->crews) {
        struct crew *crew = jobs->crews;
        jobs->crews = crew->next;
        free(crew);
    }
    free(jobs->threads);
    uv_cond_destroy(&jobs->changed);
    uv_mutex_destroy(&jobs->mutex);
}
