/* job.h - functions that run on workers. */
#ifndef JOB_H
#define JOB_H

#include "operation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct world;

/* Workers that share a line of jobs: the world's CPUs, or a pool that the program made. */
struct crew {
    /* The next pool. */
    struct crew *next;
    /* The pool's number; 0: the world's CPUs. */
    uint32_t pool;
    /* How many workers there are, which of them have a job, and how many have. */
    uint32_t workers;
    bool *busy;
    uint32_t working;
    /* Jobs that wait for a worker. */
    struct line waiting;
};

struct job {
    struct operation operation;
    /* The function and its argument. */
    int (*fn)(void *);
    void *argument;
    /* Whose workers run it; NULL: it has ended. */
    struct crew *crew;
    /* On which worker it runs, from 1; 0: it has none yet. */
    uint32_t worker;
    /* The function was called: from now on the job runs to its end. */
    bool begun;
    /* What the function returned. */
    int32_t rc;
    /* How long it kept its worker busy. */
    int64_t cost;
    /* In how many pieces (co_cpu) it did so. */
    uint64_t calls;
};

struct jobs {
    /* The world's CPUs. */
    struct crew cpus;
    /* The pools that have a job, the newest first. */
    struct crew *pools;
    /* The job whose function is being called, or NULL: its clock runs apart from the world's. */
    struct job *running;
};

/* Makes the CPUs. False: no memory. */
bool vw_jobs_open(struct jobs *jobs, uint32_t cpus);
void vw_jobs_free(struct jobs *jobs);
uint64_t vw_job_submit(struct world *world, const struct world_request *request);
void vw_job_step(struct world *world, struct job *job);
void vw_job_cancel(struct world *world, struct job *job);

#endif
