/* 32 - A cache of fixed size that drops what was not used for longest, and that loads each key once, however many ask
 * for it at the same time. Notice that three readers who want the same map cause one load, and that the harbour map
 * has to be loaded again: it was the one unused for longest. asyncio: an OrderedDict of futures. */
#include "co.h"

#include <stdio.h>
#include <string.h>

enum { PLACES = 2 };

struct map {
    const char *name;                           /* NULL: unused       */
    int64_t used;                               /* when, last         */
    struct co_event loaded;                     /* set: it may be read */
};

static struct map shelf[PLACES];
static int64_t uses;

static struct map *look_up(const char *name)
{
    for (int i = 0; i < PLACES; i++)
        if (shelf[i].name && strcmp(shelf[i].name, name) == 0)
            return &shelf[i];
    return NULL;
}

static struct map *unused_for_longest(void)
{
    struct map *oldest = NULL;
    for (int i = 0; i < PLACES; i++) {
        if (shelf[i].name && !shelf[i].loaded.is_set)
            continue;                           /* being loaded: somebody waits for it */
        if (!oldest || shelf[i].used < oldest->used)
            oldest = &shelf[i];
    }
    return oldest;
}

static int load(const char *name)
{
    struct map *map = unused_for_longest();
    if (!map)
        return -EBUSY;
    if (map->name)
        printf("%3lld ms  %s dropped\n", (long long)(co_now() / CO_MS(1)), map->name);
    *map = (struct map){.name = name, .used = ++uses};      /* before the wait: who comes now finds it */
    int rc = co_sleep(CO_MS(200));
    if (rc < 0)
        map->name = NULL;                       /* not loaded: those who wait will see */
    else
        printf("%3lld ms  %s loaded\n", (long long)(co_now() / CO_MS(1)), name);
    co_event_set(&map->loaded);
    return rc;
}

static int read_map(void *job)
{
    struct map *map = look_up(job);
    if (!map)
        return load(job);
    map->used = ++uses;
    int rc = co_event_wait(&map->loaded);
    printf("%3lld ms    %s was there\n", (long long)(co_now() / CO_MS(1)), (const char *)job);
    return rc < 0 || map->name ? rc : -EIO;
}

static int library(void *job)
{
    static const char *const later[] = {"harbour", "city", "coast", "city", "harbour"};
    CO_GROUP(readers);
    for (int i = 0; i < 3; i++)
        co_spawn(&readers, read_map, "city");
    int rc = co_join(&readers);
    for (int i = 0; i < 5 && rc == 0; i++)
        rc = read_map((void *)later[i]);
    return rc;
}

int main(void)
{
    return co_run(library, NULL, NULL) < 0;
}
