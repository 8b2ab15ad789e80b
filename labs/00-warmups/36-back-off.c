/* 36 - A server that is down is not helped by being asked at once again. Wait before each retry, twice as long
 * each time. See the attempts at growing distances, and that a success ends the waiting. */
#include "warmup.h"

int warmup(void)
{
    int64_t delay = CO_MS(given("ms", 100));
    int rc = -EAGAIN;
    for (int attempt = 1; attempt <= 5; attempt++) {
        CO_RESPONSE(resp);
        rc = co_http_get("http://pizza.test/order", &resp);
        printf("%d ms: attempt %d: %s\n", now_ms(), attempt, rc < 0 ? co_strerror(rc) : resp.body);
        if (rc == 0 || rc == -ECANCELED || attempt == 5)
            break;
        /* TODO: wait for delay, and make it twice as long for the next time; leave with -ECANCELED if you are
         * cancelled */
        (void)delay;
    }
    printf("%d ms: %s\n", now_ms(), rc < 0 ? "no pizza" : "good appetite");
    return 0;
}
