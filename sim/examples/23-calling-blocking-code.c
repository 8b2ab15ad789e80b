/* 23 - Old code that blocks: sleep(1) inside a task stops everybody, the same call in a worker stops nobody.
 * Notice that the guard, who looks every 400 ms, is late the first time and on time the second; and the line on stderr,
 * which names the call that blocked. asyncio: to_thread(). */
#include "co.h"

#include <stdio.h>
#include <unistd.h>

static int old_printer(void *job)
{
    sleep(1);                                   /* a library's code that we cannot change */
    return 0;
}

static int guard(void *job)
{
    for (int i = 0; i < 3; i++) {
        printf("%4lld ms    guard looks\n", (long long)(co_now() / CO_MS(1)));
        int rc = co_sleep(CO_MS(400));
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int print_in(bool worker)
{
    CO_GROUP(others);
    co_spawn(&others, guard, NULL);
    int rc = co_yield();                        /* the guard begins */
    if (rc == 0)
        rc = worker ? co_to_thread(old_printer, NULL) : old_printer(NULL);
    if (rc < 0)
        return rc;
    printf("%4lld ms  printed\n", (long long)(co_now() / CO_MS(1)));
    return co_join(&others);
}

static int office(void *job)
{
    printf("in the task itself\n");
    int rc = print_in(false);
    if (rc < 0)
        return rc;
    printf("in a worker\n");
    return print_in(true);
}

int main(void)
{
    struct co_options options = {.program = "23-calling-blocking-code"};
    return co_run(office, NULL, &options) < 0;
}
