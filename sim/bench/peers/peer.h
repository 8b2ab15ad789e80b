/* peer.h - the stop watch of the peers' programs in C and C++: the same as in bench.c.
 *
 * Each peer's program is called as `PROGRAM NAME COUNT` and prints a line "NAME cpu wall", ns for one operation. What
 * is counted for a name is said in sim/bench's file of the same operation; where a peer must do it otherwise, its
 * program says so. Exit code 3: it has nothing to compare under that name.
 */
#ifndef PEER_H
#define PEER_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CROWD = 100, BATCH = 1000, NOT_SHARED = 3 };

static int64_t peer_cpu, peer_wall;

static int64_t peer_clock(clockid_t clock)
{
    struct timespec ts;
    clock_gettime(clock, &ts);
    return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static void peer_start(void)
{
    peer_wall -= peer_clock(CLOCK_MONOTONIC);
    peer_cpu -= peer_clock(CLOCK_PROCESS_CPUTIME_ID);
}

static void peer_stop(void)
{
    peer_cpu += peer_clock(CLOCK_PROCESS_CPUTIME_ID);
    peer_wall += peer_clock(CLOCK_MONOTONIC);
}

static void peer_print(const char *name, long done)
{
    printf("%s %.2f %.2f\n", name, (double)peer_cpu / (double)done, (double)peer_wall / (double)done);
}

#endif
