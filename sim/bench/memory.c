/* memory.c - what a sleeping task takes. */
#include "bench.h"

#include <stdio.h>
#include <unistd.h>

static int sleep_once(void *job)
{
    (void)job;
    return co_sleep(CO_SEC(1));
}

/* The process's memory in RAM, in bytes. */
static double resident(void)
{
    long total, pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    bench_need(file && fscanf(file, "%ld %ld", &total, &pages) == 2, "/proc/self/statm");
    fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

/* Not a time: the bytes of RAM that the process grows by when `tasks` tasks fall asleep, for one of them. Everything
 * is in it, stack, record and timer; the kernel's page tables are not the process's and are not. */
int bench_memory(void *arg)
{
    struct bench *bench = arg;
    CO_GROUP(group);
    double before = resident();
    for (long i = 0; i < bench->tasks; i++)
        bench_need(co_spawn(&group, sleep_once, NULL) != NULL, "spawn");
    co_yield();                             /* all sleep */
    bench->bytes = (resident() - before) / (double)bench->tasks;
    return co_join(&group);
}
