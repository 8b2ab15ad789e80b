/* judge.c - one run: the world is opened, its programs are served, the record is closed. */
#define _GNU_SOURCE
#include "judge.h"

#include "explore/tape.h"
#include "trace/trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

static bool open_all(struct judge *judge, char *error, size_t size)
{
    const struct judge_settings *settings = judge->settings;
    if (settings->tape && *settings->tape && !(judge->tape = tape_open(settings->tape, error, size)))
        return false;
    judge->trace = trace_open(settings->record, settings->program, settings->seed);
    if (!judge->trace) {
        snprintf(error, size, "%s: cannot write the record: %s", settings->record, strerror(errno));
        return false;
    }
    judge->world = world_virtual_open(settings->world, settings->seed, judge->trace, judge->tape, error, size);
    return judge->world != NULL;
}

static void close_all(struct judge *judge)
{
    for (size_t i = 0; i < judge->count; i++)
        program_free(&judge->programs[i]);
    if (judge->world)
        judge->world->close(judge->world);
    trace_close(judge->trace);
    tape_close(judge->tape);
}

/* Whose turn it is: the first one that does not wait. NULL: all do, or have left. */
static struct program *whose_turn(struct judge *judge)
{
    for (size_t i = 0; i < judge->count; i++)
        if (judge->programs[i].state <= PROGRAM_RUNS)
            return &judge->programs[i];
    return NULL;
}

static bool is_over(const struct judge *judge)
{
    for (size_t i = 0; i < judge->count; i++)
        if (judge->programs[i].state != PROGRAM_LEFT)
            return false;
    return true;
}

static void serve(struct judge *judge)
{
    while (!is_over(judge)) {
        struct program *program = whose_turn(judge);
        if (program)
            program_step(program);
        else
            clock_pass(judge);
    }
    trace_flush(judge->trace);
    if (!judge->failed && trace_failed(judge->trace))
        judge->failed = strerror(trace_failed(judge->trace));
}

/* One end of a pair of sockets that keep messages apart; whoever reads from it looks up now and then. */
static bool is_connection(int fd)
{
    int type = 0;
    socklen_t length = sizeof type;
    struct timeval soon = {.tv_usec = 100000};
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_SEQPACKET
        && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon) == 0;
}

static bool connect_all(struct judge *judge, const int fds[], size_t n, char *error, size_t size)
{
    for (size_t i = 0; i < n; i++) {
        struct program *program = &judge->programs[judge->count++];
        program->judge = judge;
        program->fd = fds[i];
        program->number = (uint32_t)i + 1;
        program->marks.next = program->marks.prev = &program->marks;
    }
    for (size_t i = 0; i < n; i++)
        if (!is_connection(fds[i])) {
            snprintf(error, size, "descriptor %d is no SOCK_SEQPACKET socket", fds[i]);
            return false;
        }
    return true;
}

int judge_serve(const struct judge_settings *settings, const int fds[], size_t n, char *error, size_t size)
{
    struct judge *judge = calloc(1, sizeof *judge);
    struct timespec now;
    if (!judge || n > MOST_PROGRAMS) {
        snprintf(error, size, judge ? "more programs than a judge can serve" : "out of memory");
        free(judge);
        return 2;
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
    judge->settings = settings;
    judge->deadline = (now.tv_sec + settings->seconds) * 1000000000 + now.tv_nsec;
    int code = 2;
    if (connect_all(judge, fds, n, error, size) && open_all(judge, error, size)) {
        serve(judge);
        code = judge->failed ? 3 : 0;
        if (judge->failed)
            snprintf(error, size, "%s", judge->failed);
    }
    close_all(judge);
    free(judge);
    return code;
}
