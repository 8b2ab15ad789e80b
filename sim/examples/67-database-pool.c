/* 67 - Five readers share two connections to a database: who comes late waits for one, first come first served.
 * Notice that a statement takes 100 ms wherever it stands in line, and that a connection that broke is replaced.
 * asyncio: asyncpg.create_pool(max_size=2), pool.fetchval(). */
#include "co.h"
#include "co_db.h"

#include <stdio.h>

struct reader {
    struct co_db *db;
    int book;
};

static int read_one(void *job)
{
    const struct reader *reader = job;
    int64_t pages = 0;
    int rc = co_db_number(reader->db, &pages, "SELECT pages FROM book WHERE id = $1", reader->book);
    printf("%4lld ms  book %d: ", (long long)(co_now() / CO_MS(1)), reader->book);
    if (rc > 0)
        printf("%lld pages\n", (long long)pages);
    else
        printf("%s\n", rc == 0 ? "there is none" : co_strerror(rc));
    return rc < 0 ? rc : 0;
}

static int library(void *job)
{
    (void)job;
    CO_DB(db);
    struct reader readers[5];
    int rcs[5];
    int rc = co_db_open(&db, "postgresql://library.test/books", &(struct co_db_options){.size = 2});
    if (rc < 0)
        return rc;
    for (int i = 0; i < 5; i++)
        readers[i] = (struct reader){&db, i + 1};
    rc = co_gather(read_one, readers, 5, sizeof readers[0], rcs);
    if (rc < 0)
        return rc;
    rc = co_sleep(CO_SEC(10));                  /* meanwhile the database is down for a second: nobody notices */
    if (rc == 0)
        rc = read_one(&readers[1]);
    struct co_db_state pool = co_db_look(&db);
    printf("%d open, %d of them idle, %lld lost\n", pool.open, pool.idle, (long long)pool.lost);
    return rc;
}

int main(void)
{
    struct co_options options = {.world_file = "sim/examples/67-database-pool.json"};
    return co_run(library, NULL, &options) < 0;
}
