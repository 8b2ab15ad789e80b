/* 26 - A generator hands out values one at a time and may wait in between; you go through it as through a list. At
 * its end co_gen_next returns 0, and an error is told once. See the time go by between the stops. */
#include "warmup.h"

static int bus(struct co_gen *gen, void *job)
{
    static char *stops[] = {"Harbour", "Market", "Museum", "Park"};
    for (int i = 0; i < 4; i++) {
        int rc = co_sleep(CO_SEC(120));
        if (i == *(int *)job)
            return -EIO;
        if (rc < 0 || (rc = co_gen_yield(gen, stops[i])) < 0)
            return rc;
    }
    return 0;
}

int warmup(void)
{
    int broken = given("n", 9), rc = 0;
    void *stop = NULL;
    CO_GEN(line, bus, &broken);
    /* TODO: for each stop of the bus, as it comes (the line below is the loop's body) */
    while (rc > 0)
        printf("%d ms: %s\n", now_ms(), (const char *)stop);
    printf("%d ms: %s\n", now_ms(), rc < 0 ? "the bus broke down" : "all change, please");
    return 0;
}
