/* 02 - A function that waits is called like any other, and it may call others that wait: that is all there is to a
 * chain. Each of the two takes its own time; together they take the sum. An error of the first one ends the chain. */
#include "warmup.h"

static int measure(int *grams)
{
    int rc = co_sleep(CO_SEC(3));
    *grams = given("n", 500);
    return *grams > 900 ? -ERANGE : rc;
}

static int bake(int grams)
{
    int rc = co_sleep(CO_SEC(grams / 100));
    printf("%d ms: a loaf of %d g\n", now_ms(), grams);
    return rc;
}

int warmup(void)
{
    int grams = 0, rc = 0;

    /* TODO: measure, then bake what was measured; if measuring fails, bake nothing and keep its error in
     * rc */
    (void)measure, (void)bake, (void)grams;
    printf("%d ms: %s\n", now_ms(), rc < 0 ? co_strerror(rc) : "done");
    return 0;
}
