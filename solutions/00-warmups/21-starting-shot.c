/* 21 - Any number of tasks wait for one thing to happen: an event. When it is set all of them go on, at that very
 * instant, in the order in which they came. Nobody looks at the clock again and again. */
#include "warmup.h"

static struct co_event shot = CO_EVENT_INIT;

static int runner(void *job)
{
    int rc = 0;
    printf("%d ms: %s is ready\n", now_ms(), (const char *)job);
    rc = co_event_wait(&shot);
    printf("%d ms: %s runs\n", now_ms(), (const char *)job);
    return rc;
}

int warmup(void)
{
    CO_GROUP(track);
    co_spawn(&track, runner, "Ines");
    co_spawn(&track, runner, "Jon");
    int rc = co_sleep(CO_MS(given("ms", 2500)));
    printf("%d ms: bang\n", now_ms());
    co_event_set(&shot);
    return rc < 0 ? rc : co_join(&track);
}
