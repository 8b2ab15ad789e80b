/* 49 - A broker stands between those who have news and those who want them. A queue hands each item to one getter;
 * so each subscriber has a queue of its own, and gets every item of its topic. Publishing never waits for a slow
 * reader. */
#include "warmup.h"

enum topic { SPORT, WEATHER };
static struct subscriber {
    const char *name;
    enum topic topic;
    struct co_queue inbox;
} subscribers[] = {{.name = "Ada"}, {.name = "Bob", .topic = WEATHER}, {.name = "Cleo"}};

static int publish(enum topic topic, char *text)
{
    int rc = 0;
    for (int i = 0; i < 3 && rc == 0; i++) {
        struct subscriber *to = &subscribers[i];
        if (to->topic == topic)
            rc = co_queue_put(&to->inbox, text);
    }
    return rc;
}

int warmup(void)
{
    int rc = publish(SPORT, "two nil");
    rc = rc < 0 ? rc : publish(given("n", 0) ? SPORT : WEATHER, "rain");
    for (int i = 0; i < 3; i++) {
        for (void *text; co_queue_try_get(&subscribers[i].inbox, &text) == 0;)
            printf("%s reads: %s\n", subscribers[i].name, (char *)text);
        co_queue_destroy(&subscribers[i].inbox);
    }
    return rc < 0 ? rc : co_sleep(CO_SEC(1));
}
