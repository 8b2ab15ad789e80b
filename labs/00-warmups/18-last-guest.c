/* 18 - The music plays for ever: a task that never ends by itself. A group lets nobody be left behind, so at the
 * end of its block it would wait for ever, too. Whoever starts such a task tells it to end, on every way out. */
#include "warmup.h"

static int music(void *job)
{
    while (true) {
        int rc = co_sleep(CO_SEC(180));
        printf("%d ms: %s\n", now_ms(), rc < 0 ? "silence" : "next song");
        if (rc < 0)
            return rc;
    }
}

static int party(void)
{
    CO_GROUP(house);
    co_spawn(&house, music, NULL);
    int rc = co_sleep(CO_SEC(60 * given("n", 10)));
    printf("%d ms: the last guest leaves\n", now_ms());
    /* TODO: make the music stop, so that this function can be left */
    return rc;
}

int warmup(void)
{
    int rc = party();
    printf("%d ms: good night\n", now_ms());
    return rc;
}
