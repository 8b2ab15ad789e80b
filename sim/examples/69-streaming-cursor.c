/* 69 - Ten thousand rows, a hundred at a time: the next hundred are asked for when the last one is read.
 * Notice when the first row is there, and what it costs to stop after 250: three batches, not ten thousand rows.
 * asyncio: `async for row in connection.cursor(...)`. */
#include "co.h"
#include "co_db.h"

#include <stdio.h>

static int count_up_to(struct co_db *db, int most)
{
    CO_ROWS(rows);
    int n = 0;
    int rc = co_db_query(db, &rows, "SELECT id FROM measure ORDER BY id");
    while (n < most && rc >= 0 && (rc = co_rows_next(&rows)) > 0)
        if (++n == 1)
            printf("%5lld ms  the first row\n", (long long)(co_now() / CO_MS(1)));
    printf("%5lld ms  %d rows\n", (long long)(co_now() / CO_MS(1)), n);
    return rc < 0 ? rc : 0;
}

static int station(void *job)
{
    (void)job;
    CO_DB(db);
    int rc = co_db_open(&db, "postgresql://station.test/weather", NULL);
    if (rc == 0)
        rc = count_up_to(&db, 250);
    if (rc == 0)
        rc = count_up_to(&db, 100000);
    return rc;
}

int main(void)
{
    struct co_options options = {.world_file = "sim/examples/69-streaming-cursor.json"};
    return co_run(station, NULL, &options) < 0;
}
