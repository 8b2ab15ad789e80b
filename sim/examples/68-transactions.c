/* 68 - Money moves from one account to another: both halves happen, or none, whatever goes wrong in between.
 * Notice the sum, which is always 200: after an overdraft, a return in the middle, a timeout, and two at a time.
 * asyncio: `async with connection.transaction()`. */
#include "co.h"
#include "co_db.h"

#include <stdio.h>

static struct co_db db;

struct transfer {
    int from, to, amount;
    int64_t thinks;                             /* before the second half */
};

static int transfer(void *job)
{
    const struct transfer *move = job;
    int rc = 0;
    CO_TRANSACTION(tx, &db, &rc) {
        rc = co_db_exec(tx, "UPDATE account SET money = money + $1 WHERE id = $2", move->amount, move->to);
        if (rc >= 0)
            rc = co_sleep(move->thinks);
        if (rc < 0)
            return rc;                          /* rolled back */
        rc = co_db_exec(tx, "UPDATE account SET money = money - $1 WHERE id = $2", move->amount, move->from);
    }                                           /* committed, if rc is 0 or more */
    return rc;
}

static void show(const char *what, int rc)
{
    CO_ROWS(rows);
    printf("%4lld ms  %s: %s:", (long long)(co_now() / CO_MS(1)), what, co_strerror(rc));
    rc = co_db_query(&db, &rows, "SELECT owner, money FROM account ORDER BY owner");
    while (rc >= 0 && (rc = co_rows_next(&rows)) > 0)
        printf(" %s %lld", co_rows_text(&rows, 0), (long long)co_rows_int(&rows, 1));
    printf("\n");
}

static int bank(void *job)
{
    (void)job;
    struct transfer two[] = {{1, 2, 10, CO_MS(50)}, {2, 1, 40, CO_MS(50)}};
    int rc = co_db_open(&db, "sqlite:bank.db", NULL);
    if (rc < 0)
        return rc;
    show("at first", transfer(&(struct transfer){1, 2, 30, 0}));
    show("an overdraft", transfer(&(struct transfer){1, 2, 500, 0}));
    show("a timeout", co_wait_for(transfer, &(struct transfer){1, 2, 20, CO_SEC(5)}, CO_SEC(1)));
    show("two at a time", co_gather(transfer, two, 2, sizeof two[0], NULL));
    co_db_close(&db);
    return 0;
}

int main(void)
{
    struct co_options options = {.world_file = "sim/examples/68-transactions.json"};
    return co_run(bank, NULL, &options) < 0;
}
