/* 26 - Files without blocking: three are read at the same time, a log is appended to, a result is replaced in one step.
 * Notice 10 ms for three files of 10 ms each, and that a missing one is an error code, which spoils nothing.
 * asyncio: aiofiles, or to_thread(path.read_text). */
#include "co.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct diary {
    const char *path;
    int rc;
    size_t length;
};

static int measure(void *job)
{
    struct diary *diary = job;
    char *text;
    diary->rc = co_file_load(diary->path, &text, &diary->length);
    if (diary->rc == 0)
        free(text);                             /* ours */
    return diary->rc == -ECANCELED ? diary->rc : 0;
}

static int append(const char *path, const char *line)
{
    CO_FILE(file);                              /* closes itself */
    int rc = co_file_open(&file, path, CO_APPEND);
    return rc < 0 ? rc : co_file_write(&file, line, strlen(line));
}

static int summarise(void *job)
{
    struct diary diaries[] = {{.path = "diary/may"}, {.path = "diary/june"}, {.path = "diary/july"}};
    size_t total = 0;
    char summary[64], *paths;
    int rc = co_gather(measure, diaries, 3, sizeof diaries[0], NULL);
    if (rc < 0)
        return rc;
    for (int i = 0; i < 3; i++) {
        printf("%3lld ms  %s: %zu bytes, %s\n", (long long)(co_now() / CO_MS(1)), diaries[i].path, diaries[i].length,
               co_strerror(diaries[i].rc));
        total += diaries[i].length;
    }
    int length = snprintf(summary, sizeof summary, "%zu bytes\n", total);
    rc = co_file_save("summary", summary, (size_t)length);      /* whoever reads it sees the old one or the new one */
    if (rc == 0)
        rc = append("log", "summarised\n");
    if (rc == 0)
        rc = co_file_list("", &paths);
    if (rc < 0)
        return rc;
    printf("%3lld ms  %d files:\n%s", (long long)(co_now() / CO_MS(1)), rc, paths);
    free(paths);
    return 0;
}

int main(void)
{
    struct co_options options = {.world_file = "sim/examples/26-files.json"};
    return co_run(summarise, NULL, &options) < 0;
}
