/* 52 - Anti-pattern: a loop inside the loop. Code that starts a loop of its own cannot be called from a task: a thread
 * has one loop. Notice that co_run says so at once, and the way out: split the function into what waits and what runs
 * it. asyncio: "asyncio.run() cannot be called from a running event loop". */
#include "co.h"

#include <stdio.h>

static int brew(void *job)                      /* what waits: can be called from any task, or spawned */
{
    int *cups = job;
    int rc = co_sleep(CO_MS(200));
    if (rc == 0)
        ++*cups;
    return rc;
}

static int brew_now(int *cups)                  /* what runs it: for main() only, and for old code without a loop */
{
    return co_run(brew, cups, NULL);
}

static int breakfast(void *job)
{
    int *cups = job;
    printf("in a task, brew_now: %s\n", co_strerror(brew_now(cups)));
    int rc = brew(cups);
    printf("in a task, brew:     %s, %lld ms\n", co_strerror(rc), (long long)(co_now() / CO_MS(1)));
    return rc;
}

int main(void)
{
    int cups = 0;
    printf("in main, brew_now:   %s\n", co_strerror(brew_now(&cups)));
    int rc = co_run(breakfast, &cups, NULL);
    printf("%d cups\n", cups);
    return rc < 0;
}
