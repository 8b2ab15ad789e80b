/* 06 - A task goes on while you do something else; later you want its result. co_await waits for one task, and
 * hands its result over separately: its return value is about you. */
#include "warmup.h"

static int print_photo(void *job)
{
    int rc = co_sleep(CO_SEC(given("n", 40)));
    printf("%d ms: the photo is printed\n", now_ms());
    return rc < 0 ? rc : 12;
}

int warmup(void)
{
    int ink = 0;
    CO_GROUP(room);
    co_task *printer = co_spawn(&room, print_photo, NULL);
    int rc = co_sleep(CO_SEC(15));
    printf("%d ms: coffee is drunk\n", now_ms());
    /* TODO: wait for the printer, and store what it returned in ink */
    (void)printer;
    printf("%d ms: it took %d ml of ink\n", now_ms(), ink);
    return rc;
}
