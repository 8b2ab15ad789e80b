/* 12 - Concurrent: many are under way. Parallel: many compute at the same instant. Tasks are the first only. Notice
 * the second column: as tasks, three waits are three times faster and three computations not at all; workers help.
 * asyncio: sleep() and to_thread(); in C the workers really compute at once, as there is no GIL. */
#include "co.h"

#include <stdio.h>

static int wait_2s(void *job)
{
    return co_sleep(CO_SEC(2));
}

static int compute_2s(void *job)
{
    co_cpu(CO_SEC(2));                          /* as if: two seconds of arithmetic */
    return 0;
}

static int compute_2s_beside(void *job)
{
    return co_to_thread(compute_2s, job);
}

static int one_by_one(co_fn fn)
{
    int rc = 0;
    for (int i = 0; i < 3 && rc == 0; i++)
        rc = fn(NULL);
    return rc;
}

static int together(co_fn fn)
{
    char jobs[3];                               /* the jobs need nothing */
    return co_gather(fn, jobs, 3, 1, NULL);
}

static int compare(void *job)
{
    static const struct {
        const char *name;
        co_fn fn;
    } rows[] = {
        {"3 waits of 2 s", wait_2s}, {"3 computations", compute_2s}, {"the same in workers", compute_2s_beside}};

    printf("%-20s one by one  together\n", "");
    for (int i = 0; i < 3; i++) {
        int64_t start = co_now();
        int rc = one_by_one(rows[i].fn);
        int64_t middle = co_now();
        if (rc == 0)
            rc = together(rows[i].fn);
        if (rc < 0)
            return rc;
        printf("%-20s %7lld ms %6lld ms\n", rows[i].name, (long long)((middle - start) / CO_MS(1)),
               (long long)((co_now() - middle) / CO_MS(1)));
    }
    return 0;
}

int main(void)
{
    return co_run(compare, NULL, NULL) < 0;
}
