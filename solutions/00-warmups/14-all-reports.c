/* 14 - Here one bad answer must not cost the good ones: each station is asked, and each result kept. With an array
 * for the results co_gather cancels nobody and returns 0. See the minus sign of the broken station, and the two
 * others. */
#include "warmup.h"

static int read_station(void *job)
{
    int number = *(int *)job, rc = co_sleep(CO_SEC(number));
    return rc < 0 ? rc : number == given("n", 2) ? -EIO : 20 + number;
}

int warmup(void)
{
    int stations[] = {3, 2, 4}, degrees[3] = {0}, rc = 0;
    rc = co_gather(read_station, stations, 3, sizeof stations[0], degrees);
    printf("%d ms: %s\n", now_ms(), rc < 0 ? co_strerror(rc) : "all were asked");
    for (int i = 0; i < 3; i++)
        printf("station %d: %d\n", stations[i], degrees[i]);
    return 0;
}
