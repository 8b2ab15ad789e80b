/* memory.c - the process's peak of resident memory, as the kernel counts it.
 *
 * Asked from inside, since the number that a parent gets (wait4) also counts what the parent itself held when it
 * forked.
 */
#include "memory.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

/* "VmHWM:     1234 kB" in /proc/self/status. 0 where there is none. */
static int64_t peak_in_proc(void)
{
    FILE *status = fopen("/proc/self/status", "r");
    if (!status)
        return 0;
    char line[256];
    long long kib = 0;
    while (fgets(line, sizeof line, status))
        if (sscanf(line, "VmHWM: %lld kB", &kib) == 1)
            break;
    fclose(status);
    return kib * 1024;
}

static int64_t peak(void)
{
    int64_t bytes = peak_in_proc();
    struct rusage usage;
    if (bytes > 0 || getrusage(RUSAGE_SELF, &usage) != 0)
        return bytes;
#ifdef __APPLE__
    return usage.ru_maxrss;
#else
    return (int64_t)usage.ru_maxrss * 1024;
#endif
}

bool memory_write_peak(const char *file)
{
    FILE *out = fopen(file, "w");
    if (!out)
        return false;
    bool written = fprintf(out, "%lld\n", (long long)peak()) > 0;
    bool closed = fclose(out) == 0;
    return written && closed;
}
