/* 01 - A program that waits. co_sleep lets the loop go on and comes back later; the clock is virtual, so four
 * minutes cost you nothing. See that the second line says 240 s, and that make run shows it at once. */
#include "warmup.h"

int warmup(void)
{
    int seconds = 60 * given("n", 4);
    int rc = 0;

    printf("%d s are asked for\n", seconds);
    printf("%d ms: the kettle is on\n", now_ms());
    rc = co_sleep(CO_SEC(seconds));
    printf("%d ms: it boils after %d s\n", now_ms(), seconds);
    return rc;
}
