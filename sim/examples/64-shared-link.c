/* 64 - Ten files of 100 kB over a link of 1 MB a second. Notice that at once they save the waits (latency, round trips)
 * and nothing else: the bytes alone take a second, however many share the link; and that the first file is complete
 * after 140 ms one by one, and at once only when nearly all are. asyncio: gather() over session.get(). */
#include "co.h"

#include <stdio.h>

enum { FILES = 10 };

struct shelf {
    struct co_session *session;
    struct co_sem bound;
    int64_t first;                              /* when the first file was there */
};

static int fetch_file(void *job)
{
    struct shelf *shelf = job;
    CO_RESPONSE(resp);
    int rc = co_sem_acquire(&shelf->bound);
    if (rc < 0)
        return rc;
    rc = co_session_get(shelf->session, "http://shelf.test/file", &resp);
    co_sem_release(&shelf->bound);
    if (shelf->first == 0)
        shelf->first = co_now();
    return rc;
}

static int fetch_all(void *job)
{
    int at_once = *(const int *)job;
    CO_SESSION(session, 0);
    struct shelf shelf = {.session = &session, .bound = CO_SEM_INIT(at_once)};
    CO_GROUP(files);
    for (int i = 0; i < FILES; i++)
        co_spawn(&files, fetch_file, &shelf);
    int rc = co_join(&files);
    printf("%2d at once: the first after %4lld ms, all after %4lld ms\n", at_once,
           (long long)(shelf.first / CO_MS(1)), (long long)(co_now() / CO_MS(1)));
    return rc;
}

int main(void)
{
    struct co_options options = {.world_file = "sim/examples/64-shared-link.json"};
    static int at_once[] = {1, 2, 10};
    for (int i = 0; i < 3; i++)
        if (co_run(fetch_all, &at_once[i], &options) < 0)
            return 1;
    return 0;
}
