/* page.c - what stands here for an operating system: a library that the host has loaded, faults that the student's
 * file was found at (instrument.js), and nothing of the rest: no other process, no judge, no SQLite.
 */
#include "page.h"

#include "forks.h"
#include "memory.h"
#include "runtime/outside/asleep.h"
#include "runtime/outside/record.h"
#include "runtime/state/loop.h"
#include "runtime/watch/fault.h"
#include "runtime/watch/report.h"
#include "trace/line_table.h"
#include "trace/trace.h"
#include "world/world.h"

#include <dlfcn.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HOST(name) __attribute__((import_module("host"), import_name(#name)))

/* Where the student's function is in the table; 0: there is none. */
HOST(symbol) void *host_symbol(const char *name);
/* Writes why the student's file could not be loaded. 0: it could. */
HOST(fault) int host_fault(char *text, size_t size);
/* The program ends as a signal would end it. */
HOST(signal) _Noreturn void host_signal(int signal_number);

uint32_t co__fuel = 1;

/* ---- The student's file: loaded by the host --------------------------------------------------- */

static char why[256];

void *dlopen(const char *path, int flags)
{
    (void)flags;
    if (strcmp(path, "part.so") != 0)
        return NULL;
    return host_fault(why, sizeof why) ? NULL : why;
}

void *dlsym(void *library, const char *name)
{
    void *found = host_symbol(name);
    (void)library;
    if (!found)
        snprintf(why, sizeof why, "part.so: undefined symbol: %s", name);
    return found;
}

char *dlerror(void)
{
    return why;
}

int dladdr(const void *address, Dl_info *info)
{
    *info = (Dl_info){.dli_fname = "part.so", .dli_saddr = (void *)(uintptr_t)address};
    return 1;
}

/* ---- Lines ------------------------------------------------------------------------------------ */

static struct line_table lines;
static bool known;

/* The host has put the file's line table, in an ELF file's wrapping, at `path`. */
void source_line_also(const char *path, const void *base)
{
    (void)path, (void)base;
    FILE *file = fopen("part.elf", "rb");
    if (!file)
        return;
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *bytes = size > 0 ? malloc((size_t)size) : NULL;       /* names are read from it: it stays */
    known = bytes && fread(bytes, 1, (size_t)size, file) == (size_t)size
         && line_table_open(&lines, bytes, (size_t)size);
    fclose(file);
}

const char *source_line(const void *pc, char *text, size_t size)
{
    uintptr_t place = (uintptr_t)pc;
    const char *name = "kit.c";
    uint32_t line = (uint32_t)place & ~(uint32_t)PLACE_OF_KIT;
    if (!place || (place < PLACE_OF_KIT && !(known && line_table_find(&lines, place - 1, &name, &line))))
        return NULL;
    int length = snprintf(text, size, "%s:%u", name, line);
    return length > 0 && (size_t)length < size ? text : NULL;
}

/* ---- Faults ----------------------------------------------------------------------------------- */

void co__fault(int signal_number)
{
    struct loop *loop = co__loop;
    uintptr_t place = co__pc;
    if (loop && loop->current && !signal_number)
        co__report_overflow(loop, (const void *)place);
    fflush(stdout);
    if (loop && loop->open_trace) {
        trace_begin(loop->open_trace, loop->now, TRACE_RUNTIME, "crash");
        trace_int(loop->open_trace, "signal", signal_number);
        trace_src(loop->open_trace, "src", (const void *)place);
        trace_end(loop->open_trace);
        trace_flush(loop->open_trace);
    }
    host_signal(signal_number);
}

void co__fault_install(void)
{
}

void co__fault_remove(void)
{
}

/* ---- What is not here ------------------------------------------------------------------------- */

void co__asleep_install(void)
{
}

void forks_command(int *argc, char ***argv)
{
    (void)argc, (void)argv;
}

bool forks_again(int code, bool clean)
{
    (void)code, (void)clean;
    return false;
}

bool memory_write_peak(const char *file)
{
    (void)file;
    return false;
}

int pause(void)
{
    return -1;
}

int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask)
{
    (void)fds, (void)n, (void)timeout, (void)mask;
    return -1;
}

int world_remote_fd(const char *name)
{
    (void)name;
    return -1;
}

struct co_world *world_remote_open(int fd, struct trace *trace, struct tape **tape, char *error, size_t size)
{
    (void)fd, (void)trace, (void)tape;
    snprintf(error, size, "there is no judge here");
    return NULL;
}

long world_remote_urls(int fd, char ***urls, char *error, size_t size)
{
    (void)fd, (void)urls;
    snprintf(error, size, "there is no judge here");
    return -1;
}
