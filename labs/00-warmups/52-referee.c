/* 52 - Now you are the test. Three brewers are to make two cups at once; one makes them one by one, one forgets a
 * cup. A test that looks at the result only lets the slow one pass. With a virtual clock time can be compared with
 * ==. */
#include "warmup.h"

static int cup(void *job)
{
    return co_sleep(CO_SEC(given("n", 3)));
}

static int brewer(bool at_once, int *cups)
{
    char jobs[2] = {0};
    *cups += 2;
    int rc = at_once ? co_gather(cup, jobs, 2, 1, NULL) : cup(NULL);
    return rc < 0 || at_once ? rc : cup(NULL);
}

static bool passes(bool at_once, int forgotten)
{
    int64_t began = co_now(), one_cup = CO_SEC(given("n", 3));
    int cups = -forgotten, rc = brewer(at_once, &cups);
    int64_t took = co_now() - began;
    /* TODO: is it right? no error, both cups, and no longer than it takes at once */
    return rc < 0 && took < one_cup;
}

int warmup(void)
{
    printf("the good one %s\n", passes(true, 0) ? "passes" : "fails");
    printf("the slow one %s\n", passes(false, 0) ? "passes" : "fails");
    printf("the forgetful one %s\n", passes(true, 1) ? "passes" : "fails");
    printf("%d ms\n", now_ms());
    return 0;
}
