/* round_trip.c - how long a message to the judge and back takes, both on one core.
 *
 *     round_trip [N]
 *
 * Prints the median and the 99th percentile of N questions (100,000) of each kind, in microseconds of real time: how
 * busy the machine is shows in them. */
#define _GNU_SOURCE
#include "judge/judge.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char world_text[] =
    "{\"world\":\"looplab/world/v1\",\"sites\":[{\"url\":\"http://a.test\",\"routes\":"
    "[{\"path\":\"/\",\"body\":\"x\"}]}]}";

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* A WAIT that ends at once. */
static void ask_the_time(struct co_world *world)
{
    struct world_completion out[1];
    world->wait(world, 0, out, 1);
}

/* A request, its answer: two messages and back. */
static void fetch(struct co_world *world)
{
    static const char data[] = "GEThttp://a.test/";
    struct world_completion out[8];
    world->submit(world, &(struct world_request){.op = WORLD_HTTP, .lengths = {3, 14}, .data = data, .size = 17});
    world->wait(world, INT64_MAX, out, 8);
}

static void measure(struct co_world *world, const char *name, void (*once)(struct co_world *), long n)
{
    double *took = malloc((size_t)n * sizeof *took);
    if (!took)
        exit(1);
    for (long i = -n / 10; i < n; i++) {
        double begin = now_us();
        once(world);
        if (i >= 0)
            took[i] = now_us() - begin;
    }
    qsort(took, (size_t)n, sizeof *took, compare);
    printf("%-8s %6.2f us median, %6.2f us at 99 %%\n", name, took[n / 2], took[n - 1 - n / 100]);
    free(took);
}

int main(int argc, char **argv)
{
    long n = argc > 1 ? atol(argv[1]) : 100000;
    int ends[2];
    char error[256] = "";
    cpu_set_t one;
    struct tape *tape = NULL;
    if (n < 1 || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) < 0)
        return 2;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    sched_setaffinity(0, sizeof one, &one);
    if (fork() == 0) {
        struct judge_settings settings = {.world = world_text, .record = "/dev/null", .program = "round_trip",
                                          .seconds = 3600, .messages = UINT64_MAX, .record_bytes = UINT64_MAX};
        close(ends[0]);
        _exit(judge_serve(&settings, &ends[1], 1, error, sizeof error));
    }
    close(ends[1]);
    struct co_world *world = world_remote_open(ends[0], NULL, &tape, error, sizeof error);
    measure(world, "message", ask_the_time, n);
    measure(world, "fetch", fetch, n);
    world->submit(world, &(struct world_request){.op = WORLD_FINISH});
    world->close(world);
    close(ends[0]);
    int status = 0;
    wait(&status);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
