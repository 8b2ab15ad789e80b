/* 48 - A cursor reads a large table in batches and hands it out row by row: each batch is one trip to the database, and
 * never more than one batch is in memory. Notice three trips for seven rows, and which rows cost nothing.
 * asyncio: async for row in conn.cursor(), with prefetch=3. */
#include "co.h"

#include <stdio.h>

enum { BATCH = 3 };

struct row {
    int number;
    const char *bird;
};

struct cursor {
    struct row batch[BATCH];
    int count, next;                            /* rows in the batch, and which comes next */
    int offset;                                 /* rows fetched so far */
};

/* The database: one trip, up to BATCH rows. Returns how many there were. */
static int select_rows(int offset, struct row rows[BATCH])
{
    static const char *const table[] = {"wren", "swift", "heron", "crane", "robin", "stork", "plover"};
    int rc = co_sleep(CO_MS(100));
    if (rc < 0)
        return rc;
    int n = 0;
    for (; n < BATCH && offset + n < 7; n++)
        rows[n] = (struct row){offset + n + 1, table[offset + n]};
    printf("%3lld ms  a trip: %d rows\n", (long long)(co_now() / CO_MS(1)), n);
    return n;
}

/* Waits, where need be, for the next row: 1 and the row, 0 at the end, or an error. */
static int cursor_next(struct cursor *cursor, struct row *row)
{
    if (cursor->next == cursor->count) {
        if (cursor->offset > 0 && cursor->count < BATCH)
            return 0;                           /* the last batch was not full: there is no more */
        int rc = select_rows(cursor->offset, cursor->batch);
        if (rc <= 0)
            return rc;
        cursor->count = rc;
        cursor->next = 0;
        cursor->offset += rc;
    }
    *row = cursor->batch[cursor->next++];
    return 1;
}

static int list_birds(void *job)
{
    struct cursor cursor = {0};
    struct row row = {0};
    int rc;
    while ((rc = cursor_next(&cursor, &row)) > 0)
        printf("%3lld ms    %d %s\n", (long long)(co_now() / CO_MS(1)), row.number, row.bird);
    return rc;
}

int main(void)
{
    return co_run(list_birds, NULL, NULL) < 0;
}
