/* 21 - A feed faster than its reader: where only the present counts, keep the newest value and let the old ones go.
 * Notice that the board changes every 500 ms and always shows the newest price, never one that lay in a queue; and
 * that the feed is read as fast as it comes. asyncio: a reader task, a variable and an Event. */
#include "co.h"

#include <stdio.h>
#include <stdlib.h>

struct price {
    int cents, unread;
    bool over;
    struct co_event changed;
};

static int read_feed(void *job)
{
    struct price *price = job;
    char line[32];
    CO_STREAM(feed);
    int rc = co_stream_open(&(struct co_request){.url = "http://market.test/tulips"}, &feed);
    while (rc >= 0 && (rc = co_stream_read_line(&feed, line, sizeof line)) > 0) {
        price->cents = atoi(line);              /* the one before is gone */
        price->unread++;
        co_event_set(&price->changed);
    }
    price->over = true;
    co_event_set(&price->changed);
    return rc;
}

static int show_board(struct price *price)
{
    while (!price->over || price->unread > 0) {
        int rc = co_event_wait(&price->changed);
        if (rc < 0)
            return rc;
        co_event_clear(&price->changed);
        if (price->unread > 0)
            printf("%4lld ms  %d cents, the newest of %d\n", (long long)(co_now() / CO_MS(1)), price->cents,
                   price->unread);
        price->unread = 0;
        rc = co_sleep(CO_MS(500));              /* the board is mechanical */
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int market(void *job)
{
    struct price price = {0};
    CO_GROUP(background);
    co_spawn(&background, read_feed, &price);
    int rc = show_board(&price);
    return rc < 0 ? rc : co_join(&background);
}

int main(void)
{
    struct co_options options = {.world_file = "sim/examples/21-real-time-streams.json"};
    return co_run(market, NULL, &options) < 0;
}
