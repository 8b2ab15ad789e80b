/* test_database_memory.c - databases when memory runs out: the n-th allocation fails, for every n that a program
 * reaches. Each call says so, or needs it not; a transaction is done or it is not; nothing is lost or freed twice. */
#include "check.h"

#include "co_db.h"

#if UNDER_ASAN || UNDER_TSAN

int main(void)
{
    return 0;                           /* they have an allocator of their own */
}

#else

#include "failing_memory.h"

static const char world[] =
    "{\"world\":\"looplab/world/v1\",\"databases\":[{\"url\":\"sqlite:a\",\"rtt\":\"1ms\",\"setup\":"
    "[\"CREATE TABLE a (id INTEGER PRIMARY KEY, n INTEGER)\",\"INSERT INTO a VALUES (1, 50), (2, 50)\"]}]}";

static int refused;                     /* calls that failed in this run */

/* Notes whether a call failed, and that it did so for want of memory. */
static bool ok(int rc)
{
    expect(rc >= 0 || rc == -ENOMEM || rc == -CO_EFAILED);
    refused += rc < 0;
    return rc >= 0;
}

static void uses_a_database(void)
{
    CO_DB(db);
    CO_ROWS(rows);
    struct co_statement statement;
    int64_t n, sum = 0;
    int rc = 0;
    if (!ok(co_db_open(&db, "sqlite:a", &(struct co_db_options){.batch = 1, .size = 2})))
        return;
    if (ok(co_db_prepare(&db, &statement, "SELECT n FROM a WHERE id = $1")) && ok(co_db_number(&db, &n, &statement, 1)))
        expect_is(n, 50);
    CO_TRANSACTION(tx, &db, &rc) {
        rc = co_db_exec(tx, "UPDATE a SET n = n - 10 WHERE id = $1", 1);
        if (rc >= 0)
            rc = co_db_exec(tx, "UPDATE a SET n = n + 10 WHERE id = $1", 2);
    }
    bool moved = ok(rc);
    left = -1;
    expect_is(co_db_number(&db, &n, "SELECT n FROM a WHERE id = 1"), 1);
    expect_is(n, moved ? 40 : 50);
    rc = co_db_query(&db, &rows, "SELECT n FROM a ORDER BY id");
    expect_is(rc, 0);
    while ((rc = co_rows_next(&rows)) > 0)
        sum += co_rows_int(&rows, 0);
    expect_is(sum, 100);
}

static void reads_rows(void)
{
    CO_DB(db);
    CO_ROWS(rows);
    CO_CONN(conn);
    int rc = 0;
    int64_t sum = 0;
    if (!ok(co_db_open(&db, "sqlite:a", &(struct co_db_options){.batch = 1})) || !ok(co_conn_take(&conn, &db)))
        return;
    if (ok(co_db_query(&conn, &rows, "SELECT n FROM a ORDER BY id")))
        while ((rc = co_rows_next(&rows)) > 0)
            sum += co_rows_int(&rows, 0);
    if (ok(rc) && co_rows_column(&rows, "n") == 0)
        expect_is(sum, 100);
}

static int with_a_failure(void *job)
{
    long n = (intptr_t)job;
    refused = 0;
    left = n;
    reads_rows();
    bool reached = left < 0;
    left = n;
    uses_a_database();
    reached |= refused > 0;
    left = -1;
    return reached;
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    each_allocation_fails(with_a_failure, world, 100, 1999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("database_memory", tests, NULL, NULL);
}

#endif
