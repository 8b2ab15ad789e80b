/* words.c - places, and the last words of a program. */
#include "runtime/watch/report.h"

#include <unistd.h>

void __gcov_dump(void) __attribute__((weak));

const char *co__place(const void *pc)
{
    static char texts[4][128];
    static int next;
    char *text = texts[next++ % 4];
    const char *found = pc ? source_line(pc, text, sizeof texts[0]) : NULL;
    return found ? found : "?";
}

void co__end_program(struct loop *loop)
{
    if (loop->open_trace)
        trace_flush(loop->open_trace);
    if (__gcov_dump)
        __gcov_dump();
    _exit(CO_EXIT_FATAL);
}
