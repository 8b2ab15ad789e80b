/* bench.h - what the files of the benchmark share.
 *
 * A benchmark is a main task. It prepares what it needs, calls bench_start, does its operation `count` times (or notes
 * in `done` how often it did), and calls bench_stop. Each runs in a loop of its own, `repeat` times over; the best
 * run counts, because what another program takes from us only ever adds.
 */
#ifndef BENCH_H
#define BENCH_H

#include "co.h"

#include <stdint.h>

struct bench {
    long count;             /* how many operations were asked for                                   */
    long done;              /* how many were measured; 0 = count                                    */
    long tasks;             /* sleep, memory: how many tasks                                        */
    int64_t cpu_ns;         /* out: CPU time of the process between start and stop, summed          */
    int64_t wall_ns;        /* out: the same by the wall clock                                      */
    double bytes;           /* out: memory.c's result, bytes for one task; else 0                   */
};

/* The stop watch; may be started again, times add up. */
void bench_start(struct bench *bench);
void bench_stop(struct bench *bench);

/* Ends the program when a call that cannot fail did. */
void bench_need(int ok, const char *what);

/* How many tasks take part where it does not matter much. */
enum { CROWD = 100 };

/* switch.c */
int bench_call(void *bench);
int bench_yield(void *bench);
int bench_yield_apart(void *bench);
int bench_spawn(void *bench);
/* message.c */
int bench_queue(void *bench);
int bench_rendezvous(void *bench);
/* sync.c */
int bench_lock(void *bench);
int bench_sem(void *bench);
int bench_event(void *bench);
/* cancel.c */
int bench_cancel(void *bench);
int bench_timeout(void *bench);
/* sleep.c */
int bench_sleep(void *bench);
/* http.c */
extern const char bench_http_world[];
int bench_http(void *bench);
/* memory.c */
int bench_memory(void *bench);

#endif
