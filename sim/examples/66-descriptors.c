/* 66 - Out of descriptors: each connection and each open file has one, and a process has only so many (ulimit -n; 1024
 * is usual, here 20). Notice that the file takes one that a fetch would have had, and that a session of ten connections
 * gets all pages. asyncio: OSError, "Too many open files". */
#include "co.h"

#include <errno.h>
#include <stdio.h>

enum { PAGES = 50 };

struct reading {
    struct co_session *session;
    int ok, refused;
};

static int read_page(void *job)
{
    struct reading *reading = job;
    CO_RESPONSE(resp);
    struct co_request request = {.url = "http://news.test/", .session = reading->session};
    int rc = co_http_request(&request, &resp);
    reading->ok += rc == 0;
    reading->refused += rc == -EMFILE;
    return rc == -EMFILE ? 0 : rc;
}

static int read_all(struct co_session *session, const char *how)
{
    struct reading reading = {.session = session};
    CO_FILE(log);
    int rc = co_file_open(&log, "log", CO_WRITE);
    if (rc < 0)
        return rc;
    CO_GROUP(pages);
    for (int i = 0; i < PAGES; i++)
        co_spawn(&pages, read_page, &reading);
    rc = co_join(&pages);
    printf("%s: %2d pages, and %2d times -EMFILE\n", how, reading.ok, reading.refused);
    return rc;
}

static int read_news(void *job)
{
    (void)job;
    CO_SESSION(session, 10);
    int rc = read_all(NULL, "a connection each  ");
    return rc < 0 ? rc : read_all(&session, "a session of ten   ");
}

int main(void)
{
    struct co_options options = {.world_file = "sim/examples/66-descriptors.json"};
    return co_run(read_news, NULL, &options) < 0;
}
