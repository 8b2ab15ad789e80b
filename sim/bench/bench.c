/* bench.c - how fast the runtime is: one benchmark a call.
 *
 *     bench [--trace FILE] [--repeat N] [--count N] [--tasks N] NAME
 *
 * prints a line "NAME cpu wall": ns for one operation, CPU time and wall-clock time, each the best of N runs. For
 * task_bytes, which is no time, both are bytes. `bench` alone prints the names. Runs on one CPU, whichever the
 * scheduler may pick first. Linked without sim/kit/link.flags: its clocks are the machine's own.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A row of the table. `traced_count` stays below the 50,000 steps at one instant after which a trace falls silent. */
static const struct row {
    const char *name;
    co_fn fn;
    long count, traced_count, tasks;
    int repeat;
} rows[] = {
    {"call",       bench_call,       20000000, 20000000, 0,       5},
    {"yield",      bench_yield,       2000000,    40000, 0,       7},
    {"yield_apart", bench_yield_apart, 2000000,   40000, 0,       7},
    {"spawn",      bench_spawn,       1000000,    20000, 0,       7},
    {"queue",      bench_queue,       2000000,    20000, 0,       7},
    {"rendezvous", bench_rendezvous,  1000000,    20000, 0,       7},
    {"lock",       bench_lock,        1000000,    20000, 0,       7},
    {"sem",        bench_sem,         1000000,    20000, 0,       7},
    {"event",      bench_event,       1000000,    20000, 0,       7},
    {"cancel",     bench_cancel,       500000,    20000, 0,       7},
    {"timeout",    bench_timeout,     2000000,    20000, 0,       7},
    {"sleep_1k",   bench_sleep,        500000,   100000, 1000,    7},
    {"sleep_10k",  bench_sleep,        500000,   100000, 10000,   5},
    {"sleep_100k", bench_sleep,        500000,   200000, 100000,  3},
    {"sleep_1m",   bench_sleep,       3000000,  2000000, 1000000, 1},
    {"http",       bench_http,         100000,    20000, 0,       5},
    {"task_bytes", bench_memory,            1,        1, 1000000, 1},
};

static int64_t read_clock(clockid_t clock)
{
    struct timespec ts;
    clock_gettime(clock, &ts);
    return ts.tv_sec * CO_SEC(1) + ts.tv_nsec;
}

void bench_start(struct bench *bench)
{
    bench->wall_ns -= read_clock(CLOCK_MONOTONIC);
    bench->cpu_ns -= read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

void bench_stop(struct bench *bench)
{
    bench->cpu_ns += read_clock(CLOCK_PROCESS_CPUTIME_ID);
    bench->wall_ns += read_clock(CLOCK_MONOTONIC);
}

void bench_need(int ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "bench: %s failed\n", what);
    exit(1);
}

static void pin(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) < 0)
        return;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &set)) {
            CPU_ZERO(&set);
            CPU_SET(cpu, &set);
            sched_setaffinity(0, sizeof set, &set);     /* where it may not, the scheduler decides */
            return;
        }
}

/* The benchmark's world, in a file that is gone when the program ends. */
static const char *http_world(void)
{
    static char path[] = "/tmp/looplab-bench-XXXXXX";
    int fd = mkstemp(path);
    ssize_t size = (ssize_t)strlen(bench_http_world);
    bench_need(fd >= 0 && write(fd, bench_http_world, (size_t)size) == size && close(fd) == 0, "the world file");
    return path;
}

static void run(const struct row *row, const struct bench *asked, int repeat, const char *trace)
{
    double cpu = 0, wall = 0;
    const char *world = row->fn == bench_http ? http_world() : NULL;
    struct co_options options = {.program = "bench", .trace_file = trace, .world_file = world, .max_steps = UINT64_MAX};
    for (int i = 0; i < repeat; i++) {
        struct bench bench = *asked;
        bench_need(co_run(row->fn, &bench, &options) == 0, row->name);
        double n = (double)(bench.done ? bench.done : bench.count);
        double this_cpu = bench.bytes > 0 ? bench.bytes : (double)bench.cpu_ns / n;
        double this_wall = bench.bytes > 0 ? bench.bytes : (double)bench.wall_ns / n;
        cpu = i && cpu < this_cpu ? cpu : this_cpu;
        wall = i && wall < this_wall ? wall : this_wall;
    }
    if (world)
        unlink(world);
    printf("%s %.2f %.2f\n", row->name, cpu, wall);
}

static int wrong_use(void)
{
    fprintf(stderr, "usage: bench [--trace FILE] [--repeat N] [--count N] [--tasks N] NAME, and NAME is one of");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        fprintf(stderr, " %s", rows[i].name);
    fprintf(stderr, "\n");
    return 2;
}

int main(int argc, char *argv[])
{
    const char *trace = NULL, *name = NULL;
    long repeat = 0, count = 0, tasks = 0;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--trace") == 0 && value)
            trace = argv[++i];
        else if (strcmp(argv[i], "--repeat") == 0 && value)
            repeat = atol(argv[++i]);
        else if (strcmp(argv[i], "--count") == 0 && value)
            count = atol(argv[++i]);
        else if (strcmp(argv[i], "--tasks") == 0 && value)
            tasks = atol(argv[++i]);
        else if (argv[i][0] != '-' && !name)
            name = argv[i];
        else
            return wrong_use();
    }
    for (size_t i = 0; name && i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        if (strcmp(row->name, name) != 0)
            continue;
        struct bench asked = {.count = count > 0 ? count : trace ? row->traced_count : row->count,
                              .tasks = tasks > 0 ? tasks : row->tasks};
        pin();
        run(row, &asked, repeat > 0 ? (int)repeat : row->repeat, trace);
        return 0;
    }
    return wrong_use();
}
