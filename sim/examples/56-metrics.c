/* 56 - Four numbers that tell how a running system feels: how late the loop is, how long the queue, how many jobs
 * are busy, how long one takes. Notice that somebody computes from 405 to 705 ms: the loop is late, a job takes
 * longer, then there is a queue, though nobody touched the servers. asyncio: loop.time(), qsize(), all_tasks(). */
#include "co.h"

#include <stdint.h>
#include <stdio.h>

struct system {
    struct co_queue *queue;
    int busy;
    int64_t latency, longest_job;               /* since the last line, ns */
};

static int measure_latency(void *job)
{
    struct system *system = job;
    for (;;) {
        int64_t due = co_now() + CO_MS(10);
        int rc = co_sleep(CO_MS(10));
        if (rc < 0)
            return rc;
        if (co_now() - due > system->latency)
            system->latency = co_now() - due;   /* a healthy loop comes back on time */
    }
}

static int report(void *job)
{
    struct system *system = job;
    int rc;
    while ((rc = co_sleep(CO_MS(200))) == 0) {
        printf("%4lld ms  loop late by %3lld ms, %2zu queued, %d busy, a job took %3lld ms, %zu tasks\n",
               (long long)(co_now() / CO_MS(1)), (long long)(system->latency / CO_MS(1)), co_queue_size(system->queue),
               system->busy, (long long)(system->longest_job / CO_MS(1)), co_all_tasks(NULL, 0));
        system->latency = system->longest_job = 0;
    }
    return rc;
}

static int serve(void *job)
{
    struct system *system = job;
    void *item;
    int rc;
    while ((rc = co_queue_get(system->queue, &item)) == 0) {
        int64_t start = co_now();
        system->busy++;
        rc = co_sleep(CO_MS(45));
        system->busy--;
        if (rc < 0)
            return rc;
        if (co_now() - start > system->longest_job)
            system->longest_job = co_now() - start;
    }
    return rc;
}

static int send_jobs(void *job)
{
    struct system *system = job;
    int rc = 0;
    for (int64_t due = co_now(); rc == 0; due += CO_MS(30)) {
        rc = co_sleep(due - co_now());          /* they come from outside, and do not ask whether we are late */
        if (rc == 0)
            rc = co_queue_put(system->queue, system);
    }
    return rc;
}

static int observe(void *job)
{
    CO_QUEUE(queue, 0);
    struct system system = {.queue = &queue};
    co_fn parts[] = {measure_latency, report, serve, serve, send_jobs};
    CO_GROUP(group);
    for (int i = 0; i < 5; i++)
        co_spawn(&group, parts[i], &system);
    int rc = co_sleep(CO_MS(405));
    if (rc == 0) {
        co_cpu(CO_MS(300));                     /* the culprit */
        rc = co_sleep(CO_MS(800));
    }
    co_group_cancel(&group);
    return rc < 0 ? rc : co_join(&group);
}

int main(void)
{
    return co_run(observe, NULL, NULL) < 0;
}
